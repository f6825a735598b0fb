"""Masks that strangers hand in: no longer than their picture needs, so that they cost little."""

import json

import pytest
from pycocotools import mask as coco_mask

from pstgen.scenes import masks

LONG = {
    "points": ([[0, 0, 40, 0] * 2000], "longer than"),
    "polygons": ([[0, 0, 40, 0, 40, 40]] * 2000, "longer than"),
    "runs": ({"size": [48, 48], "counts": [0] * 10_000 + [2304]}, "more than"),
    "compressed runs": ({"size": [48, 48], "counts": "0" * 10_000}, "more than"),
    "a negative size": ({"size": [-5, -5], "counts": [25]}, "of size"),
    "a run of 2^70": ({"size": [48, 48], "counts": [2**70]}, "pixels"),
}


@pytest.mark.parametrize(("code", "reason"), LONG.values(), ids=LONG)
def test_a_mask_that_is_longer_than_its_picture_needs_is_refused(code, reason):
    with pytest.raises(ValueError, match=reason):
        masks.encode(json.dumps(code).encode(), 48, 48)


def test_many_polygons_are_their_union():
    squares = [[x, y, x + 3, y, x + 3, y + 3, x, y + 3] for x in range(0, 40, 5) for y in range(0, 40, 4)]
    union = coco_mask.merge(coco_mask.frPyObjects([list(map(float, square)) for square in squares], 48, 48))
    assert masks.encode(json.dumps(squares).encode(), 48, 48) == union["counts"]


def test_a_picture_whose_every_pixel_differs_from_the_next_is_read():
    counts = [0, *[1] * 2304]
    code = masks.encode(json.dumps({"size": [48, 48], "counts": counts}).encode(), 48, 48)
    assert coco_mask.area({"size": [48, 48], "counts": code}) == 1152
