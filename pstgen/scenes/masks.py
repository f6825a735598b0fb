"""COCO segmentations → run-length bytes, checked first: on malformed input pycocotools crashes, or reads memory it should not."""

import math
from typing import Any

import msgspec
from pycocotools import mask as coco_mask

MAX_OUTSIDE = 2  # a polygon may leave the image by this many times its side; COCO's own do so by a few pixels


class Runs(msgspec.Struct, gc=False):
    """COCO's run-length code. size: [height, width]. counts: lengths of runs, column by column, as numbers or compressed."""

    size: list[int]
    counts: list[int] | str


def encode(segmentation: bytes, width: int, height: int) -> bytes:
    """The JSON of a segmentation (polygons or runs) → compressed run-length bytes of a mask of height x width.

    Raises ValueError with the reason where it is malformed; nothing malformed reaches pycocotools.
    """
    try:
        parsed = _parse(segmentation)
    except msgspec.DecodeError as error:
        raise ValueError(f"is neither polygons nor run-length code ({error})") from None
    coded = _from_runs(parsed, width, height) if isinstance(parsed, Runs) else _from_polygons(parsed, width, height)
    counts: bytes = coded["counts"]
    return counts


def _parse(segmentation: bytes) -> list[list[float]] | Runs:
    """As COCO has it; of other tools one polygon as a flat list, and numbers as text."""
    try:
        return msgspec.json.decode(segmentation, type=list[list[float]] | Runs)
    except msgspec.ValidationError:
        if segmentation.lstrip().startswith(b"{"):
            raise
    try:
        return [msgspec.json.decode(segmentation, type=list[float], strict=False)]
    except msgspec.ValidationError:
        return msgspec.json.decode(segmentation, type=list[list[float]], strict=False)


def _from_polygons(polygons: list[list[float]], width: int, height: int) -> Any:
    if not polygons:
        raise ValueError("has no polygon")
    for polygon in polygons:
        if len(polygon) % 2 or len(polygon) < 6:
            raise ValueError(f"has a polygon with {len(polygon)} numbers; a polygon needs pairs, at least three")
        for number, side in ((n, width if k % 2 == 0 else height) for k, n in enumerate(polygon)):
            if not math.isfinite(number) or not -MAX_OUTSIDE * side <= number <= (1 + MAX_OUTSIDE) * side:
                raise ValueError(f"has a polygon with {number}, far outside the {width}x{height} image")
    return coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))


def _from_runs(runs: Runs, width: int, height: int) -> Any:
    if runs.size != [height, width]:
        raise ValueError(f"has run-length code of size {runs.size}; the image is [{height}, {width}]")
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
