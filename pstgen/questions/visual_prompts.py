"""What is drawn into pictures: a circle around the point in question, or a label that says the lure."""

from collections.abc import Sequence
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pstgen.core.records import Item, Pair, Scene
from pstgen.questions import families
from pstgen.scenes import pixels, png

RADIUS = 0.035  # of the image's longer side
FIXED = 4  # binary digits after the point, of OpenCV's fixed-point coordinates
LETTERS = 0.055  # of the image's height, of a label's letters; at least LEAST pixels
LEAST = 10
COVERED = 0.02  # of a thing in question, that a label may hide
INK, PAPER = (235, 235, 235), (24, 24, 28)

Pixels = NDArray[np.uint8]


def marked(image: Pixels, mark: tuple[float, float]) -> Pixels:
    """(H, W, 3) uint8 with a ring around (x, y): red between two white lines, seen on any ground."""
    drawn = image.copy()
    size = radius(*image.shape[:2])
    centre = (round(mark[0] * 2**FIXED), round(mark[1] * 2**FIXED))
    width = max(1, round(size / 4))
    for colour, more in (((255, 255, 255), 2), ((220, 20, 30), 0)):
        cv2.circle(drawn, centre, round(size * 2**FIXED), colour, width + more, cv2.LINE_AA, FIXED)
    return drawn


def radius(width: int, height: int) -> float:
    """Of a mark's ring, in pixels of an image of that size."""
    return max(6.0, RADIUS * max(width, height))


def labelled(image: Pixels, text: str, *, top: bool) -> Pixels:
    """(H, W, 3) uint8 with a dark strip along one end that bears the text."""
    strip = _strip(text, image.shape[1], image.shape[0])
    rows = slice(0, len(strip)) if top else slice(len(image) - len(strip), None)
    drawn = image.copy()
    drawn[rows] = strip
    return drawn


def end_for_label(pair: Pair, scenes: Sequence[Scene]) -> bool | None:
    """Top (True) or bottom of all the pair's images, where a label hides nothing in question; None where neither is free.

    scenes: of the pair's items, in their order.
    """
    if families.goes_by_colours(pair.family, pair.control.form) and not scenes[0].complete:
        return None  # a label would change the colours that tell the answer
    draw = sha256(pair.pair_id.encode()).digest()[0] % 2 == 0
    return next((top for top in (draw, not draw) if all(map(_free, pair.items, scenes, [top] * len(scenes)))), None)


def shown(work: Path, image: tuple[Item, str, bool], /) -> str:
    """The file that an item shows: the scene's, or one in `work` with its mark or label. image: item, path, label on top?"""
    item, path, top = image
    return file(path, item, work, top=top) if item.mark or item.label else path


def file(path: str, item: Item, folder: Path, *, top: bool = False) -> str:
    """Write the image with the item's mark or label as a PNG into `folder`, once; returns its path. Raises OSError where it cannot."""
    key = sha256(f"{path}{item.mark}{item.label}{top}".encode()).hexdigest()[:16]
    done = folder / f"{Path(path).stem}-{key}.png"
    if not done.is_file():
        image = pixels.read(path)
        drawn = marked(image, item.mark) if item.mark else image
        drawn = labelled(drawn, item.label, top=top) if item.label else drawn
        png.write(done, drawn)
    return str(done)


def _free(item: Item, scene: Scene, top: bool) -> bool:  # noqa: FBT001 (mapped over twins)
    """Does a label at that end leave free what is asked about, and the mark?"""
    high = _height(item.label, scene.width, scene.height)
    rows = slice(0, high) if top else slice(scene.height - high, scene.height)
    things = [thing for thing in scene.instances if thing.id in item.evidence]
    masks = (pixels.mask(thing, scene) for thing in things)
    ring = 2 * radius(scene.width, scene.height)
    clear = item.mark is None or not rows.start - ring <= item.mark[1] <= rows.stop + ring
    clear = clear and _is_drawable(item.label)
    return clear and high < scene.height / 4 and all(mask[rows].sum() <= COVERED * mask.sum() for mask in masks)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)  # type: ignore[return-value]


@cache
def _is_drawable(text: str) -> bool:
    """Has the font a glyph for every letter? It has the Latin ones."""
    font = _font(LEAST)
    missing = bytes(font.getmask("\U0010fffd"))
    return all(letter.isspace() or bytes(font.getmask(letter)) != missing for letter in set(text))


def _size(height: int) -> int:
    """Of a label's letters, in pixels."""
    return max(LEAST, round(LETTERS * height))


@lru_cache(maxsize=4096)
def _lines(text: str, width: int, size: int) -> tuple[str, ...]:
    """The text in as many lines as it takes."""
    font, lines = _font(size), list[str]()
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width - 6:
            lines[-1] = longer
        else:
            lines.append(word)
    return tuple(lines)


def _height(text: str, width: int, height: int) -> int:
    """Of a strip that bears the text, in pixels."""
    size = _size(height)
    return round(1.25 * size * len(_lines(text, width, size))) + 4


def _strip(text: str, width: int, height: int) -> Pixels:
    """(h, width, 3) uint8: the text in as many lines as it takes."""
    size = _size(height)
    font, lines = _font(size), _lines(text, width, size)
    strip = Image.new("RGB", (width, _height(text, width, height)), PAPER)
    pen = ImageDraw.Draw(strip)
    for n, line in enumerate(lines):
        pen.text(((width - font.getlength(line)) / 2, 1 + 1.25 * size * n), line, INK, font)
    return np.array(strip)
