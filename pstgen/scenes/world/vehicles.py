"""Vehicles and what stands by the road."""

import numpy as np

from pstgen.scenes.world.palette import RGB, shade
from pstgen.scenes.world.pen import Pen

GLASS, TYRE, METAL = (172, 212, 232), (36, 36, 40), (196, 200, 206)


def _wheels(pen: Pen, xs: tuple[float, ...], r: float) -> None:
    for x in xs:
        pen.oval(x, r, r, r, TYRE)
        pen.oval(x, r, r * 0.5, r * 0.5, METAL)


def car(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A saloon car from the side."""
    pen.poly([(-0.6, 0.55), (-0.36, 1.0), (0.3, 1.0), (0.62, 0.55)], colour)
    pen.poly([(-0.48, 0.57), (-0.31, 0.92), (-0.04, 0.92), (-0.04, 0.57)], GLASS)
    pen.poly([(0.03, 0.57), (0.03, 0.92), (0.26, 0.92), (0.49, 0.57)], GLASS)
    pen.box(-1.08, 0.2, 1.08, 0.6, colour, 0.12)
    pen.box(-1.06, 0.2, 1.06, 0.3, shade(colour, 0.72), 0.04)
    pen.oval(1.0, 0.46, 0.07, 0.06, (255, 240, 180))
    pen.oval(-1.02, 0.46, 0.06, 0.06, (200, 40, 40))
    pen.box(-0.02, 0.24, 0.0, 0.58, shade(colour, 0.7))
    _wheels(pen, (-0.64, 0.64), 0.22)


def bus(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A row of windows and a door."""
    pen.box(-1.12, 0.13, 1.12, 1.0, colour, 0.08)
    pen.box(-1.12, 0.15, 1.12, 0.27, shade(colour, 0.7))
    for n in range(5):
        pen.box(-1.02 + 0.34 * n, 0.56, -0.74 + 0.34 * n, 0.88, GLASS, 0.03)
    pen.box(0.7, 0.2, 0.86, 0.86, shade(GLASS, 0.85))
    pen.box(0.93, 0.5, 1.12, 0.88, GLASS)
    pen.oval(1.06, 0.33, 0.05, 0.05, (255, 240, 180))
    _wheels(pen, (-0.68, 0.46), 0.15)


def truck(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A box behind a cab."""
    pen.box(-1.1, 0.16, 1.02, 0.26, (70, 70, 76))
    pen.box(-1.15, 0.26, 0.42, 1.0, colour, 0.03)
    for x in (-0.75, -0.35, 0.05):
        pen.box(x, 0.3, x + 0.02, 0.96, shade(colour, 0.85))
    pen.poly([(0.47, 0.2), (1.06, 0.2), (1.06, 0.5), (0.9, 0.84), (0.47, 0.84)], shade(colour, 0.85))
    pen.poly([(0.62, 0.5), (0.99, 0.5), (0.86, 0.78), (0.62, 0.78)], GLASS)
    pen.oval(1.02, 0.34, 0.05, 0.05, (255, 240, 180))
    _wheels(pen, (-0.8, -0.46, 0.74), 0.16)


def boat(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A hull, a mast and two sails."""
    sail = (250, 248, 240) if sum(colour) < 600 else (226, 222, 208)
    pen.limb((0.0, 0.2), (0.0, 1.0), 0.035, (120, 84, 52))
    pen.poly([(0.05, 0.34), (0.05, 0.97), (0.52, 0.34)], sail)
    pen.poly([(-0.05, 0.34), (-0.05, 0.9), (-0.4, 0.34)], shade(sail, 0.9))
    pen.poly([(-0.7, 0.3), (0.78, 0.3), (0.5, 0.0), (-0.5, 0.0)], colour)
    pen.poly([(-0.7, 0.3), (0.78, 0.3), (0.72, 0.24), (-0.66, 0.24)], shade(colour, 0.7))


def airplane(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """Seen from the side, wings spread."""
    pen.poly([(-0.95, 0.55), (-1.25, 1.0), (-1.0, 1.0), (-0.65, 0.62)], shade(colour, 0.75))
    pen.poly([(0.1, 0.6), (-0.2, 0.98), (-0.02, 0.98), (0.42, 0.6)], shade(colour, 0.7))
    pen.limb((-1.0, 0.55), (1.0, 0.48), 0.2, colour, 0.26)
    pen.oval(1.05, 0.47, 0.2, 0.12, colour)
    pen.poly([(0.95, 0.5), (1.16, 0.5), (1.08, 0.58), (0.95, 0.6)], GLASS)
    for n in range(6):
        pen.oval(-0.6 + 0.24 * n, 0.56, 0.04, 0.045, shade(GLASS, 0.6))
    pen.poly([(0.2, 0.45), (-0.4, 0.0), (-0.16, 0.0), (0.56, 0.43)], shade(colour, 0.82))


def traffic_light(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """Three lamps on a pole, one of which is lit."""
    pen.box(-0.025, 0, 0.025, 0.56, (84, 86, 90))
    pen.box(-0.07, 0, 0.07, 0.03, (84, 86, 90))
    pen.box(-0.13, 0.52, 0.13, 1.0, colour, 0.03)
    pen.box(-0.1, 0.55, 0.1, 0.97, shade(colour, 0.8), 0.02)
    lit = int(rng.integers(3))
    for n, lamp in enumerate(((230, 40, 40), (250, 190, 40), (50, 210, 90))):
        pen.oval(0, 0.89 - 0.13 * n, 0.058, 0.055, lamp if n == lit else shade(lamp, 0.35))


def fire_hydrant(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A stout body with a cap and two nozzles."""
    dark = shade(colour, 0.75)
    pen.box(-0.26, 0, 0.26, 0.1, dark, 0.02)
    pen.box(-0.19, 0.08, 0.19, 0.72, colour, 0.03)
    pen.box(0.07, 0.1, 0.19, 0.7, dark)
    for side in (-1, 1):
        pen.box(side * 0.36 - 0.05, 0.42, side * 0.36 + 0.05, 0.6, dark, 0.02)
        pen.box(min(0, side * 0.33), 0.45, max(0, side * 0.33), 0.57, colour)
    pen.box(-0.24, 0.66, 0.24, 0.74, dark, 0.02)
    pen.oval(0, 0.76, 0.19, 0.16, colour)
    pen.box(-0.06, 0.88, 0.06, 1.0, dark, 0.02)
    pen.oval(0, 0.5, 0.09, 0.09, shade(colour, 1.3))


def stop_sign(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """An octagon on a pole with a word on it."""
    pen.box(-0.02, 0, 0.02, 0.6, (150, 152, 156))
    for r, paint in ((0.27, (250, 250, 250)), (0.245, colour)):
        corners = [(float(r * np.cos(a)), float(0.73 + r * np.sin(a))) for a in np.pi / 8 + np.arange(8) * np.pi / 4]
        pen.poly(corners, paint)
    pen.write(pen.says, 0, 0.73, 0.13, (250, 250, 250) if sum(colour) < 600 else (40, 40, 40))
