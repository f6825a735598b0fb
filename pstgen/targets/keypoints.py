"""Keypoint heat map: a bump at every labelled joint of the people in question, half as high where it is hidden."""

import numpy as np

from pstgen.records import Instance, Scene, Target
from pstgen.truth import pixels

SIGMA = 0.02  # of the square root of the person's box, at least one pixel


def render(scene: Scene, evidence: tuple[int, ...], /) -> Target | None:
    """(H, W) uint8: 255 at a seen joint (v=2), 128 at a hidden one (v=1), falling off as a Gaussian."""
    people = [thing for thing in scene.instances if thing.id in evidence and thing.keypoints]
    if not people:
        return None
    heat = np.max([_heat(person, scene) for person in people], axis=0)
    return Target(kind="keypoints", pixels=pixels.frozen(np.rint(heat * 255).astype(np.uint8)))


def _heat(person: Instance, scene: Scene) -> np.ndarray:
    """(H, W) float: the highest bump at each pixel; separable, so one outer product a joint."""
    sigma = max(1.0, SIGMA * (person.region.width * person.region.height) ** 0.5)
    heat = np.zeros((scene.height, scene.width))
    for joint in person.keypoints:
        if joint.visibility:
            along_x = np.exp(-((np.arange(scene.width) - joint.x) ** 2) / (2 * sigma**2))
            along_y = np.exp(-((np.arange(scene.height) - joint.y) ** 2) / (2 * sigma**2))
            heat = np.maximum(heat, np.outer(along_y, along_x) * joint.visibility / 2)
    return heat
