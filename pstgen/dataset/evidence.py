"""What shows an item's answer, as outlines in pixels of its picture, and in words.

An outline leaves the colours inside it as they are: a tint would change what a question about colours is about.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Instance, Keypoint, Region, Scene
from pstgen.dataset.limbs import focus
from pstgen.dataset.rows import Row
from pstgen.scenes import pixels
from pstgen.scenes.truth import skeleton

Outline = NDArray[np.int32]
AWAY = 0.006  # of the image's longer side: from a thing to its outline
PLACE = re.compile(r" at \(-?\d+(?:, -?\d+)+\)")  # of a thing, a joint or a mark, in a chain


def outlines(row: Row) -> list[Outline]:
    """Around what shows the answer, each (N, 2) int32, x and y in whole pixels; the box of a thing that has no mask.

    They run a little outside, so that a line covers little of what it is about. Holes have outlines of their own. None where
    the whole picture is the evidence (an absence).
    """
    return [*_contours(mask(row)), *(_corners(box) for box in _unmasked(row))]


def mask(row: Row) -> NDArray[np.uint8] | None:
    """(H, W) uint8, 255 where a thing in question is seen; None where no mask of one is known."""
    return next((np.asarray(target.pixels, np.uint8) for target in row.targets if target.kind == "mask"), None)


def path(row: Row) -> str:
    """The outlines as data of an SVG path, in pixels; "" where there are none. Its points are the middles of pixels, less ½."""
    return "".join(map(_drawn, outlines(row)))


def joints(row: Row) -> list[Keypoint]:
    """The labelled joints of the limbs in question; none where the question is not about limbs."""
    if not skeleton.limbs(row.item.family, row.item.about):
        return []
    return [joint for thing in things(row) for joint in thing.keypoints if joint.visibility]


def things(row: Row) -> list[Instance]:
    """The instances that show the answer, of people no more than the limbs in question. None for an absence."""
    return [thing for thing in focus(row.item, row.scene).instances if thing.id in row.item.evidence]


def polygons(thing: Instance, scene: Scene) -> list[Outline]:
    """The outer outlines of its mask, each (N, 2) int32 with three points or more, x and y in whole pixels of its outermost pixels.

    The corners of its box where it has no mask, or one of a single row or column.
    """
    seen = pixels.mask(thing, scene).astype(np.uint8)
    found, _ = cv2.findContours(seen, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    parts = [_simple(each, seen.shape) for each in found]
    return [part for part in parts if len(part) > 2] or [_corners(thing.region)]


def words(row: Row) -> str:
    """The perceptual chain without places, so that it can be read aloud; what is there several times is said once.

    "dog at (1, 2, 30, 40); dog at (60, 2, 30, 40); so yes" is "dog (2 times); so yes".
    """
    parts = [(part, len(list(same))) for part, same in groupby(PLACE.sub("", row.chain).split("; "))]
    return "; ".join(f"{part} ({n} times)" if n > 1 else part for part, n in parts)


def _contours(seen: NDArray[np.uint8] | None) -> Iterator[Outline]:
    if seen is None:
        return
    away = max(1, round(AWAY * max(seen.shape)))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * away + 1, 2 * away + 1))
    near = cv2.dilate((seen > 0).astype(np.uint8), brush)
    found, _ = cv2.findContours(near, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    for contour in found:
        yield _simple(contour, seen.shape)


def _simple(contour: Any, size: tuple[int, ...]) -> Outline:
    """With fewer points, nowhere further off than half a pixel, or 0.15 % of the image's longer side."""
    fewer = cv2.approxPolyDP(contour, max(0.5, 0.0015 * max(size)), closed=True)
    return np.asarray(fewer, np.int32).reshape(-1, 2)


def _unmasked(row: Row) -> Iterator[Region]:
    return (thing.region for thing in things(row) if not thing.rle)


def _corners(box: Region) -> Outline:
    left, top, right, bottom = round(box.x), round(box.y), round(box.right) - 1, round(box.bottom) - 1
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.int32)


def _drawn(outline: Outline) -> str:
    """From its first point by steps, since these are short.

    >>> _drawn(np.array([(3, 4), (9, 4), (9, 2)], np.int32))
    'M3 4l6 0 0 -2z'
    """
    (x, y), steps = outline[0], np.diff(outline, axis=0)
    return f"M{x} {y}" + (f"l{' '.join(f'{dx} {dy}' for dx, dy in steps)}" if len(steps) else "h0") + "z"
