"""What lies behind everything: sky or wall, ground, and some decoration that belongs to no category."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.scenes.world.palette import RGB, shade
from pstgen.scenes.world.plan import INDOORS, Plan

HORIZON = {"street": 0.46, "meadow": 0.44, "beach": 0.42, "kitchen": 0.52, "room": 0.54}
ABOVE: dict[str, tuple[tuple[RGB, RGB], ...]] = {  # top and bottom of sky or wall
    "street": (((140, 186, 226), (216, 230, 240)), ((176, 186, 206), (230, 226, 220))),
    "meadow": (((116, 176, 232), (214, 234, 246)), ((246, 206, 160), (252, 236, 214))),
    "beach": (((104, 178, 234), (206, 236, 250)), ((250, 196, 170), (252, 232, 206))),
    "kitchen": (((232, 222, 202), (240, 232, 216)), ((206, 222, 222), (220, 232, 230))),
    "room": (
        ((214, 204, 216), (226, 218, 226)),
        ((220, 208, 186), (232, 222, 204)),
        ((188, 206, 196), (204, 218, 210)),
    ),
}
BELOW: dict[str, tuple[tuple[RGB, RGB], ...]] = {  # far and near ground
    "street": (((150, 150, 154), (122, 122, 128)),),
    "meadow": (((150, 192, 112), (106, 158, 78)), ((176, 192, 116), (136, 160, 78))),
    "beach": (((238, 222, 178), (222, 198, 146)),),
    "kitchen": (((204, 188, 164), (184, 164, 138)), ((196, 200, 204), (172, 178, 184))),
    "room": (((188, 150, 112), (160, 122, 86)), ((176, 168, 160), (150, 142, 136))),
}


def draw(plan: Plan, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(size, size, 3) uint8 RGB."""
    canvas = np.empty((size, size, 3), np.uint8)
    line = int(HORIZON[plan.place] * size)
    above, below = ABOVE[plan.place], BELOW[plan.place]
    canvas[:line] = _fade(*above[rng.integers(len(above))], line)
    canvas[line:] = _fade(*below[rng.integers(len(below))], size - line)
    if plan.place in INDOORS:
        _room(canvas, line, plan.place, rng)
    else:
        _outdoors(canvas, line, plan.place, rng)
    return canvas


def _fade(top: RGB, bottom: RGB, rows: int) -> NDArray[np.uint8]:
    return np.linspace(top, bottom, rows).astype(np.uint8)[:, None]


