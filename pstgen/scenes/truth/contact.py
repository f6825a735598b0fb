"""What touches, hides or covers what: three-valued, from masks."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Instance, Scene, Truth, unknown
from pstgen.scenes import pixels, vocabulary
from pstgen.scenes.truth import layout

REACH = 0.01  # of the image's longer side: masks that are nearer touch
NEIGHBOURS = 1.5  # pixels: so do masks with neighbouring pixels, side by side or across a corner
GAP = 0.05  # of the longer side: masks that are farther apart do not touch
INSIDE = 0.02  # of it: a point this far inside a mask lies on the thing; on photographs, whose outlines are rough, twice as far
MIN_STEP = 0.955  # what OpenCV counts for a step to the next pixel, a little less than one
DEEPER = 0.3  # metres by which the thing behind is farther away


def touching(a: Instance, b: Instance, scene: Scene) -> Truth:
    """Do the two touch or overlap in the image? Unknown between REACH and GAP, and without masks."""
    if not (a.rle and b.rle):
        return unknown("without a mask")
    side = max(scene.width, scene.height)
    reach = max(REACH * side, NEIGHBOURS)
    near = _view(a.region.x, a.region.y, a.region.right, a.region.bottom, max(GAP * side, reach))
    nearest = float(_distance(~pixels.mask(a, scene)[near])[pixels.mask(b, scene)[near]].min(initial=np.inf))
    if reach < nearest < GAP * side:
        return unknown("close, but hardly touching")
    return Truth("yes" if nearest <= reach else "no")


def in_front(a: Instance, b: Instance, scene: Scene) -> Truth:
    """Does `a` hide a part of `b`? Known where whole masks and depths are known, and the whole masks overlap."""
    if not (a.full_rle and b.full_rle) or a.depth is None or b.depth is None:
        return unknown("what is hidden is not known")
    whole_a, whole_b = (pixels.mask(thing, scene, full=True) for thing in (a, b))
    common = whole_a & whole_b
    if common.sum() < layout.TINY_AREA / 2 * scene.width * scene.height:
        return unknown("they do not overlap")
    if abs(a.depth - b.depth) < DEEPER:
        return unknown("about equally far")
    return Truth("yes" if a.depth < b.depth else "no")


class Reached(NamedTuple):
    """Categories by how a point lies to their masks, each set within the next.

    inside: well inside one. over: on one, on a crowd, or in the box of what has no mask. near: on one, or nearer than GAP.
    """

    inside: frozenset[str]
    over: frozenset[str]
    near: frozenset[str]


def thing_at(x: float, y: float, scene: Scene) -> str | None:
    """The category of the thing on which a point lies, in shares of width and height; None where that is not plain.

    One mask contains it well inside and none of another category contains it; on photographs the outline must also hold
    nothing else (see `vocabulary.Terms.hollow`). A mark there shows that thing, and so nothing that is elsewhere.
    """
    inside, over, _ = _reached(x, y, scene)
    if len(over) != 1 or inside != over:
        return None
    (category,) = inside
    return None if vocabulary.terms(category).hollow and not scene.complete else category


def hit_test(x: float, y: float, scene: Scene) -> Callable[[str], Truth]:
    """Test a point, in shares of width and height: the result answers, of a category, whether the point lies on one.

    Yes where the point is well inside one of its masks; no where none of its instances is near.
    """
    inside, _, near = _reached(x, y, scene)

    def lies_on(category: str) -> Truth:
        if not scene.complete and vocabulary.rivalled(category, scene):
            return unknown("a caption names what may be taken for it")
        if category in inside:
            return Truth("yes")
        return unknown("near an edge") if category in near else Truth("no")

    return lies_on


def _reached(x: float, y: float, scene: Scene) -> Reached:
    column, row = int(x * scene.width), int(y * scene.height)
    side = max(scene.width, scene.height)
    deep, reach = (1 if scene.complete else 2) * INSIDE * side, GAP * side
    inside, over, near = set[str](), set[str](), set[str]()
    for thing in scene.instances:
        box = thing.region
        if not (box.x - reach <= column <= box.right + reach and box.y - reach <= row <= box.bottom + reach):
            continue
        mask = pixels.mask(thing, scene)
        if mask[row, column]:
            over.add(thing.category)
            if not thing.crowd and _depth_inside(mask, column, row, deep) >= deep:
                inside.add(thing.category)
        elif not thing.rle:
            near.add(thing.category)
            if box.x <= column < box.right and box.y <= row < box.bottom:
                over.add(thing.category)
        elif _depth_inside(~mask, column, row, reach) < reach:
            near.add(thing.category)
    return Reached(frozenset(inside), frozenset(over), frozenset(near | over))


def _depth_inside(mask: NDArray[np.bool_], column: int, row: int, most: float) -> float:
    """Pixels from the point to the nearest one outside the mask; any number from `most` on where that is farther than `most`."""
    view = _view(column, row, column + 1, row + 1, most)
    return float(_distance(mask[view])[row - view[0].start, column - view[1].start])


def _view(left: float, top: float, right: float, bottom: float, reach: float) -> tuple[slice, slice]:
    """Rows and columns of a box and of all that is nearer to it than `reach`: the rest of the image makes no difference."""
    margin = int(reach / MIN_STEP) + 2
    rows = slice(max(0, int(top) - margin), max(0, int(bottom) + margin))
    return rows, slice(max(0, int(left) - margin), max(0, int(right) + margin))


def _distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """For every pixel of the mask, the distance to the nearest pixel outside it."""
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3), dtype=np.float32)
