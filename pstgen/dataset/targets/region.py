"""Evidence region: the boxes that answer the question; the whole image, for an absence."""

import numpy as np

from pstgen.core.records import Region, Scene, Target
from pstgen.scenes import pixels


def regions(scene: Scene, evidence: tuple[int, ...]) -> tuple[Region, ...]:
    """The boxes of the things or limbs in question, or the whole image where there are none."""
    boxes = tuple(thing.region for thing in scene.instances if thing.id in evidence)
    return boxes or (Region(x=0, y=0, width=scene.width, height=scene.height),)


def render(scene: Scene, evidence: tuple[int, ...], /) -> Target | None:
    """(H, W) uint8, 255 inside the boxes; a pixel that a box touches belongs to it."""
    canvas = np.zeros((scene.height, scene.width), np.uint8)
    for box in regions(scene, evidence):
        rows = slice(max(0, int(box.y)), int(np.ceil(box.bottom)))
        columns = slice(max(0, int(box.x)), int(np.ceil(box.right)))
        canvas[rows, columns] = 255
    return Target(kind="region", pixels=pixels.read_only(canvas))
