"""report.html: what every system reached, beside the published claim; no script, nothing loaded from elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from pstgen.core import pages
from pstgen.core.pages import Tile
from pstgen.evaluation import summary
from pstgen.evaluation.corruptions import STRENGTHS
from pstgen.evaluation.metrics import probes
from pstgen.evaluation.report import overlays, plots
from pstgen.evaluation.report.plots import Plot
from pstgen.evaluation.results import FILE, Comparison, Results, of_system
from pstgen.evaluation.summary import BASE, GQA, NONE, PAIR, REWARD, VQA, Estimate
from pstgen.training.recipe import Recipe

NAME = "report.html"
SIGNIFICANT = 0.05  # McNemar's p below which a difference is reported
CLAIMED = (VQA, GQA, PAIR)  # the figures of the published claim
DEPLOYMENT = {  # figure, and its digits
    "deployment/calls": 1, "deployment/gflops": 2, "cost/p50": 1, "cost/p99": 1, "cost/in_time": 1, "deployment/valid": 1,
    "cost/joules": 2, "cost/per_thousand": 5, "robustness/clean": 1,
}  # fmt: skip
WEATHER = ("rain", "fog", "snow", "sun_flare", "night")
ROBUSTNESS = ("robustness", "clean")  # a figure of every system whose robustness is measured


class Lead(NamedTuple):
    """What the page begins with: perceptual reward beside the standard system, in percent of the pairs. p: McNemar's."""

    reward: float
    standard: float
    gain: Estimate
    p: float


class Cell(NamedTuple):
    """A cell of a table, and a note in small print below it."""

    text: str
    note: str = ""


class Line(NamedTuple):
    """A system's line in the table. about: what it is, in a sentence."""

    system: str
    about: str
    cells: list[Cell]


class Group(NamedTuple):
    """Lines of the table under a heading."""

    title: str
    lines: list[Line]


class Figure(NamedTuple):
    """A plot as it is shown. image: a data URI."""

    name: str
    title: str
    caption: str
    image: str


def write(results: Results, out: Path) -> None:
    """Write out/report.html and out/plots/. Raises Unavailable without matplotlib, BadInput where a log is broken."""
    drawn = plots.write(results, out)
    (out / NAME).write_text(page(results, drawn, out), encoding="utf-8")


def page(results: Results, drawn: Sequence[Plot], out: Path) -> str:
    """The whole page; images are read from `out`."""
    tests = [test for test in results.compared if test.better + test.worse]
    overlay = out / overlays.NAME
    return pages.render(
        "evaluation/report/report.html.jinja",
        results=results,
        results_file=FILE,
        headline=headline(results),
        lead=_lead(results),
        tiles=list(_tiles(results)),
        groups=list(_groups(results)),
        basis=summary.basis(results),
        dash=NONE,
        missing_figures=_missing_figures(results),
        labels={column.figure: summary.label(column, results) for column in summary.columns()},
        claimed=[summary.label(column, results) for column in CLAIMED[:2]],
        probes=list(_probes(results)),
        deployment=list(_deployment(results)),
        deadline=results.recipe.get("deadline", Recipe().deadline),
        probability=summary.probability,
        reward_tests=[test for test in tests if test.system == REWARD],
        further_tests=[test for test in tests if test.system != REWARD],
        plots={
            section: [_figure(plot, out) for plot in drawn if plot.section == section] for section in plots.SECTIONS
        },
        without_log=plots.missing(results, out),
        without_robustness=_without_robustness(results),
        overlays=pages.data_uri(overlay.read_bytes(), "png") if overlay.is_file() else "",
        overlays_caption=overlays.CAPTION,
        why_no_overlays=_why_no_overlays(results),
        systems=_everyone(results),
        figures_by_metric=_figures_by_metric(results),
        absent=sorted({f"{arm.system}: {name}: {why}" for arm in results.arms for name, why in arm.absent.items()}),
    )


# ---------------------------------------------------------------------------------------------------------- in short


def headline(results: Results) -> str:
    """What perceptual reward does to the pairs: a difference is reported where McNemar's test and all seeds agree on it."""
    test, gain = _test(results, REWARD), summary.gain(results)
    if not test or not gain:
        return "What every system reached"
    if test.p >= SIGNIFICANT or (test.better > test.worse) != (gain.mean > 0):
        return "Perceptual reward makes no clear difference to what is seen"
    if gain.bounded and gain.low <= 0 <= gain.high:
        return "Perceptual reward makes no difference to what is seen that all seeds agree on"
    seeds = "" if gain.bounded else ", under one seed"
    return f"Perceptual reward sees {'more' if gain.mean > 0 else 'less'} than a standard VLM{seeds}"


def _lead(results: Results) -> Lead | None:
    """None where either system did not take part."""
    reward, standard = (summary.estimate(results, name, PAIR.figure) for name in (REWARD, BASE))
    test, gain = _test(results, REWARD), summary.gain(results)
    return Lead(reward.mean, standard.mean, gain, test.p) if reward and standard and test and gain else None


def _test(results: Results, system: str) -> Comparison | None:
    """McNemar's test of the pairs against the standard system."""
    return summary.against(results, system, PAIR.figure)


