"""The report's plots, as SVG and PNG: the same results give the same bytes."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pstgen.core.records import Unavailable
from pstgen.evaluation import summary
from pstgen.evaluation.report import curves, label_placement
from pstgen.evaluation.results import Results
from pstgen.evaluation.summary import BASE, LANGUAGE, PAIR, PERPLEXITY, REWARD, Column, Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOLDER = "plots"
SMALL = 3.2  # inches
ROBUST, CLEAN, DISTURBED = "robustness", "clean", re.compile(r"robustness/(.+)/([\d.]+)")
STARTS = {"fgsm": "seen", "pgd": "seen"}  # what an attack begins with: the picture as the model's processor makes it
TITLES = {"jpeg": "JPEG", "fgsm": "FGSM, one step up the gradient", "pgd": "PGD, five steps"}
AXES = dict.fromkeys(STARTS, "most that a pixel changes, of 255")
WIDTH, HEIGHT = 4.6, 3.4  # inches; narrow, so that letters are readable on a phone
INK, QUIET, LINE = "#1a1c20", "#5d636d", "#dfe2e7"
BLUE, RED, GREY, PALE = "#0072b2", "#d55e00", "#6f7680", "#a3a9b3"  # Okabe and Ito's, which nobody confuses
LOOK: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "savefig.facecolor": "white",
    "svg.hashsalt": "pstgen",  # or ids are drawn anew each time
    "svg.fonttype": "path",
}


@dataclass(frozen=True, slots=True)
class Plot:
    """One picture. name: of its files; says: what it shows, in a sentence or two; height, width: inches."""

    name: str
    title: str
    says: str
    draw: Callable[["Axes"], None]
    height: float = HEIGHT
    width: float = WIDTH


def write(results: Results, out: Path) -> list[Plot]:
    """Draw out/plots/*.svg and *.png. Raises Unavailable without matplotlib."""
    plots = list(drawn(results, out))
    (out / FOLDER).mkdir(parents=True, exist_ok=True)
    for plot in plots:
        for kind, code in render(plot).items():
            (out / FOLDER / f"{plot.name}.{kind}").write_bytes(code)
    return plots


def render(plot: Plot) -> dict[str, bytes]:
    """One plot as "svg" and as "png"."""
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise Unavailable(f"the report's plots need matplotlib: pip install 'pstgen[train]' ({error})") from error
    with mpl.rc_context(LOOK):
        figure = Figure(figsize=(plot.width, plot.height), dpi=200, layout="constrained")
        FigureCanvasAgg(figure)
        plot.draw(figure.subplots())
        return {kind: encoded(figure, kind) for kind in ("svg", "png")}


def encoded(figure: "Figure", kind: str) -> bytes:
    """A figure as "svg" or "png", without what matplotlib would write into it: a date and its own version."""
    nothing: dict[str, dict[str, Any]] = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
    code = io.BytesIO()
    figure.savefig(code, format=kind, metadata=nothing[kind])
    return code.getvalue()


def colour(system: str) -> str:
    """Blue is the standard system, orange perceptual reward, under any lambda; controls are paler than the others."""
    name = system.partition("@")[0]
    return {BASE: BLUE, REWARD: RED}.get(name, PALE if summary.is_control(name) else GREY)


def ink(system: str) -> str:
    """The colour of its name, which must be dark enough to be read."""
    return GREY if colour(system) == PALE else colour(system)


def drawn(results: Results, out: Path) -> Iterator[Plot]:
    """Every plot that there are figures for."""
    yield _pairs(results)
    yield from _losses(results, out)
    yield from _trade_offs(results)
    yield from _robustness(results)


# ---------------------------------------------------------------------------------------------------- pairs, by system


def _pairs(results: Results) -> Plot:
    names = [*summary.systems(results), *summary.controls(results)]
    known = [(name, one) for name in names if (one := summary.estimate(results, name, PAIR.figure))]

    def draw(axes: "Axes") -> None:
        for n, (name, one) in enumerate(known):
            axes.hlines(n, one.low, one.high, color=colour(name), linewidth=2.5)
            axes.plot(one.mean, n, "o", color=colour(name), markersize=5.5, clip_on=False, zorder=3)
            axes.annotate(f"{one.mean:.1f}", (one.high, n), (6, 0), textcoords="offset points", va="center")
        axes.set_yticks(range(len(known)), [name for name, _ in known])
        for label, (name, _) in zip(axes.get_yticklabels(), known, strict=True):
            label.set_color(INK if colour(name) in {BLUE, RED} else QUIET)
        if 0 < len(summary.controls(results)) < len(known):
            axes.axhline(len(summary.systems(results)) - 0.5, color=QUIET, linewidth=0.8, linestyle=(0, (2, 3)))
        axes.set_ylim(len(known) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.margins(x=0.12)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("PST pairs won, %")

    says = "Pairs of the stress test all of whose twins are answered rightly, with 95 % intervals; controls below the line."
    return Plot("pairs", "Who sees", says, draw, 0.9 + 0.27 * len(known))


# ---------------------------------------------------------------------------------------------------------- losses


def _losses(results: Results, out: Path) -> Iterator[Plot]:
    """Both losses, and the reward's parts; of what has a log."""
    joint = {name: told for name in _trained(results) if (told := curves.joint(out, name))}
    smooth = "Mean over seeds, smoothed over a twentieth of the steps"
    words = {name: curve for name, told in joint.items() if (curve := curves.smoothed(told, ("words",)))}
    if words:
        says = f"{smooth}. A chain of thought has longer answers, of which more is easy."
        yield Plot("loss-words", "Language loss, stage 2", says, _curves(words, "nats a token"), 3.8)
    seen = {name: curve for name, told in joint.items() if (curve := curves.smoothed(told, curves.REWARDED))}
    if seen:
        says = f"Contrast, dense heads and names together, times lambda. {smooth}; controls have spoilt targets."
        yield Plot("loss-perception", "Perceptual loss, stage 2", says, _curves(seen, "loss, weighed"))
    parts = {part: curve for part in curves.REWARDED if (curve := curves.smoothed(joint.get(REWARD, []), (part,)))}
    if parts:
        says = f"The three parts under perceptual reward, each times its weight. {smooth}."
        yield Plot("loss-parts", "What the reward is made of", says, _curves(parts, "loss, weighed"))
    ratio = {name: curve for name, told in joint.items() if (curve := curves.smoothed(told, ("ratio",)))}
    if ratio:
        says = f"At the encoder's features: the reward's gradient, by the language loss's. {smooth}."
        yield Plot("gradients", "Which loss moves the encoder", says, _curves(ratio, "ratio of norms", log=True))
    first = {name: curve for name, told in curves.encoders(out).items() if (curve := curves.smoothed(told, ("loss",)))}
    if first:
        says = f"What stage 1 is taught differs, and so do the units. {smooth}."
        yield Plot("loss-encoder", "Loss of stage 1", says, _curves(first, "loss"))


def _trained(results: Results) -> list[str]:
    return [name for name in _rear_first(results) if summary.trained(name)]


def missing(results: Results, out: Path) -> list[str]:
    """Systems whose log is not there, so that they have no curves."""
    return sorted(name for name in _trained(results) if not curves.joint(out, name))


def _curves(told: dict[str, curves.Curve], unit: str, *, log: bool = False) -> Callable[["Axes"], None]:
    """Lines with their names at their ends."""
    parts = dict(zip(curves.REWARDED, (RED, BLUE, GREY), strict=True))
    shades = {name: parts.get(name, colour(name)) for name in told}
    inks = {name: parts.get(name, ink(name)) for name in told}

    def draw(axes: "Axes") -> None:
        for name, curve in told.items():
            _line(axes, name, shades[name], curve.steps, curve.values)
        if log:
            _logarithmic(axes)
        else:
            axes.set_ylim(bottom=0)
        axes.set_xlabel("step")
        axes.set_ylabel(unit)
        axes.grid(visible=False, axis="x")
        axes.margins(x=0)
        ends = {name: (curve.steps[-1], curve.values[-1]) for name, curve in told.items()}
        label_placement.ends(axes, ends, inks)

    return draw


def _logarithmic(axes: "Axes") -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _line(axes: "Axes", name: str, shade: str, x: Sequence[float], y: Sequence[float]) -> None:
    dash: Any = (0, (4, 1.5)) if summary.is_control(name) else "solid"
    axes.plot(x, y, color=shade, linewidth=1.8 if shade in {BLUE, RED} else 1, linestyle=dash)


# ---------------------------------------------------------------------------------------------------------- trade-off


def _trade_offs(results: Results) -> Iterator[Plot]:
    """Seeing against language kept."""
    for kept, name, best in ((LANGUAGE, "choice", "right is better"), (PERPLEXITY, "perplexity", "left is better")):
        points = _points(results, kept)
        if len(points) > 1:
            unit = "multiple choice on words alone, %" if kept is LANGUAGE else "perplexity of words alone"
            says = f"PST pairs against language kept ({best}); the line joins systems that differ in lambda alone."
            yield Plot(f"trade-off-{name}", f"Seeing and language: {name}", says, _scatter(points, results, unit), 4.0)


Point = tuple[Estimate, Estimate]


def _points(results: Results, kept: Column) -> dict[str, Point]:
    told: dict[str, Point] = {}
    for name in (*summary.systems(results), *summary.controls(results)):
        one, other = (summary.estimate(results, name, column.figure) for column in (kept, PAIR))
        if one and other:
            told[name] = one, other
    return told


def _scatter(points: dict[str, Point], results: Results, unit: str) -> Callable[["Axes"], None]:
    def draw(axes: "Axes") -> None:
        line = sorted((weight, name) for name in points if (weight := summary.reward(name, results)) is not None)
        path = [(points[name][0].mean, points[name][1].mean) for _, name in line]
        axes.plot(*zip(*path, strict=True), color=RED, linewidth=1, alpha=0.5) if len(path) > 1 else None
        for name, (x, y) in points.items():
            axes.hlines(y.mean, x.low, x.high, color=colour(name), linewidth=1, alpha=0.6)
            axes.vlines(x.mean, y.low, y.high, color=colour(name), linewidth=1, alpha=0.6)
            axes.plot(x.mean, y.mean, "o", color=colour(name), markersize=5.5)
        axes.set_xlabel(unit)
        axes.set_ylabel("PST pairs won, %")
        axes.margins(x=0.15, y=0.12)
        told = {name: f"{'' if '@' in name else f'{name}, '}λ = {weight:g}" for weight, name in line}
        told = told if len(line) > 1 else {}
        at = {name: (x.mean, y.mean) for name, (x, y) in points.items()}
        label_placement.points(axes, at, told, {name: ink(name) for name in at})

    return draw


# ---------------------------------------------------------------------------------------------------------- robustness


def _robustness(results: Results) -> Iterator[Plot]:
    """Pairs won against strength, a small plot each kind of disturbance; names of two lines only, since ten hold little."""
    figures = {figure for arm in results.arms for figure in arm.figures}
    found = sorted(match.groups() for figure in figures if (match := DISTURBED.fullmatch(figure)))
    kinds = {kind for kind, _ in found}
    for kind in sorted(kinds, key=lambda kind: (list(STARTS).index(kind) if kind in STARTS else -1, kind)):
        strengths = sorted((strength for one, strength in found if one == kind), key=float)
        names = [f"{ROBUST}/{STARTS.get(kind, CLEAN)}", *(f"{ROBUST}/{kind}/{strength}" for strength in strengths)]
        told = {name: some for name in _rear_first(results) if (some := _all_of(results, name, names))}
        if told:
            title, axis = TITLES.get(kind, kind.replace("_", " ").capitalize()), AXES.get(kind, "strength")
            says = f"{title}: PST pairs won, by {axis}; grey are the other systems, dashed the controls."
            yield Plot(f"{ROBUST}-{kind}", title, says, _steps(told, ["0", *strengths], axis), 2.7, SMALL)


def _rear_first(results: Results) -> list[str]:
    """In the order in which lines are drawn: the two that matter on top."""
    return [*summary.controls(results), *reversed(summary.systems(results))]


def _all_of(results: Results, system: str, figures: Sequence[str]) -> list[Estimate] | None:
    known = [one for figure in figures if (one := summary.estimate(results, system, figure))]
    return known if len(known) == len(figures) else None


def _steps(told: dict[str, list[Estimate]], strengths: Sequence[str], axis: str) -> Callable[["Axes"], None]:
    def draw(axes: "Axes") -> None:
        places = list(range(len(strengths)))
        for name, some in told.items():
            _line(axes, name, colour(name), places, [one.mean for one in some])
            if colour(name) in {BLUE, RED}:
                low, high = [one.low for one in some], [one.high for one in some]
                axes.fill_between(places, low, high, color=colour(name), alpha=0.13, linewidth=0)
        axes.set_xticks(places, strengths)
        axes.set_ylim(0, 100)
        axes.set_xlabel(axis)
        axes.set_ylabel("PST pairs won, %")
        axes.grid(visible=False, axis="x")
        axes.margins(x=0)
        ends = {name: (places[-1], some[-1].mean) for name, some in told.items() if name in {BASE, REWARD}}
        label_placement.ends(axes, ends, {name: ink(name) for name in ends})

    return draw
