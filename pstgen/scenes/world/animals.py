"""Animals, seen from the side, facing right."""

import numpy as np

from pstgen.scenes.world.palette import RGB, shade
from pstgen.scenes.world.pen import Pen

EYE = (24, 22, 24)


def _legs(pen: Pen, xs: tuple[float, ...], top: float, width: float, colour: RGB) -> None:
    """Every second leg is on the far side, and darker."""
    for n, x in enumerate(xs):
        pen.limb((x, top), (x, width / 2), width, shade(colour, 0.75 if n % 2 else 0.92), width * 0.8)


def dog(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """Floppy ears and a raised tail."""
    dark = shade(colour, 0.7)
    _legs(pen, (-0.36, -0.27, 0.26, 0.35), 0.4, 0.1, colour)
    pen.limb((-0.45, 0.6), (-0.68, 0.9), 0.08, colour, 0.05)
    pen.oval(0, 0.5, 0.48, 0.19, colour)
    pen.oval(-0.02, 0.42, 0.38, 0.1, shade(colour, 0.85))
    pen.limb((0.35, 0.58), (0.5, 0.8), 0.2, colour)
    pen.oval(0.55, 0.85, 0.17, 0.15, colour)
    pen.limb((0.6, 0.8), (0.76, 0.78), 0.13, shade(colour, 1.15), 0.1)
    pen.oval(0.82, 0.8, 0.04, 0.035, EYE)
    pen.oval(0.45, 0.8, 0.07, 0.16, dark, 0.25)
    pen.oval(0.6, 0.89, 0.025, 0.028, EYE)


def cat(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """Sits, with pointed ears and a long curled tail."""
    pen.limb((-0.3, 0.08), (-0.58, 0.16), 0.09, colour)
    pen.limb((-0.58, 0.16), (-0.62, 0.42), 0.09, colour, 0.06)
    pen.oval(-0.05, 0.28, 0.33, 0.29, colour)
    pen.oval(0.1, 0.36, 0.21, 0.32, colour)
    pen.oval(0.13, 0.34, 0.1, 0.2, shade(colour, 1.35))
    for x in (0.05, 0.22):
        pen.limb((x, 0.28), (x, 0.04), 0.1, shade(colour, 0.9))
    pen.poly([(0.0, 0.82), (0.02, 1.0), (0.15, 0.88)], shade(colour, 0.85))
    pen.poly([(0.24, 0.88), (0.36, 1.0), (0.38, 0.82)], shade(colour, 0.85))
    pen.oval(0.19, 0.76, 0.22, 0.17, colour)
    for x in (0.12, 0.27):
        pen.oval(x, 0.79, 0.035, 0.04, (120, 190, 90))
        pen.oval(x, 0.79, 0.014, 0.035, EYE)
    pen.oval(0.2, 0.7, 0.03, 0.02, (220, 120, 130))


def horse(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A mane, a long neck, a hanging tail."""
    mane = shade(colour, 0.45)
    _legs(pen, (-0.3, -0.21, 0.2, 0.29), 0.42, 0.085, colour)
    for x in (-0.3, 0.29):
        pen.box(x - 0.045, 0, x + 0.045, 0.05, mane)
    pen.limb((-0.38, 0.6), (-0.5, 0.28), 0.08, mane, 0.04)
    pen.oval(-0.02, 0.54, 0.4, 0.17, colour)
    pen.poly([(0.16, 0.6), (0.36, 0.46), (0.56, 0.82), (0.4, 0.94)], colour)
    pen.poly([(0.12, 0.62), (0.2, 0.66), (0.46, 0.97), (0.36, 0.98)], mane)
    pen.limb((0.48, 0.87), (0.68, 0.7), 0.15, colour, 0.1)
    pen.poly([(0.4, 0.92), (0.42, 1.03), (0.48, 0.93)], colour)
    pen.oval(0.53, 0.87, 0.02, 0.022, EYE)
    pen.oval(0.7, 0.69, 0.05, 0.045, shade(colour, 0.7))


def cow(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """Patches, horns and an udder."""
    patch = shade(colour, 0.4) if sum(colour) > 330 else (236, 234, 228)
    _legs(pen, (-0.42, -0.3, 0.28, 0.4), 0.36, 0.11, colour)
    pen.limb((-0.6, 0.72), (-0.66, 0.35), 0.04, colour, 0.06)
    pen.oval(-0.15, 0.28, 0.12, 0.09, (240, 170, 170))
    pen.box(-0.6, 0.34, 0.5, 0.86, colour, 0.16)
    pen.oval(-0.38, 0.7, 0.14, 0.11, patch)
    pen.oval(0.18, 0.52, 0.13, 0.1, patch)
    pen.limb((0.44, 0.74), (0.62, 0.84), 0.26, colour, 0.24)
    pen.oval(0.76, 0.7, 0.12, 0.1, (238, 180, 172))
    for x in (0.54, 0.72):
        pen.limb((x, 0.95), (x + (0.06 if x > 0.6 else -0.06), 1.05), 0.05, (230, 220, 190), 0.02)
    pen.oval(0.48, 0.9, 0.09, 0.04, shade(colour, 0.7))
    pen.oval(0.68, 0.84, 0.025, 0.03, EYE)


def sheep(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A cloud of wool with a dark face."""
    face = (60, 54, 52) if sum(colour) > 240 else (214, 190, 160)
    _legs(pen, (-0.3, -0.2, 0.2, 0.3), 0.32, 0.09, face)
    for x, y, r in (
        (-0.34, 0.6, 0.22),
        (-0.1, 0.7, 0.25),
        (0.18, 0.68, 0.24),
        (0.36, 0.55, 0.2),
        (-0.2, 0.45, 0.22),
        (0.12, 0.43, 0.23),
    ):
        pen.oval(x, y, r, r * 0.95, shade(colour, 0.94 + 0.06 * (y > 0.6)))
    pen.oval(0.56, 0.68, 0.14, 0.19, face, -0.4)
    pen.oval(0.46, 0.82, 0.16, 0.1, colour)
    pen.oval(0.44, 0.7, 0.09, 0.04, face, 0.5)
    pen.oval(0.6, 0.74, 0.025, 0.028, (250, 250, 250))


def elephant(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A trunk, tusks and a great ear."""
    dark = shade(colour, 0.78)
    _legs(pen, (-0.36, -0.2, 0.14, 0.3), 0.42, 0.17, colour)
    pen.limb((-0.52, 0.66), (-0.6, 0.36), 0.035, dark)
    pen.oval(-0.06, 0.62, 0.5, 0.32, colour)
    pen.oval(0.46, 0.76, 0.24, 0.23, colour)
    pen.limb((0.62, 0.7), (0.78, 0.42), 0.15, colour, 0.11)
    pen.limb((0.78, 0.42), (0.76, 0.14), 0.11, shade(colour, 0.93), 0.07)
    pen.limb((0.6, 0.56), (0.76, 0.5), 0.05, (250, 246, 230), 0.02)
    pen.oval(0.32, 0.72, 0.17, 0.23, dark)
    pen.oval(0.33, 0.72, 0.13, 0.18, shade(colour, 1.1))
    pen.oval(0.56, 0.84, 0.024, 0.024, EYE)


def giraffe(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A neck half its height, and patches."""
    patch = shade(colour, 0.55)
    _legs(pen, (-0.2, -0.14, 0.12, 0.18), 0.36, 0.05, colour)
    pen.limb((-0.26, 0.5), (-0.3, 0.26), 0.025, patch)
    pen.oval(-0.02, 0.45, 0.26, 0.12, colour)
    pen.poly([(0.08, 0.48), (0.24, 0.42), (0.36, 0.9), (0.27, 0.93)], colour)
    pen.limb((0.31, 0.92), (0.45, 0.87), 0.09, colour, 0.06)
    for x, y in (
        (-0.16, 0.48),
        (-0.06, 0.42),
        (0.04, 0.5),
        (0.12, 0.44),
        (0.18, 0.56),
        (0.22, 0.66),
        (0.26, 0.76),
        (0.29, 0.85),
    ):
        pen.oval(x, y, 0.035, 0.03, patch)
    for x in (0.28, 0.32):
        pen.limb((x, 0.95), (x, 1.0), 0.016, patch)
    pen.oval(0.35, 0.93, 0.012, 0.014, EYE)


def bird(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A round body, a wing, a beak, thin legs."""
    for x in (-0.04, 0.1):
        pen.limb((x, 0.3), (x, 0.02), 0.035, (224, 140, 40))
        pen.limb((x - 0.04, 0.02), (x + 0.08, 0.02), 0.03, (224, 140, 40))
    pen.poly([(-0.36, 0.5), (-0.74, 0.36), (-0.7, 0.54), (-0.3, 0.64)], shade(colour, 0.75))
    pen.oval(0, 0.5, 0.4, 0.27, colour, 0.3)
    pen.oval(0.3, 0.78, 0.19, 0.18, colour)
    pen.oval(0.12, 0.42, 0.2, 0.15, shade(colour, 1.4))
    pen.poly([(0.46, 0.84), (0.7, 0.76), (0.46, 0.7)], (240, 160, 40))
    pen.oval(-0.1, 0.53, 0.27, 0.15, shade(colour, 0.7), 0.35)
    pen.oval(0.36, 0.82, 0.03, 0.032, EYE)


def teddy_bear(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """Sits and looks at us: round ears, a light belly and muzzle."""
    light = shade(colour, 1.45)
    for side in (-1, 1):
        pen.oval(side * 0.3, 0.12, 0.17, 0.14, shade(colour, 0.9))
        pen.oval(side * 0.33, 0.12, 0.09, 0.09, light)
        pen.limb((side * 0.2, 0.5), (side * 0.4, 0.34), 0.16, shade(colour, 0.9))
        pen.oval(side * 0.2, 0.93, 0.1, 0.1, shade(colour, 0.9))
        pen.oval(side * 0.2, 0.93, 0.055, 0.055, light)
    pen.oval(0, 0.34, 0.27, 0.3, colour)
    pen.oval(0, 0.32, 0.16, 0.19, light)
    pen.oval(0, 0.77, 0.26, 0.22, colour)
    pen.oval(0, 0.7, 0.12, 0.09, light)
    pen.oval(0, 0.74, 0.04, 0.03, EYE)
    for side in (-1, 1):
        pen.oval(side * 0.1, 0.83, 0.025, 0.03, EYE)