def _tiles(results: Results) -> Iterator[Tile]:
    for figure, text in (
        (summary.FLOPS, "the standard VLM's training FLOPs (claimed: 1.20x)"),
        (summary.LATENCY, "the standard VLM's latency (claimed: 0.86x)"),
    ):
        ratio = summary.relative(results, REWARD, figure)
        if ratio is not None:
            yield Tile(summary.times(ratio), text)
    controls = summary.controls(results)
    pairs = [(pair.mean, name) for name in controls if (pair := summary.estimate(results, name, PAIR.figure))]
    if pairs:
        share, name = max(pairs)
        yield Tile(f"{share:.1f} %", f"of the pairs are won by the best control, {name}")
    seeds = summary.seeds(results)
    systems = len(summary.systems(results))
    yield Tile(f"{seeds} seed{'s' * (seeds != 1)}", f"of {systems} systems and {len(controls)} controls")


# ---------------------------------------------------------------------------------------------------------- tables


def _groups(results: Results) -> Iterator[Group]:
    """The table in the form of the published claim, whose two lines stand above ours."""
    claim = [Line(name, "", _claimed_cells(figures)) for name, figures in summary.PUBLISHED.items()]
    yield Group(summary.NOT_OURS[0].upper() + summary.NOT_OURS[1:], claim)
    for title, names in (
        ("Measured here", summary.systems(results)),
        ("Measured here: controls", summary.controls(results)),
    ):
        if names:
            yield Group(title, [Line(name, summary.about(name), _cells(results, name)) for name in names])


def _claimed_cells(figures: Mapping[str, float]) -> list[Cell]:
    shares = [Cell(f"{figures[column.figure]:.1f}") for column in CLAIMED]
    return [*shares, *(Cell(summary.times(figures[name])) for name in (summary.LATENCY, summary.FLOPS)), Cell(NONE)]


def _cells(results: Results, system: str) -> list[Cell]:
    p50, arms = summary.estimate(results, system, summary.LATENCY), of_system(results, system)
    flops = sum(arm.flops for arm in arms) / len(arms)
    test = _test(results, system)
    return [
        *(_estimate(summary.estimate(results, system, column.figure)) for column in CLAIMED),
        Cell(summary.times(summary.relative(results, system, summary.LATENCY)), f"{p50.mean:.1f} ms" if p50 else ""),
        Cell(summary.times(summary.relative(results, system, summary.FLOPS)), f"{flops:.2e}"),
        Cell(f"p {summary.probability(test.p)}", f"+{test.better:,} -{test.worse:,}") if test else Cell(NONE),
    ]


def _estimate(estimate: Estimate | None) -> Cell:
    if estimate is None:
        return Cell(NONE)
    return Cell(f"{estimate.mean:.1f}", f"{estimate.low:.1f} to {estimate.high:.1f}" if estimate.bounded else "")


def _probes(results: Results) -> Iterator[Line]:
    """What a linear map reads from each system's patches, from stage to stage; none where that was not measured."""
    for name in _everyone(results):
        found = [
            [summary.estimate(results, name, f"probes/{stage}/{of}") for stage in probes.STAGES]
            for of in probes.TARGETS
        ]
        if any(map(any, found)):
            ways = (" → ".join(f"{stage.mean:.2f}" if stage else NONE for stage in way) for way in found)
            yield Line(name, "", list(map(Cell, ways)))


def _deployment(results: Results) -> Iterator[Line]:
    """What each system takes and reaches where it is used; none where that was not measured."""
    for name in _everyone(results):
        found = [summary.estimate(results, name, figure) for figure in DEPLOYMENT]
        if any(found):
            texts = (
                f"{estimate.mean:,.{digits}f}" if estimate else NONE
                for estimate, digits in zip(found, DEPLOYMENT.values(), strict=True)
            )
            weather = [summary.estimate(results, name, f"robustness/{kind}/{n}") for kind in WEATHER for n in STRENGTHS]
            known = [estimate.mean for estimate in weather if estimate]
            yield Line(name, "", [*map(Cell, texts), Cell(f"{fmean(known):.1f}" if known else NONE)])


def _missing_figures(results: Results) -> list[str]:
    """Why the table has no figure here and there, a line for each reason."""
    reasons = summary.reasons(results, (*CLAIMED, summary.MILLISECONDS))
    if any(arm.system == BASE for arm in results.arms):
        return reasons
    return [*reasons, "Times the standard system's: it was not in this run"]


def _figures_by_metric(results: Results) -> dict[str, dict[str, list[str]]]:
    """Every figure of results.json: metric → figure → its value for every system."""
    tables: dict[str, dict[str, list[str]]] = {}
    for figure in sorted({figure for arm in results.arms for figure in arm.figures}):
        estimates = [summary.estimate(results, name, figure) for name in _everyone(results)]
        values = [f"{estimate.mean:.2f}" if estimate else NONE for estimate in estimates]
        tables.setdefault(figure.partition("/")[0], {})[figure] = values
    return tables


def _everyone(results: Results) -> list[str]:
    return [*summary.systems(results), *summary.controls(results)]


# ---------------------------------------------------------------------------------------------------------- images


def _figure(plot: Plot, out: Path) -> Figure:
    svg = (out / plots.FOLDER / f"{plot.name}.svg").read_bytes()
    return Figure(plot.name, plot.title, plot.caption, pages.data_uri(svg, "svg+xml"))


def _without_robustness(results: Results) -> list[str]:
    """Each system that has no figures of robustness, and why."""
    names = {arm.system for arm in results.arms if "/".join(ROBUSTNESS) not in arm.figures}
    return sorted(f"{name}: {summary.why(results, name, *ROBUSTNESS)}" for name in names)


def _why_no_overlays(results: Results) -> str:
    missing = {BASE, REWARD} - {arm.system for arm in results.arms}
    return f"{' and '.join(sorted(missing))} did not take part" if missing else f"there is no {overlays.NAME}"
