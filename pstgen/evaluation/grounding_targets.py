"""Where an item's answer is shown: the pixels on which a point is right, and the boxes, from the targets that a set ships."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Instance, Keypoint
from pstgen.dataset import evidence
from pstgen.dataset.rows import Row
from pstgen.scenes.truth import skeleton

ABSENCE = "the whole picture shows the answer (an absence)"
MARKED = "a mark in the picture shows the place already"
CENTRE = 0.5  # of either side, of a box in the middle
NEAR = 0.5  # COCO's object keypoint similarity (OKS), from which a point is at a joint


@dataclass(frozen=True, slots=True)
class Target:
    """What an answer is held against.

    inside: (H, W) bool, where a point is right. boxes: (N, 4) x, y, width, height in pixels of what shows the answer.
    """

    inside: NDArray[np.bool_]
    boxes: NDArray[np.float64]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture, in pixels."""
        return self.inside.shape[1], self.inside.shape[0]

    @property
    def covered(self) -> float:
        """The share of the picture, 0 to 1, on which a point is right: what a random point reaches."""
        return float(self.inside.mean())


def left_out(row: Row) -> str:
    """Why nobody can be asked for the item's place, or ""."""
    if not evidence.things(row):
        return ABSENCE
    return MARKED if row.item.mark else ""


def target(row: Row) -> Target:
    """The target of an item that is not left out.

    A point is right on the mask of what shows the answer, `target_mask`, or in the box of a thing that has no mask. Of a
    question about joints it is right where the object keypoint similarity to one of them is at least NEAR, too, and only
    there where the words name a joint.
    """
    joints = list(_joints(row))
    named = [joint for joint in joints if skeleton.PARTS.get(joint[0].name) in row.item.about]
    inside = np.zeros((row.scene.height, row.scene.width), bool)
    if not named:
        seen = evidence.mask(row)
        inside |= np.zeros_like(inside) if seen is None else seen > 0
        for thing in evidence.things(row):
            if not thing.rle:
                inside[_rows(thing), _columns(thing)] = True
    for joint, reach in named or joints:
        inside |= _disc(joint, reach, inside.shape)
    regions = [thing.region for thing in evidence.things(row)]
    boxes = np.array([(box.x, box.y, box.width, box.height) for box in regions], float).reshape(-1, 4)
    return Target(inside, boxes)


def fixed_boxes(target: Target) -> dict[str, NDArray[np.float64]]:
    """Answers that look at nothing, each (1, 4) x, y, width, height in pixels: the whole image, and a box in its middle."""
    width, height = target.size
    side = (1 - CENTRE) / 2
    return {
        "whole image": np.array([[0.0, 0.0, width, height]]),
        "centre box": np.array([[side * width, side * height, CENTRE * width, CENTRE * height]]),
    }


def _joints(row: Row) -> Iterator[tuple[Keypoint, float]]:
    """The labelled joints in question, and how far from each, in pixels, a point is near it.

    OKS is exp(-d² / (2 s² k²)), s² the area of the person, k twice the joint's sigma (`computeOks` of pycocotools.cocoeval).
    """
    if not skeleton.limbs(row.item.family, row.item.about):
        return
    whole = {thing.id: thing for thing in row.scene.instances}
    for limb in evidence.things(row):
        person = whole[limb.id]
        names = [joint.name for joint in person.keypoints]
        for joint in limb.keypoints:
            if joint.visibility:
                k = 2 * _sigmas()[names.index(joint.name)]
                yield joint, max(1.0, k * math.sqrt(-2 * math.log(NEAR) * person.area))


@cache
def _sigmas() -> tuple[float, ...]:
    """COCO's standard deviations of joints, in their order, by which annotators differ."""
    from pycocotools.cocoeval import Params

    return tuple(Params(iouType="keypoints").kpt_oks_sigmas.tolist())


def _disc(joint: Keypoint, reach: float, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    near: NDArray[np.bool_] = (rows + 0.5 - joint.y) ** 2 + (columns + 0.5 - joint.x) ** 2 <= reach**2
    return near


def _rows(thing: Instance) -> slice:
    return slice(max(0, int(thing.region.y)), math.ceil(thing.region.bottom))


def _columns(thing: Instance) -> slice:
    return slice(max(0, int(thing.region.x)), math.ceil(thing.region.right))
