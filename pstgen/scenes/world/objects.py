"""Food, furniture and small things."""

from itertools import pairwise

import numpy as np

from pstgen.scenes.world.palette import RGB, shade
from pstgen.scenes.world.pen import Pen

WOOD, LEAF = (134, 92, 54), (66, 140, 62)


def banana(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A crescent with dark ends."""
    a = np.linspace(-2.75, -0.35, 12)
    outer = [(float(0.75 * np.cos(t)), float(0.82 + 0.8 * np.sin(t))) for t in a]
    inner = [(float(0.66 * np.cos(t)), float(0.98 + 0.56 * np.sin(t))) for t in a[::-1]]
    pen.poly(outer + inner, colour)
    pen.poly(outer[2:-2] + [(x * 0.96, y + 0.1) for x, y in outer[-3:1:-1]], shade(colour, 0.86))
    pen.limb(outer[-1], (outer[-1][0] + 0.08, outer[-1][1] + 0.2), 0.12, shade(colour, 0.6))
    pen.oval(outer[0][0], outer[0][1] + 0.05, 0.06, 0.06, (70, 52, 30))


def apple(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """Two round halves, a stalk and a leaf."""
    for x in (-0.15, 0.15):
        pen.oval(x, 0.41, 0.34, 0.41, colour)
    pen.oval(0.24, 0.36, 0.2, 0.3, shade(colour, 0.85))
    pen.oval(-0.22, 0.55, 0.09, 0.13, shade(colour, 1.5), 0.4)
    pen.limb((0, 0.76), (0.06, 0.98), 0.07, (92, 62, 36))
    pen.oval(0.2, 0.92, 0.17, 0.07, LEAF, 0.35)


def broccoli(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A crown of florets on a thick light stem."""
    stem = (164, 200, 122)
    pen.poly([(-0.13, 0), (0.13, 0), (0.2, 0.5), (-0.2, 0.5)], stem)
    pen.limb((0, 0.25), (-0.3, 0.52), 0.12, stem)
    pen.limb((0, 0.25), (0.3, 0.52), 0.12, shade(stem, 0.9))
    for x, y, r, f in (
        (-0.36, 0.55, 0.2, 0.85),
        (0.36, 0.55, 0.2, 0.8),
        (-0.2, 0.76, 0.22, 1.0),
        (0.2, 0.76, 0.22, 0.92),
        (0, 0.62, 0.24, 1.05),
        (0.0, 0.85, 0.16, 1.1),
    ):
        pen.oval(x, y, r, r * 0.92, shade(colour, f))


def carrot(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A cone that points down to the side, with green leaves."""
    for dx, dy in ((-0.12, 0.3), (0.05, 0.36), (0.2, 0.26)):
        pen.limb((-0.42, 0.66), (-0.5 + dx * 1.4, 0.72 + dy * 0.8), 0.09, LEAF, 0.05)
    pen.poly([(-0.62, 0.56), (-0.34, 0.84), (0.78, 0.06), (0.72, 0.0)], colour)
    pen.oval(-0.48, 0.7, 0.2, 0.18, colour)
    for x, y in ((-0.2, 0.52), (0.1, 0.36), (0.38, 0.24)):
        pen.limb((x - 0.07, y - 0.06), (x + 0.01, y + 0.03), 0.03, shade(colour, 0.75))


def cup(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A mug with a handle."""
    pen.oval(0.42, 0.5, 0.24, 0.27, shade(colour, 0.85))
    pen.oval(0.42, 0.5, 0.13, 0.16, (206, 198, 186))
    pen.poly([(-0.42, 0.94), (0.42, 0.94), (0.36, 0.05), (-0.36, 0.05)], colour)
    pen.oval(0, 0.06, 0.36, 0.06, shade(colour, 0.8))
    pen.poly([(0.2, 0.94), (0.42, 0.94), (0.36, 0.05), (0.18, 0.03)], shade(colour, 0.82))
    pen.oval(0, 0.93, 0.42, 0.09, shade(colour, 0.7))
    pen.oval(0, 0.91, 0.34, 0.06, (92, 58, 36))


def bottle(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A body, a neck, a cap and a label."""
    pen.box(-0.19, 0, 0.19, 0.6, colour, 0.04)
    pen.poly([(-0.19, 0.57), (0.19, 0.57), (0.075, 0.76), (-0.075, 0.76)], colour)
    pen.box(-0.075, 0.74, 0.075, 0.94, colour)
    pen.box(-0.09, 0.92, 0.09, 1.0, (60, 56, 54))
    pen.box(-0.19, 0.2, 0.19, 0.46, (244, 238, 222))
    pen.box(0.1, 0.04, 0.15, 0.56, shade(colour, 1.4))


def bowl(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """Wide open at the top."""
    a = np.linspace(np.pi, 2 * np.pi, 16)
    pen.box(-0.3, 0, 0.3, 0.12, shade(colour, 0.7))
    pen.poly([(float(0.95 * np.cos(t)), float(0.92 + 0.86 * np.sin(t))) for t in a], colour)
    pen.poly(
        [(float(0.95 * np.cos(t)), float(0.92 + 0.86 * np.sin(t))) for t in a[9:]] + [(0.5, 0.92)], shade(colour, 0.85)
    )
    pen.oval(0, 0.9, 0.95, 0.16, shade(colour, 0.62))
    pen.oval(0, 0.87, 0.84, 0.11, shade(colour, 0.8))


def chair(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A back with slats, a seat and four legs."""
    dark = shade(colour, 0.75)
    for x in (-0.22, 0.2):
        pen.limb((x, 0.4), (x + 0.03, 0.03), 0.055, dark)
    pen.box(-0.3, 0.42, -0.23, 1.0, colour)
    pen.box(0.18, 0.42, 0.25, 1.0, colour)
    for y in (0.58, 0.73, 0.88):
        pen.box(-0.27, y, 0.22, y + 0.09, colour)
    pen.poly([(-0.34, 0.38), (0.36, 0.38), (0.27, 0.5), (-0.27, 0.5)], shade(colour, 1.12))
    pen.box(-0.34, 0.33, 0.36, 0.39, dark)
    for x in (-0.31, 0.33):
        pen.limb((x, 0.35), (x, 0.02), 0.06, colour)


def couch(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """Two cushions between two arms."""
    dark = shade(colour, 0.78)
    for x in (-0.95, 0.95):
        pen.box(x - 0.05, 0, x + 0.05, 0.12, (70, 50, 36))
    pen.box(-1.02, 0.3, 1.02, 1.0, shade(colour, 0.9), 0.12)
    pen.box(-1.0, 0.1, 1.0, 0.34, dark)
    for x0, x1 in ((-0.84, -0.02), (0.02, 0.84)):
        pen.box(x0, 0.3, x1, 0.52, shade(colour, 1.12), 0.06)
        pen.box(x0, 0.52, x1, 0.9, colour, 0.07)
    for x in (-1.0, 1.0):
        pen.box(x - 0.16, 0.1, x + 0.16, 0.68, colour, 0.1)


def dining_table(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A wide top on four legs."""
    dark = shade(colour, 0.7)
    for x in (-1.0, 1.0):
        pen.box(x * 0.85 - 0.05, 0.08, x * 0.85 + 0.05, 0.85, shade(colour, 0.6))
        pen.box(x - 0.06, 0, x + 0.06, 0.9, dark)
    pen.box(-1.08, 0.76, 1.08, 0.88, dark)
    pen.poly([(-1.2, 0.86), (1.2, 0.86), (1.02, 1.0), (-1.02, 1.0)], colour)
    pen.box(-1.2, 0.81, 1.2, 0.87, shade(colour, 0.85))


def potted_plant(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """Leaves or blossoms above a clay pot."""
    for n in range(9):
        a = np.pi * (0.08 + 0.84 * n / 8)
        tip = (float(0.4 * np.cos(a)), float(0.5 + 0.44 * np.sin(a)))
        pen.limb((0, 0.34), tip, 0.035, shade(LEAF, 0.8))
        pen.oval(tip[0], tip[1], 0.15, 0.09, shade(colour, 0.88 + 0.06 * (n % 4)), float(a))
    pen.oval(0, 0.6, 0.2, 0.18, colour)
    pen.poly([(-0.23, 0.36), (0.23, 0.36), (0.17, 0.0), (-0.17, 0.0)], (186, 100, 62))
    pen.box(-0.26, 0.32, 0.26, 0.41, (202, 116, 74))


def tv(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A screen in a frame on a stand."""
    pen.box(-0.32, 0, 0.32, 0.05, shade(colour, 0.8))
    pen.box(-0.05, 0.03, 0.05, 0.16, shade(colour, 0.8))
    pen.box(-0.85, 0.14, 0.85, 1.0, colour, 0.03)
    pen.box(-0.76, 0.22, 0.76, 0.93, (28, 36, 52))
    pen.poly([(-0.76, 0.5), (-0.76, 0.93), (-0.2, 0.93)], (52, 68, 98))


def clock(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A round face with twelve marks and two hands; the colour is the face's."""
    ink = (30, 30, 34) if sum(colour) > 300 else (245, 245, 245)
    pen.oval(0, 0.5, 0.5, 0.5, (92, 66, 44))
    pen.oval(0, 0.5, 0.43, 0.43, colour)
    for n in range(12):
        a = n * np.pi / 6
        pen.oval(float(0.35 * np.cos(a)), float(0.5 + 0.35 * np.sin(a)), 0.03, 0.03, ink)
    for length, width in ((0.2, 0.06), (0.3, 0.04)):
        a = float(rng.uniform(0, 2 * np.pi))
        pen.limb((0, 0.5), (float(length * np.cos(a)), float(0.5 + length * np.sin(a))), width, ink)


def umbrella(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """Open, with ribs and a hooked handle."""
    pen.limb((0, 0.06), (0, 0.98), 0.03, (96, 80, 66))
    pen.limb((0, 0.06), (0.1, 0.05), 0.04, (96, 80, 66))
    a = np.linspace(0, np.pi, 17)
    pen.poly([(float(0.56 * np.cos(t)), float(0.56 + 0.4 * np.sin(t))) for t in a], colour)
    for x0, x1, f in ((-0.56, -0.3, 0.8), (-0.1, 0.16, 0.9), (0.36, 0.56, 0.75)):
        pen.poly([(x0, 0.56), (x1, 0.56), (0, 0.96)], shade(colour, f))
    for x in (-0.42, -0.14, 0.14, 0.42):
        pen.oval(x, 0.56, 0.14, 0.04, shade(colour, 0.65))
    pen.limb((0, 0.95), (0, 1.0), 0.025, (96, 80, 66))


def suitcase(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """Upright, with ribs, wheels and a drawn handle."""
    for x in (-0.14, 0.14):
        pen.box(x - 0.02, 0.68, x + 0.02, 0.98, (120, 122, 128))
        pen.oval(x * 1.7, 0.04, 0.05, 0.05, (40, 40, 44))
    pen.box(-0.17, 0.95, 0.17, 1.0, (60, 60, 66), 0.02)
    pen.box(-0.32, 0.06, 0.32, 0.72, colour, 0.06)
    for x in (-0.2, -0.05, 0.1, 0.22):
        pen.box(x, 0.1, x + 0.035, 0.68, shade(colour, 0.78))
    pen.box(-0.1, 0.72, 0.1, 0.76, (50, 50, 56))


def sports_ball(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A basketball's seams."""
    seam = shade(colour, 0.45)
    pen.oval(0, 0.5, 0.5, 0.5, colour)
    pen.oval(-0.14, 0.62, 0.2, 0.2, shade(colour, 1.2))
    pen.limb((-0.49, 0.5), (0.49, 0.5), 0.035, seam)
    pen.limb((0, 0.01), (0, 0.99), 0.035, seam)
    for side in (-1, 1):
        a = np.linspace(-0.9, 0.9, 7)
        arc = [(float(side * (0.62 - 0.4 * np.cos(t))), float(0.5 + 0.46 * np.sin(t))) for t in a]
        for p, q in pairwise(arc):
            pen.limb(p, q, 0.03, seam)


def kite(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A diamond in two shades with a tail of bows."""
    pen.limb((0, 0.3), (-0.1, 0.16), 0.02, (90, 90, 96))
    pen.limb((-0.1, 0.16), (0.06, 0.0), 0.02, (90, 90, 96))
    for x, y in ((-0.06, 0.2), (-0.04, 0.09)):
        pen.poly(
            [(x - 0.07, y + 0.03), (x + 0.07, y - 0.03), (x + 0.07, y + 0.03), (x - 0.07, y - 0.03)], shade(colour, 0.8)
        )
    pen.poly([(0, 1.0), (0.34, 0.68), (0, 0.28), (-0.34, 0.68)], colour)
    pen.poly([(0, 1.0), (0.34, 0.68), (0, 0.68)], shade(colour, 1.25))
    pen.poly([(0, 0.68), (-0.34, 0.68), (0, 0.28)], shade(colour, 0.8))
