"""Names written into a plot, at the ends of lines and at points, so that none covers another."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

LEADER = "#c9ced6"  # the colour of the thin line from a name to what it names
FONT_SIZE, LINE_HEIGHT, DOT = 8, 10.5, 4  # points
DIRECTIONS = [(np.cos(angle), np.sin(angle)) for angle in np.linspace(0, 2 * np.pi, 16, endpoint=False)]
BESIDE = [(5.0, 7.0), (-5.0, 7.0), (5.0, -7.0), (-5.0, -7.0)]  # points, from a dot to its name
OFFSETS = BESIDE + [
    (away * x, away * y) for away in (18, 28, 38, 50, 64, 80) for x, y in DIRECTIONS
]  # tried in this order

Place = tuple[float, float]  # in the units of the plot's data


def label_line_ends(axes: "Axes", ends: Mapping[str, Place], colours: Mapping[str, str]) -> None:
    """Write each line's name to the right of its end, moved up or down until none covers another."""
    figure: Any = axes.figure
    figure.canvas.draw()
    to_axes = axes.transAxes.inverted()
    heights = {name: float(to_axes.transform(axes.transData.transform(end))[1]) for name, end in ends.items()}
    order = sorted(heights, key=lambda name: heights[name])
    gap = LINE_HEIGHT / (72 * axes.get_window_extent().height / figure.dpi)
    for name, height in zip(order, spread([heights[name] for name in order], gap), strict=True):
        axes.annotate(
            name, ends[name], (1.05, height), textcoords="axes fraction", va="center", fontsize=FONT_SIZE,
            color=colours[name],
            arrowprops={"arrowstyle": "-", "color": LEADER, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 1, "relpos": (0, 0.5)},
        )  # fmt: skip


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Places for these, in rising order and at least `gap` apart; neighbours that are moved stay centred where they were.

    >>> [round(place, 2) for place in spread([0.5, 0.5, 0.9], 0.1)]
    [0.45, 0.55, 0.9]
    """
    groups: list[list[float]] = []
    for place in wanted:
        groups.append([place])
        while len(groups) > 1 and _lowest(groups[-1], gap) < _lowest(groups[-2], gap) + gap * len(groups[-2]):
            groups[-2:] = [groups[-2] + groups[-1]]
    return [_lowest(group, gap) + gap * n for group in groups for n in range(len(group))]


def _lowest(group: Sequence[float], gap: float) -> float:
    """The lowest place of a group whose members are spread about its middle."""
    return sum(group) / len(group) - gap * (len(group) - 1) / 2


def label_points(
    axes: "Axes", points: Mapping[str, Place], labels: Mapping[str, str], colours: Mapping[str, str]
) -> None:
    """Write each point's label where it covers least: beside it, or else farther off with a thin line to it."""
    axes.figure.canvas.draw()
    axes.autoscale(enable=False)
    dots = np.array([axes.transData.transform(place) for place in points.values()])
    taken = list["Bbox"]()
    for name, place in points.items():
        text = _write(axes, labels[name], place, colours[name])
        boxes = {offset: _moved(text, offset) for offset in OFFSETS}
        best = min(OFFSETS, key=lambda offset: _covered(axes, boxes[offset], dots, taken))  # of equals the nearest
        _moved(text, best)
        taken.append(boxes[best])
        if best not in BESIDE:
            axes.plot(*_leader(axes, place, boxes[best]), color=LEADER, linewidth=0.8, zorder=1)


def _write(axes: "Axes", label: str, place: Place, colour: str) -> "Annotation":
    from matplotlib.patheffects import withStroke

    text = axes.annotate(label, place, (0, 0), textcoords="offset points", va="center", fontsize=FONT_SIZE)
    text.set(color=colour, path_effects=[withStroke(linewidth=2.5, foreground="white")])
    return text


def _covered(axes: "Axes", box: "Bbox", dots: np.ndarray, taken: Sequence["Bbox"]) -> int:
    """How many labels and dots a label there would cover; many where it would leave the plot."""
    figure: Any = axes.figure
    frame, dot = axes.get_window_extent(), DOT * figure.dpi / 72
    covered = int(((dots > np.array(box.p0) - dot) & (dots < np.array(box.p1) + dot)).all(1).sum())
    inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
    return sum(box.overlaps(other) for other in taken) + covered + 9 * (not inside)


def _moved(text: "Annotation", offset: tuple[float, float]) -> "Bbox":
    """Move a label and return where its letters then are; an annotation's own extent would include what it points at."""
    from matplotlib.text import Text

    figure: Any = text.figure
    text.set_position(offset)
    text.set_horizontalalignment("left" if offset[0] > 1 else "right" if offset[0] < -1 else "center")
    text.update_positions(figure.canvas.get_renderer())
    return Text.get_window_extent(text)


def _leader(axes: "Axes", place: Place, box: "Bbox") -> Iterator[tuple[float, float]]:
    """The line from a point to the nearest edge of its label: both ends' x, then both ends' y."""
    x, y = axes.transData.transform(place)
    end = axes.transData.inverted().transform((np.clip(x, box.x0, box.x1), np.clip(y, box.y0, box.y1)))
    return zip(place, map(float, end), strict=True)
