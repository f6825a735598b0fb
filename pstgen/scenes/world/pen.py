"""A pen that draws a thing in its own units: its height is 1, x = 0 is its middle, y = 0 the floor, and y points up."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pstgen.scenes.world.palette import RGB

Points = list[tuple[float, float]]
TURN = np.linspace(0, 2 * np.pi, 25)[:-1]
CIRCLE = np.stack([np.cos(TURN), np.sin(TURN)], axis=1)


@dataclass
class Pen:
    """Collects polygons in pixels of the image.

    x, y: where the thing stands, in pixels; unit: pixels of its height; flip: mirrored; says: what to write on it; arms: how a person holds them.
    shapes: (polygon (N, 2) float64, colour), in the order of drawing. words: (text, x, y, height in pixels, colour).
    joints: keypoints by name, in pixels, and whether the body itself hides them.
    """

    x: float
    y: float
    unit: float
    flip: bool
    says: str = ""
    arms: tuple[str, str] | None = None
    shapes: list[tuple[NDArray[np.float64], RGB]] = field(default_factory=list)
    words: list[tuple[str, float, float, float, RGB]] = field(default_factory=list)
    joints: dict[str, tuple[float, float, bool]] = field(default_factory=dict)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The point in pixels of the image."""
        return self.x + (-x if self.flip else x) * self.unit, self.y - y * self.unit

    def _put(self, points: NDArray[np.float64], colour: RGB) -> None:
        side = -self.unit if self.flip else self.unit
        self.shapes.append((points * (side, -self.unit) + (self.x, self.y), colour))

    def poly(self, points: Points, colour: RGB) -> None:
        """A polygon."""
        self._put(np.array(points, dtype=np.float64), colour)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: RGB, turn: float = 0.0) -> None:
        """An ellipse, turned by `turn` radians."""
        ring = CIRCLE * (rx, ry)
        if turn:
            cos, sin = np.cos(turn), np.sin(turn)
            ring = ring @ np.array([[cos, sin], [-sin, cos]])
        self._put(ring + (x, y), colour)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: RGB, round_: float = 0.0) -> None:
        """A rectangle, its corners cut by `round_`."""
        r = round_
        if not r:
            self.poly([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)
            return
        q = 0.3 * r
        self.poly(
            [(x0 + r, y0), (x1 - r, y0), (x1 - q, y0 + q), (x1, y0 + r), (x1, y1 - r), (x1 - q, y1 - q)]
            + [(x1 - r, y1), (x0 + r, y1), (x0 + q, y1 - q), (x0, y1 - r), (x0, y0 + r), (x0 + q, y0 + q)],
            colour,
        )

    def limb(self, a: tuple[float, float], b: tuple[float, float], width: float, colour: RGB, end: float = 0.0) -> None:
        """A bar from a to b with round ends; `end` is its width at b, where that differs."""
        (ax, ay), (bx, by) = a, b
        length = max(float(np.hypot(bx - ax, by - ay)), 1e-6)
        nx, ny = -(by - ay) / length, (bx - ax) / length
        w, e = width / 2, (end or width) / 2
        self.poly(
            [
                (ax + nx * w, ay + ny * w),
                (bx + nx * e, by + ny * e),
                (bx - nx * e, by - ny * e),
                (ax - nx * w, ay - ny * w),
            ],
            colour,
        )
        self.oval(ax, ay, w, w, colour)
        self.oval(bx, by, e, e, colour)

    def write(self, text: str, x: float, y: float, height: float, colour: RGB) -> None:
        """Text, if there is any, centred on (x, y) and never mirrored."""
        px, py = self.at(x, y)
        if text:
            self.words.append((text, px, py, height * self.unit, colour))

    def joint(self, name: str, x: float, y: float, *, hidden: bool = False) -> None:
        """Record a keypoint."""
        self.joints[name] = (*self.at(x, y), hidden)
