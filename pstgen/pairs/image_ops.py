"""Operations on images and masks that edits are made of: holes, moves, painting over, pasting, and whether it would be seen."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from pstgen.core.records import Instance, Keypoint, Region, Scene
from pstgen.scenes import pixels

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Chance = np.random.Generator

PLACES = 60  # tries to find room for a shape
BESIDE = 0.2  # of it, where neighbours are, so that it cannot be painted over
RIM = 0.012  # of the image's longer side, that is painted over around a mask
FEATHER = 0.8  # pixels, standard deviation of a soft edge
SEAM = 2.0  # times as steep as the surroundings: an edge is seen
SMEAR = 0.5  # times as rough as the surroundings: a surface looks smeared


class Refused(Exception):
    """An edit that cannot be made, or that would be seen; the message is the reason."""


def hole(thing: Instance, scene: Scene) -> Mask:
    """Its mask and, around and under it, its rim and its shadow, as far as no neighbour is there."""
    mask = pixels.mask(thing, scene)
    rim = max(2, round(RIM * max(scene.width, scene.height)))
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((2 * rim + 1, 2 * rim + 1), np.uint8))
    box = thing.region
    foot, reach = int(box.bottom), max(rim, round(0.08 * box.height))
    rows = slice(max(0, foot - reach), foot + reach)
    columns = slice(max(0, int(box.x - 0.1 * box.width) - rim), int(box.right + 0.1 * box.width) + rim)
    grown[rows, columns] = 1
    near = [other for other in scene.instances if other.id != thing.id and not _holds(other, thing)]
    beside = np.logical_and(grown, taken(near, scene))
    if (beside & mask).any() or beside.sum() > BESIDE * grown.sum():
        raise Refused("another thing would be touched")
    return np.logical_and(grown, ~beside)


def _holds(other: Instance, thing: Instance) -> bool:
    """Is the other large, and all around the thing, as a table is around a cup? It may be painted on."""
    a, b = other.region, thing.region
    around = a.x <= b.x and a.y <= b.y + b.height / 2 and a.right >= b.right and a.bottom >= b.bottom
    return around and not other.crowd and other.area > 3 * thing.area


def taken(things: Iterable[Instance], scene: Scene) -> Mask:
    """(H, W) bool: where any of them is; of what has no mask, its box."""
    there = np.zeros((scene.height, scene.width), bool)
    for thing in things:
        box = thing.region
        if thing.rle:
            there |= pixels.mask(thing, scene)
        else:
            there[max(0, int(box.y)) : int(box.bottom) + 1, max(0, int(box.x)) : int(box.right) + 1] = True
    return there


def shifted(shape: Mask, across: int, down: int) -> Mask:
    """The shape moved by whole pixels; what leaves the image is gone."""
    moved = np.zeros_like(shape)
    height, width = shape.shape
    rows, columns = np.nonzero(shape)
    rows, columns = rows + down, columns + across
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    moved[rows[inside], columns[inside]] = True
    return moved


def room(shape: Mask, taken: Mask, chance: Chance, *, down: int | None = None) -> tuple[int, int]:
    """(across, down) by which the shape lies wholly inside the image and on nothing. Raises Refused.

    down: only along that row.
    """
    rows, columns = np.nonzero(shape)
    height, width = shape.shape
    free = -rows.min(), height - 1 - rows.max(), -columns.min(), width - 1 - columns.max()
    for _ in range(PLACES):
        dy = int(chance.integers(free[0], free[1] + 1)) if down is None else down
        dx = int(chance.integers(free[2], free[3] + 1))
        if not taken[rows + dy, columns + dx].any():
            return dx, dy
    raise Refused("no free place of that shape")


def encoded(mask: Mask) -> bytes:
    """A mask as run-length bytes."""
    code: bytes = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
    return code


def relocated(thing: Instance, across: int, down: int, scene: Scene) -> Instance:
    """The thing with mask, box and keypoints elsewhere in the scene."""
    mask = shifted(pixels.mask(thing, scene), across, down)
    box = thing.region
    return replace(
        thing,
        rle=encoded(mask),
        full_rle=encoded(mask) if thing.full_rle else b"",
        region=Region(x=box.x + across, y=box.y + down, width=box.width, height=box.height),
        keypoints=tuple(moved(thing.keypoints, across, down)),
    )


def moved(joints: Iterable[Keypoint], across: int, down: int) -> Iterator[Keypoint]:
    """The joints elsewhere; those that are not labelled are nowhere."""
    for joint in joints:
        yield msgspec.structs.replace(joint, x=joint.x + across, y=joint.y + down) if joint.visibility else joint


def next_id(scene: Scene) -> int:
    """An id that no instance of the scene has."""
    taken = {thing.id for thing in scene.instances}
    return next(n for n in count(1) if n not in taken)


def filled(image: Pixels, gap: Mask) -> Pixels:
    """Paint a hole over from its edge inwards (OpenCV, Telea 2004), with the grain of what is around. Raises Refused."""
    rows, columns = np.nonzero(gap)
    pad = 4 + int(0.25 * max(np.ptp(rows), np.ptp(columns)))
    height, width = gap.shape
    view = (
        slice(max(0, rows.min() - pad), min(height, rows.max() + pad + 1)),
        slice(max(0, columns.min() - pad), min(width, columns.max() + pad + 1)),
    )
    part, gap = image[view], gap[view]
    if gap.all():
        raise Refused("nothing around it to paint with")
    painted = cv2.inpaint(part[:, :, ::-1].copy(), gap.astype(np.uint8), 3, cv2.INPAINT_TELEA)[:, :, ::-1].astype(
        np.float32
    )
    around = _ring(gap, 0, 8) & ~gap
    fine = part[around] - cv2.GaussianBlur(part, (0, 0), 1.5).astype(np.float32)[around]
    grain = 1.5 * np.median(np.abs(fine), axis=0) if around.any() else np.zeros(3)  # robust: edges are no grain
    painted[gap] += np.random.default_rng(int(gap.sum())).normal(0, 1, (int(gap.sum()), 3)) * grain
    done = image.copy()
    done[view] = np.where(gap[:, :, None], painted.clip(0, 255), part).astype(np.uint8)
    if reason := seen(done[view], gap):
        raise Refused(reason)
    return done


def pasted(image: Pixels, patch: Pixels, mask: Mask) -> Pixels:
    """Put `patch` over the image where the mask is, with a soft edge; all of one size."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), FEATHER)[:, :, None]
    soft = np.where(mask[:, :, None], np.maximum(soft, 0.5), soft * 0.5)
    return np.asarray(np.rint(image * (1 - soft) + patch * soft), dtype=np.uint8)


def seen(image: Pixels, painted: Mask) -> str:
    """Why a painted hole would be noticed, or "": a steep rim, or a surface much smoother than what is around."""
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY).astype(np.float32)
    steep = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    rough = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    rim, around = _ring(painted, 1, 1), _ring(painted, 3, 10) & ~painted
    inside = cv2.erode(painted.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    if not around.any() or not inside.any():
        return "nothing around it to compare with"
    if np.mean(steep[rim]) > SEAM * np.mean(steep[around]) + 2:
        return "the border of the edit is visible"
    if np.mean(rough[inside]) < SMEAR * np.mean(rough[around]):
        return "the edit is smeared"
    return ""


def _ring(shape: Mask, inner: int, outer: int) -> Mask:
    """Pixels about the border of a shape: from `inner` inside (or outside, where it grows) to `outer` outside."""
    kernel = np.ones((3, 3), np.uint8)
    wide = cv2.dilate(shape.astype(np.uint8), kernel, iterations=outer)
    near = cv2.erode(shape.astype(np.uint8), kernel, iterations=inner)
    return np.asarray(wide > near, dtype=bool)
