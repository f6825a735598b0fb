"""The report's plots, as SVG and PNG: the same results give the same bytes."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pstgen.evaluation import summary
from pstgen.evaluation.report import curves, label_placement
from pstgen.evaluation.report.curves import Curve
from pstgen.evaluation.report.style import BLUE, GREY, INK, QUIET, RED, colour, encoded, styled_figure, text_colour
from pstgen.evaluation.results import Results
from pstgen.evaluation.summary import BASE, LANGUAGE, PAIR, PERPLEXITY, REWARD, Column, Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = "plots"
SMALL = 3.2  # inches
ROBUSTNESS = "robustness"
CORRUPTION = re.compile(rf"{ROBUSTNESS}/(.+)/([\d.]+)")  # of a figure: the kind of corruption and its strength
UNCORRUPTED = {"fgsm": "seen", "pgd": "seen"}  # an attack begins with the image as the model's processor makes it
TITLES = {"jpeg": "JPEG", "fgsm": "FGSM, one step up the gradient", "pgd": "PGD, five steps"}
STRENGTHS = dict.fromkeys(UNCORRUPTED, "most that a pixel changes, of 255")
WIDTH, HEIGHT = 4.6, 3.4  # inches; narrow, so that letters are readable on a phone
PAIRS_WON = "PST pairs won, %"

Draw = Callable[["Axes"], None]
Section = Literal["main", "headlines", "robustness"]  # of the report
SECTIONS: tuple[Section, ...] = get_args(Section)


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot. name: of its files; caption: what it shows, in a sentence or two; height, width: inches; section: where it is shown."""

    name: str
    title: str
    caption: str
    draw: Draw
    height: float = HEIGHT
    width: float = WIDTH
    section: Section = "main"


def write(results: Results, out: Path) -> list[Plot]:
    """Draw out/plots/*.svg and *.png. Raises Unavailable without matplotlib."""
    plots = list(drawn(results, out))
    (out / FOLDER).mkdir(parents=True, exist_ok=True)
    for plot in plots:
        for kind, image in render(plot).items():
            (out / FOLDER / f"{plot.name}.{kind}").write_bytes(image)
    return plots


def render(plot: Plot) -> dict[str, bytes]:
    """One plot as "svg", which the report shows below its title, and as "png" with the title in it."""
    with styled_figure((plot.width, plot.height), 200) as figure:
        figure.set_layout_engine("constrained")
        plot.draw(figure.subplots())
        vectors = encoded(figure, "svg")
        figure.suptitle(plot.title, x=0.02, ha="left")
        return {"svg": vectors, "png": encoded(figure, "png")}


def drawn(results: Results, out: Path) -> Iterator[Plot]:
    """Every plot that there are figures for."""
    yield from _pairs(results)
    yield from _losses(results, out)
    yield from _trade_offs(results)
    yield from _headlines(results)
    yield from _robustness(results)


# ---------------------------------------------------------------------------------------------------- figures by system


def _pairs(results: Results) -> Iterator[Plot]:
    if estimates := _by_system(results, PAIR):
        caption = "Pairs of the stress test all of whose twins are answered correctly, with 95 % intervals; controls below the line."
        draw = _draw_systems(estimates, PAIR, PAIRS_WON)
        yield Plot("pairs", "Who sees", caption, draw, 0.9 + 0.27 * len(estimates))


def _headlines(results: Results) -> Iterator[Plot]:
    """A small plot for every other figure that tables show, those of metrics from elsewhere included."""
    for column in summary.columns():
        estimates = _by_system(results, column)
        if estimates and column != PAIR:
            headline = column.headline
            better = "higher" if headline.higher_is_better else "lower"
            label = summary.label(column, results)
            unit = f"{label}, {headline.unit}" if headline.unit not in {"", "ms"} else label
            caption = f"{label}, with 95 % intervals where there are any; {better} is better."
            name, title = (
                f"headline-{column.metric}-{headline.name.replace('/', '-')}",
                f"{label[0].upper()}{label[1:]}: {better} is better",
            )
            height = 0.9 + 0.2 * len(estimates)
            yield Plot(name, title, caption, _draw_systems(estimates, column, unit), height, SMALL, "headlines")


def _by_system(results: Results, column: Column) -> dict[str, Estimate]:
    names = [*summary.systems(results), *summary.controls(results)]
    return {name: estimate for name in names if (estimate := summary.estimate(results, name, column.figure))}


