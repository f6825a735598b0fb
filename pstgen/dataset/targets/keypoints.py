"""Keypoint heat map: a bump at every labelled joint of the people or limbs in question, half as high where it is hidden."""

import numpy as np

from pstgen.core.records import Instance, Scene, Target
from pstgen.scenes import pixels

SIGMA = 0.02  # of the square root of the box, of the person or of the limb in question
LEAST = 0.004  # of the image's longer side, at least; and at least one pixel
FADED = 3.6  # standard deviations: there a bump of 255 is less than one half


def render(scene: Scene, evidence: tuple[int, ...], /) -> Target | None:
    """(H, W) uint8: 255 at a seen joint (v=2), 128 at a hidden one (v=1), falling off as a Gaussian."""
    people = [thing for thing in scene.instances if thing.id in evidence and thing.keypoints]
    if not people:
        return None
    heat = np.max([_heat(person, scene) for person in people], axis=0)
    return Target(kind="keypoints", pixels=pixels.read_only(np.rint(heat * 255).astype(np.uint8)))


def _heat(person: Instance, scene: Scene) -> np.ndarray:
    """(H, W) float: the highest bump at each pixel; separable, so one outer product a joint."""
    least = max(1.0, LEAST * max(scene.width, scene.height))
    sigma = max(least, SIGMA * (person.region.width * person.region.height) ** 0.5)
    heat = np.zeros((scene.height, scene.width))
    for joint in person.keypoints:
        if joint.visibility:
            rows, along_y = _bump(joint.y, sigma, scene.height)
            columns, along_x = _bump(joint.x, sigma, scene.width)
            near = heat[rows, columns]
            np.maximum(near, np.outer(along_y, along_x) * joint.visibility / 2, out=near)
    return heat


def _bump(middle: float, sigma: float, length: int) -> tuple[slice, np.ndarray]:
    """Where along an axis a Gaussian is more than half a step of 255, and its values there."""
    reach = FADED * sigma
    part = slice(max(0, min(length, int(middle - reach))), max(0, min(length, int(middle + reach) + 2)))
    return part, np.exp(-((np.arange(part.start, part.stop) - middle) ** 2) / (2 * sigma**2))