def _outdoors(canvas: NDArray[np.uint8], line: int, place: str, rng: np.random.Generator) -> None:
    size = len(canvas)
    for _ in range(int(rng.integers(1, 4))):
        _cloud(canvas, rng.uniform(0, size), rng.uniform(0.05, 0.6) * line, rng.uniform(0.04, 0.09) * size)
    if place == "beach":
        sea = int(0.09 * size)
        canvas[line : line + sea] = _fade((70, 150, 196), (128, 200, 214), sea)
        cv2.line(canvas, (0, line + sea), (size, line + sea), (246, 244, 234), max(1, size // 100), cv2.LINE_AA)
    elif place == "meadow":
        for tint, height in (((132, 172, 130), 0.1), ((112, 160, 96), 0.06)):
            _hills(canvas, line, tint, height * size, rng)
    else:
        _houses(canvas, line, rng)
        _fill(canvas, [(0, line + 0.04 * size), (size, line + 0.04 * size), (size, line), (0, line)], (186, 182, 174))
        for x in range(-1, 4):
            y = line + 0.3 * size
            left = (x + 0.4) * size / 3
            _fill(
                canvas,
                [
                    (left, y),
                    (left + 0.14 * size, y),
                    (left + 0.13 * size, y + 0.025 * size),
                    (left - 0.02 * size, y + 0.025 * size),
                ],
                (226, 222, 200),
            )


def _cloud(canvas: NDArray[np.uint8], x: float, y: float, r: float) -> None:
    for dx, dy, k in ((-1.1, 0.25, 0.7), (0, 0, 1.0), (1.1, 0.2, 0.75), (0.4, 0.35, 0.9)):
        centre = (int((x + dx * r) * 16), int((y + dy * r) * 16))
        cv2.ellipse(canvas, centre, (int(k * r * 20), int(k * r * 10)), 0, 0, 360, (250, 250, 250), -1, cv2.LINE_AA, 4)


def _hills(canvas: NDArray[np.uint8], line: int, tint: RGB, height: float, rng: np.random.Generator) -> None:
    size = len(canvas)
    x = np.linspace(0, size, 24)
    waves = np.sum([np.sin(x / size * k * np.pi + rng.uniform(0, 6)) / k for k in (2, 3, 5)], axis=0)
    y = line - height * (0.55 + 0.35 * waves)
    _fill(canvas, [*zip(x.tolist(), y.tolist(), strict=True), (size, line), (0, line)], tint)


def _houses(canvas: NDArray[np.uint8], line: int, rng: np.random.Generator) -> None:
    size, x = len(canvas), 0.0
    tints = ((206, 186, 170), (186, 196, 208), (214, 204, 178), (190, 178, 186))
    while x < size:
        width, height = rng.uniform(0.14, 0.26) * size, rng.uniform(0.12, 0.34) * size
        tint = tints[rng.integers(len(tints))]
        _fill(canvas, [(x, line), (x + width, line), (x + width, line - height), (x, line - height)], tint)
        for row in np.arange(line - height + 0.03 * size, line - 0.05 * size, 0.07 * size):
            for column in np.arange(x + 0.025 * size, x + width - 0.04 * size, 0.06 * size):
                _fill(
                    canvas,
                    [
                        (column, row),
                        (column + 0.03 * size, row),
                        (column + 0.03 * size, row + 0.04 * size),
                        (column, row + 0.04 * size),
                    ],
                    shade(tint, 0.84),
                )
        x += width


def _room(canvas: NDArray[np.uint8], line: int, place: str, rng: np.random.Generator) -> None:
    size = len(canvas)
    x, width = rng.uniform(0.08, 0.62) * size, rng.uniform(0.22, 0.3) * size
    top, bottom = 0.07 * size, 0.32 * size
    frame: RGB = (250, 248, 244)
    _fill(canvas, [(x, top), (x + width, top), (x + width, bottom), (x, bottom)], frame)
    edge = 0.014 * size
    for left, right in ((x + edge, x + width / 2 - edge / 2), (x + width / 2 + edge / 2, x + width - edge)):
        _fill(
            canvas,
            [(left, top + edge), (right, top + edge), (right, bottom - edge), (left, bottom - edge)],
            (184, 216, 236),
        )
        _fill(
            canvas,
            [(left, bottom - edge), (right, bottom - edge), (right, bottom - 5 * edge), (left, bottom - 3 * edge)],
            (166, 200, 150),
        )
    if place == "kitchen":
        for y in range(int(0.36 * size), line, max(4, size // 16)):
            cv2.line(canvas, (0, y), (size, y), (226, 220, 208), 1)
    red, green, blue = canvas[line, 0].tolist()
    tint = (red, green, blue)
    _fill(
        canvas,
        [(0, line - 0.015 * size), (size, line - 0.015 * size), (size, line + 0.008 * size), (0, line + 0.008 * size)],
        shade(tint, 1.4),
    )
    for k in range(-6, 7):
        start, end = (int(size / 2 + k * 0.09 * size), line + 2), (int(size / 2 + k * 0.32 * size), size)
        cv2.line(canvas, start, end, shade(tint, 0.93), 1, cv2.LINE_AA)


def _fill(canvas: NDArray[np.uint8], points: list[tuple[float, float]], colour: RGB) -> None:
    cv2.fillPoly(canvas, [np.rint(np.array(points) * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)