def _draw_systems(estimates: dict[str, Estimate], column: Column, unit: str) -> Draw:
    """A line for each system: a dot, its interval and the figure; controls below a dashed line."""
    controls = sum(map(summary.is_control, estimates))

    def draw(axes: "Axes") -> None:
        for n, (name, estimate) in enumerate(estimates.items()):
            axes.hlines(n, estimate.low, estimate.high, color=colour(name), linewidth=2.5)
            axes.plot(estimate.mean, n, "o", color=colour(name), markersize=5.5, clip_on=False, zorder=3)
            text = column.text(estimate.mean)
            axes.annotate(text, (estimate.high, n), (6, 0), textcoords="offset points", va="center")
        axes.set_yticks(range(len(estimates)), list(estimates))
        for label, name in zip(axes.get_yticklabels(), estimates, strict=True):
            label.set_color(INK if colour(name) in {BLUE, RED} else QUIET)
        if 0 < controls < len(estimates):
            axes.axhline(len(estimates) - controls - 0.5, color=QUIET, linewidth=0.8, linestyle=(0, (2, 3)))
        axes.set_ylim(len(estimates) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.margins(x=0.12)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(unit)

    return draw


# ---------------------------------------------------------------------------------------------------------- losses


def _losses(results: Results, out: Path) -> Iterator[Plot]:
    """Both losses, and the parts of the perceptual one: a plot of each that has a log."""
    logs = {name: curves.joint(out, name) for name in _trained(results)}
    parts = {part: curves.smoothed(logs.get(REWARD, []), (part,)) for part in curves.PERCEPTUAL}
    smooth = "Mean over seeds, smoothed over a twentieth of the steps"
    yield from _curves(
        "loss-words", "Language loss, stage 2", "nats per token", _smoothed(logs, "words"),
        f"{smooth}. A chain of thought has longer answers, more of which is easy.", height=3.8,
    )  # fmt: skip
    yield from _curves(
        "loss-perception", "Perceptual loss, stage 2", "loss, weighted", _smoothed(logs, *curves.PERCEPTUAL),
        f"Contrast, dense heads and names together, times lambda. {smooth}; the controls have corrupted targets.",
    )  # fmt: skip
    yield from _curves(
        "loss-parts", "What the reward is made of", "loss, weighted", _known(parts),
        f"The three parts under perceptual reward, each times its weight. {smooth}.",
    )  # fmt: skip
    yield from _curves(
        "gradients", "Which loss moves the encoder", "ratio of norms", _smoothed(logs, "ratio"),
        f"At the encoder's features: the norm of the reward's gradient over that of the language loss. {smooth}.", logarithmic=True,
    )  # fmt: skip
    yield from _curves(
        "loss-encoder", "Loss of stage 1", "loss", _smoothed(curves.encoders(out), "loss"),
        f"What stage 1 is taught differs, and so do the units. {smooth}.",
    )  # fmt: skip


def _trained(results: Results) -> list[str]:
    return [name for name in _back_to_front(results) if summary.has_own_weights(name)]


def missing(results: Results, out: Path) -> list[str]:
    """Systems whose log is not there, so that they have no curves."""
    return sorted(name for name in _trained(results) if not curves.joint(out, name))


def _smoothed(logs: Mapping[str, list[curves.Log]], *parts: str) -> dict[str, Curve]:
    """A line for each of these logs that has the parts, which are added up."""
    return _known({name: curves.smoothed(runs, parts) for name, runs in logs.items()})


def _known(lines: Mapping[str, Curve | None]) -> dict[str, Curve]:
    return {name: curve for name, curve in lines.items() if curve}


def _curves(  # noqa: PLR0913 (what a plot has)
    name: str, title: str, unit: str, lines: dict[str, Curve], caption: str, *,
    height: float = HEIGHT, logarithmic: bool = False,
) -> Iterator[Plot]:  # fmt: skip
    """A plot of these lines with their names at their ends; none where there are none."""
    if lines:
        yield Plot(name, title, caption, _draw_curves(lines, unit, logarithmic=logarithmic), height)


def _draw_curves(lines: dict[str, Curve], unit: str, *, logarithmic: bool) -> Draw:
    parts = dict(zip(curves.PERCEPTUAL, (RED, BLUE, GREY), strict=True))

    def draw(axes: "Axes") -> None:
        for name, curve in lines.items():
            _line(axes, name, parts.get(name, colour(name)), curve.steps, curve.values)
        if logarithmic:
            _scale_logarithmically(axes)
        else:
            axes.set_ylim(bottom=0)
        axes.set_xlabel("step")
        axes.set_ylabel(unit)
        axes.grid(visible=False, axis="x")
        axes.margins(x=0)
        ends = {name: (curve.steps[-1], curve.values[-1]) for name, curve in lines.items()}
        label_placement.label_line_ends(axes, ends, {name: parts.get(name, text_colour(name)) for name in lines})

    return draw


def _scale_logarithmically(axes: "Axes") -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _line(axes: "Axes", name: str, shade: str, x: Sequence[float], y: Sequence[float]) -> None:
    dashes: Any = (0, (4, 1.5)) if summary.is_control(name) else "solid"
    axes.plot(x, y, color=shade, linewidth=1.8 if shade in {BLUE, RED} else 1, linestyle=dashes)


# ---------------------------------------------------------------------------------------------------------- trade-off

Point = tuple[Estimate, Estimate]  # language kept, pairs won


def _trade_offs(results: Results) -> Iterator[Plot]:
    """Seeing against language kept."""
    for column, name, better in ((LANGUAGE, "choice", "right is better"), (PERPLEXITY, "perplexity", "left is better")):
        points = _points(results, column)
        if len(points) > 1:
            unit = "multiple choice on words alone, %" if column is LANGUAGE else "perplexity of words alone"
            caption = f"PST pairs against language kept ({better}); the line joins systems that differ in lambda alone."
            draw = _draw_scatter(points, results, unit)
            yield Plot(f"trade-off-{name}", f"Seeing and language: {name}", caption, draw, 4.0)


def _points(results: Results, language: Column) -> dict[str, Point]:
    points: dict[str, Point] = {}
    for name in (*summary.systems(results), *summary.controls(results)):
        x, y = (summary.estimate(results, name, column.figure) for column in (language, PAIR))
        if x and y:
            points[name] = x, y
    return points


def _draw_scatter(points: dict[str, Point], results: Results, unit: str) -> Draw:
    weights = {name: weight for name in points if (weight := summary.reward_weight(name, results)) is not None}
    by_lambda = sorted(weights, key=lambda name: (weights[name], name))
    means = {name: (x.mean, y.mean) for name, (x, y) in points.items()}

    def draw(axes: "Axes") -> None:
        if len(by_lambda) > 1:
            axes.plot(*zip(*(means[name] for name in by_lambda), strict=True), color=RED, linewidth=1, alpha=0.5)
        for name, (x, y) in points.items():
            axes.hlines(y.mean, x.low, x.high, color=colour(name), linewidth=1, alpha=0.6)
            axes.vlines(x.mean, y.low, y.high, color=colour(name), linewidth=1, alpha=0.6)
            axes.plot(x.mean, y.mean, "o", color=colour(name), markersize=5.5)
        axes.set_xlabel(unit)
        axes.set_ylabel(PAIRS_WON)
        axes.margins(x=0.15, y=0.12)
        labels = {name: name for name in points}
        if len(by_lambda) > 1:
            labels |= {name: _lambda_label(name, weights[name]) for name in by_lambda}
        label_placement.label_points(axes, means, labels, {name: text_colour(name) for name in points})

    return draw


def _lambda_label(system: str, weight: float) -> str:
    """Only lambda where the system's name is another's with that lambda."""
    return f"{'' if '@' in system else f'{system}, '}λ = {weight:g}"


# ---------------------------------------------------------------------------------------------------------- robustness


def _robustness(results: Results) -> Iterator[Plot]:
    """Pairs won against strength, a small plot for each kind of corruption; only two lines are named, since there is little room."""
    strengths: dict[str, list[str]] = {}
    for figure in {figure for arm in results.arms for figure in arm.figures}:
        if match := CORRUPTION.fullmatch(figure):
            strengths.setdefault(match[1], []).append(match[2])
    attacks = list(UNCORRUPTED)
    for kind in sorted(strengths, key=lambda kind: (attacks.index(kind) if kind in attacks else -1, kind)):
        known = sorted(strengths[kind], key=float)
        figures = [UNCORRUPTED.get(kind, "clean"), *(f"{kind}/{strength}" for strength in known)]
        lines = {name: line for name in _back_to_front(results) if (line := _estimates(results, name, figures))}
        if lines:
            title, axis = TITLES.get(kind, kind.replace("_", " ").capitalize()), STRENGTHS.get(kind, "strength")
            caption = f"{title}: PST pairs won, by {axis}; the other systems are grey, the controls dashed."
            draw = _draw_steps(lines, ["0", *known], axis)
            yield Plot(f"{ROBUSTNESS}-{kind}", title, caption, draw, 2.7, SMALL, "robustness")


def _back_to_front(results: Results) -> list[str]:
    """In the order in which lines are drawn: the two that matter on top."""
    return [*summary.controls(results), *reversed(summary.systems(results))]


def _estimates(results: Results, system: str, figures: Sequence[str]) -> list[Estimate] | None:
    """Of these figures of robustness; None where any is missing."""
    estimates = [summary.estimate(results, system, f"{ROBUSTNESS}/{figure}") for figure in figures]
    known = [estimate for estimate in estimates if estimate]
    return known if len(known) == len(figures) else None


def _draw_steps(lines: dict[str, list[Estimate]], strengths: Sequence[str], axis: str) -> Draw:
    def draw(axes: "Axes") -> None:
        places = list(range(len(strengths)))
        for name, estimates in lines.items():
            _line(axes, name, colour(name), places, [estimate.mean for estimate in estimates])
            if colour(name) in {BLUE, RED}:
                low, high = [estimate.low for estimate in estimates], [estimate.high for estimate in estimates]
                axes.fill_between(places, low, high, color=colour(name), alpha=0.13, linewidth=0)
        axes.set_xticks(places, strengths)
        axes.set_ylim(0, 100)
        axes.set_xlabel(axis)
        axes.set_ylabel(PAIRS_WON)
        axes.grid(visible=False, axis="x")
        axes.margins(x=0)
        ends = {name: (places[-1], line[-1].mean) for name, line in lines.items() if name in {BASE, REWARD}}
        label_placement.label_line_ends(axes, ends, {name: text_colour(name) for name in ends})

    return draw
