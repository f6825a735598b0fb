"""COCO segmentations → run-length bytes, checked first: on malformed input pycocotools crashes, or reads memory it should not."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
from more_itertools import batched
from pycocotools import mask as coco_mask

MAX_OUTSIDE = 2  # a polygon may leave the image by this many times its side; COCO's own do so by a few pixels
LONGEST = (
    2**21
)  # pixels that the polygons of a mask may be long together, each of which costs 100 bytes; runs of a mask
TOGETHER = 16  # masks that are merged at once
FIGURES = 4  # characters of a compressed run, on average at most


class Runs(msgspec.Struct, gc=False):
    """COCO's run-length code. size: [height, width]. counts: lengths of runs, column by column, as numbers or compressed."""

    size: list[int]
    counts: list[int] | str


class Ring(msgspec.Struct, gc=False):
    """A polygon as kwcoco writes it: points around it, and around its holes."""

    exterior: list[tuple[float, float]]
    interiors: list[list[tuple[float, float]]] = []


def encode(segmentation: bytes, width: int, height: int) -> bytes:
    """The JSON of a segmentation (polygons or runs) → compressed run-length bytes of a mask of height x width.

    Raises ValueError with the reason where it is malformed, or far longer than such an image needs; neither reaches
    pycocotools.
    """
    try:
        parsed = _parse(segmentation)
    except msgspec.DecodeError as error:
        raise ValueError(f"is neither polygons nor run-length code ({error})") from None
    coded = _from_runs(parsed, width, height) if isinstance(parsed, Runs) else _from_polygons(parsed, width, height)
    counts: bytes = coded["counts"]
    return counts


def _parse(segmentation: bytes) -> list[list[float]] | Runs:
    """As COCO has it; of other tools one polygon as a flat list, numbers as text, and kwcoco's rings where none has a hole."""
    try:
        return msgspec.json.decode(segmentation, type=list[list[float]] | Runs)
    except msgspec.ValidationError:
        if segmentation.lstrip().startswith(b"{"):
            raise
    try:
        return [msgspec.json.decode(segmentation, type=list[float], strict=False)]
    except msgspec.ValidationError:
        pass
    try:
        rings = msgspec.json.decode(segmentation, type=list[Ring])
    except msgspec.ValidationError:
        return msgspec.json.decode(segmentation, type=list[list[float]], strict=False)
    if any(ring.interiors for ring in rings):
        raise ValueError("has a polygon with a hole; give its run-length code")
    return [[number for point in ring.exterior for number in point] for ring in rings]


def _from_polygons(polygons: list[list[float]], width: int, height: int) -> Any:
    if not polygons:
        raise ValueError("has no polygon")
    for polygon in polygons:
        if len(polygon) % 2 or len(polygon) < 6:
            raise ValueError(f"has a polygon with {len(polygon)} numbers; a polygon needs pairs, at least three")
        for number, side in ((n, width if k % 2 == 0 else height) for k, n in enumerate(polygon)):
            if not is_near(number, side):
                raise ValueError(f"has a polygon with {number}, far outside the {width}x{height} image")
    most = min(LONGEST, (1 + 2 * MAX_OUTSIDE) ** 2 * width * height)
    if sum(map(_length, polygons)) > most:
        raise ValueError(f"has polygons that are longer than {most:,} pixels, in a {width}x{height} image")
    coded = coco_mask.frPyObjects(polygons, height, width)
    while len(coded) > 1:  # a few at a time: each merge goes through all that was merged before
        coded = [coco_mask.merge(list(few)) for few in batched(coded, TOGETHER)]
    return coded[0]


def is_near(number: float, side: int) -> bool:
    """Is a coordinate in the image, or not further from it than a thing that leaves it may be?

    >>> is_near(-5, 100), is_near(1e308, 100)
    (True, False)
    """
    return math.isfinite(number) and -MAX_OUTSIDE * side <= number <= (1 + MAX_OUTSIDE) * side


def are_near(numbers: Sequence[float], side: int) -> bool:
    """Are all of some coordinates?

    >>> are_near([], 100), are_near([3, 99], 100), are_near([3, math.nan], 100)
    (True, True, False)
    """
    if not numbers:
        return True
    return math.isfinite(sum(numbers)) and is_near(min(numbers), side) and is_near(max(numbers), side)


def _length(polygon: Sequence[float]) -> float:
    """Pixels that its outline passes, at least one for each point.

    >>> _length([0, 0, 10, 0, 10, 5])
    28
    """
    points = list(zip(polygon[0::2], polygon[1::2], strict=True))
    around = pairwise([*points, points[0]])
    return sum(1 + max(abs(c - a), abs(d - b)) for (a, b), (c, d) in around)


def _from_runs(runs: Runs, width: int, height: int) -> Any:
    if runs.size != [height, width]:
        raise ValueError(f"has run-length code of size {runs.size[:3]}; the image is [{height}, {width}]")
    most = min(LONGEST, height * width + 1)  # every pixel another, after one that is empty
    if len(runs.counts) > most * (FIGURES if isinstance(runs.counts, str) else 1):
        raise ValueError(f"has run-length code of more than {most:,} runs, for an image of {height * width:,} pixels")
    counts = decompress(runs.counts) if isinstance(runs.counts, str) else runs.counts
    if any(count < 0 for count in counts) or sum(counts) != height * width:
        raise ValueError(f"has run-length code of {sum(counts)} pixels; the image has {height * width}")
    return coco_mask.frPyObjects({"size": runs.size, "counts": counts}, height, width)


def decompress(counts: str) -> list[int]:
    """Read COCO's compressed counts: five bits a character from '0', least significant first; from the fourth run on, the difference from the run two before.

    Raises ValueError where the code is malformed. Source: the format of cocoapi's maskApi.

    >>> decompress(coco_mask.frPyObjects({"size": [2, 5], "counts": [3, 4, 3]}, 2, 5)["counts"].decode())
    [3, 4, 3]
    """
    runs: list[int] = []
    value = shift = 0
    for character in counts:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 30:
            raise ValueError("has a run-length code with invalid characters")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    if shift:
        raise ValueError("has a run-length code that ends halfway")
    return runs
