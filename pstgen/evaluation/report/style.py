"""How the report's plots look: colours, and figures that give the same bytes for the same drawing."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pstgen.core.records import Unavailable
from pstgen.evaluation import summary
from pstgen.evaluation.summary import BASE, REWARD

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, QUIET, LINE = "#1a1c20", "#5d636d", "#dfe2e7"
BLUE, RED, GREY, PALE = "#0072b2", "#d55e00", "#6f7680", "#a3a9b3"  # Okabe and Ito's, which nobody confuses
STYLE: Any = {
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
    "svg.hashsalt": "pstgen",  # or ids differ each time
    "svg.fonttype": "path",
}


@contextmanager
def styled_figure(size: tuple[float, float], dpi: int, **style: Any) -> Iterator["Figure"]:
    """A figure to draw into and to encode while the context lasts. size: inches; style: changes to STYLE.

    Raises Unavailable without matplotlib.
    """
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise Unavailable(f"the report's plots need matplotlib: pip install 'pstgen[train]' ({error})") from error
    with mpl.rc_context(STYLE | style):
        figure = Figure(figsize=size, dpi=dpi)
        FigureCanvasAgg(figure)
        yield figure


def encoded(figure: "Figure", kind: str) -> bytes:
    """A figure as "svg" or "png", without what matplotlib would write into it: a date and its own version."""
    metadata: dict[str, dict[str, Any]] = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
    file = io.BytesIO()
    figure.savefig(file, format=kind, metadata=metadata[kind])
    return file.getvalue()


def colour(system: str) -> str:
    """Blue is the standard system, orange perceptual reward, under any lambda; controls are paler than the others."""
    name = system.partition("@")[0]
    return {BASE: BLUE, REWARD: RED}.get(name, PALE if summary.is_control(name) else GREY)


def text_colour(system: str) -> str:
    """The colour of its name, which must be dark enough to be read."""
    return GREY if colour(system) == PALE else colour(system)
