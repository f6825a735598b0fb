"""What touches, hides or covers what: three-valued, from masks."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Instance, Scene, Truth, unknown
from pstgen.scenes import pixels
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


def hit_test(x: float, y: float, scene: Scene) -> Callable[[str], Truth]:
    """Test a point, in shares of width and height: the result answers, of a category, whether the point lies on one.

    Yes where the point is well inside one of its masks; no where none of its instances is near.
    """
    column, row = int(x * scene.width), int(y * scene.height)
    side = max(scene.width, scene.height)
    deep = (1 if scene.complete else 2) * INSIDE * side
    inside: set[str] = set()
    near: set[str] = set()
    for thing in scene.instances:
        box = thing.region
        reach = GAP * side
        if not (box.x - reach <= column <= box.right + reach and box.y - reach <= row <= box.bottom + reach):
            continue
        mask = pixels.mask(thing, scene)
        if not thing.crowd and thing.rle and mask[row, column]:
            if _depth_inside(mask, column, row, deep) >= deep:
                inside.add(thing.category)
            near.add(thing.category)
        elif not thing.rle or _depth_inside(~mask, column, row, reach) < reach:
            near.add(thing.category)

    def lies_on(category: str) -> Truth:
        if category in inside:
            return Truth("yes")
        return unknown("near an edge") if category in near else Truth("no")

    return lies_on


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
