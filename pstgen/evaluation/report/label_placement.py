"""Names written into a plot, at lines and points, so that none covers another."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEADER = "#c9ced6"
ROUND = [(np.cos(turn), np.sin(turn)) for turn in np.linspace(0, 2 * np.pi, 16, endpoint=False)]
OFFSETS = [(5.0, 7.0), (-5.0, 7.0), (5.0, -7.0), (-5.0, -7.0)]  # points, of a name from its dot; tried in this order
OFFSETS += [(away * x, away * y) for away in (18, 28, 38, 50, 64, 80) for x, y in ROUND]

Place = tuple[float, float]  # in the units of the plot's data


def ends(axes: "Axes", at: Mapping[str, Place], shades: Mapping[str, str]) -> None:
    """Write each line's name right of where it ends, moved up or down until none covers another."""
    figure: Any = axes.figure
    figure.canvas.draw()
    into = axes.transAxes.inverted()
    heights = {name: float(into.transform(axes.transData.transform(end))[1]) for name, end in at.items()}
    order = sorted(heights, key=lambda name: heights[name])
    gap = 10.5 / (72 * axes.get_window_extent().height / figure.dpi)
    for name, place in zip(order, spread([heights[name] for name in order], gap), strict=True):
        axes.annotate(
            name, at[name], (1.05, place), textcoords="axes fraction", va="center", fontsize=8,
            color=shades[name],
            arrowprops={"arrowstyle": "-", "color": LEADER, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 1, "relpos": (0, 0.5)},
        )  # fmt: skip


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Places in rising order, at least `gap` apart and each group of neighbours about its own middle.

    >>> [round(place, 2) for place in spread([0.5, 0.5, 0.9], 0.1)]
    [0.45, 0.55, 0.9]
    """
    groups: list[list[float]] = []
    for place in wanted:
        groups.append([place])
        while len(groups) > 1 and _foot(groups[-1], gap) < _foot(groups[-2], gap) + gap * len(groups[-2]):
            groups[-2:] = [groups[-2] + groups[-1]]
    return [_foot(group, gap) + gap * n for group in groups for n in range(len(group))]


def _foot(group: Sequence[float], gap: float) -> float:
    """Where the lowest of a group stands."""
    return sum(group) / len(group) - gap * (len(group) - 1) / 2


def points(axes: "Axes", at: Mapping[str, Place], told: Mapping[str, str], shades: Mapping[str, str]) -> None:
    """Write each point's name where it covers least: beside it, above, below, then farther off with a thin line."""
    from matplotlib.patheffects import withStroke

    figure: Any = axes.figure
    figure.canvas.draw()
    axes.autoscale(enable=False)
    frame, dot = axes.get_window_extent(), 4 * figure.dpi / 72
    centres = np.array([axes.transData.transform(place) for place in at.values()])
    taken = list[Any]()

    for name, place in at.items():
        text = axes.annotate(told.get(name, name), place, (0, 0), textcoords="offset points", va="center", fontsize=8)
        text.set(color=shades[name], path_effects=[withStroke(linewidth=2.5, foreground="white")])

        def covered(offset: tuple[float, float], text: Any = text) -> int:
            box = _moved(text, offset)
            dots = int(((centres > np.array(box.p0) - dot) & (centres < np.array(box.p1) + dot)).all(1).sum())
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            hidden: int = sum(box.overlaps(other) for other in taken)
            return hidden + dots + 9 * (not inside)

        best = min(OFFSETS, key=covered)  # the first of equals, which is the nearest
        taken.append(_moved(text, best))
        if best not in OFFSETS[:4]:
            axes.plot(*_leader(axes, place, taken[-1]), color=LEADER, linewidth=0.8, zorder=1)


def _moved(text: Any, offset: tuple[float, float]) -> Any:
    """Where the letters then stand; an annotation's own extent would hold what it points at too."""
    from matplotlib.text import Text

    text.set_position(offset)
    text.set_horizontalalignment("left" if offset[0] > 1 else "right" if offset[0] < -1 else "center")
    text.update_positions(text.figure.canvas.get_renderer())
    return Text.get_window_extent(text)


def _leader(axes: "Axes", place: Place, box: Any) -> tuple[list[float], list[float]]:
    """From a point to the nearest edge of its name."""
    x, y = axes.transData.transform(place)
    end = axes.transData.inverted().transform((np.clip(x, box.x0, box.x1), np.clip(y, box.y0, box.y1)))
    return [place[0], float(end[0])], [place[1], float(end[1])]
