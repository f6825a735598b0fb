"""Instance mask: what is seen of the things or limbs in question, white on black."""

import numpy as np

from pstgen.core.records import Scene, Target
from pstgen.scenes import pixels


def render(scene: Scene, evidence: tuple[int, ...], /) -> Target | None:
    """(H, W) uint8, 255 where a thing in question is seen; None for an absence."""
    things = [thing for thing in scene.instances if thing.id in evidence and thing.rle]
    if not things:
        return None
    seen = np.any([pixels.mask(thing, scene) for thing in things], axis=0)
    return Target(kind="mask", pixels=pixels.read_only(seen.astype(np.uint8) * 255))
