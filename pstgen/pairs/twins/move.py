"""Move a thing along the ground: both twins show it moved, to two places that answer differently."""

import numpy as np

from pstgen.core.records import Instance, Scene
from pstgen.pairs.context import PairContext
from pstgen.pairs.edits import Edited, Version, subjects
from pstgen.pairs.image_ops import Chance, Refused, filled, hole, pasted, relocated, room, shifted, taken
from pstgen.scenes import pixels, vocabulary
from pstgen.scenes.truth import layout

SIDES = ("left", "right")
TRIES = 12


def open(context: PairContext, /) -> Edited:  # noqa: A001 (the contract's verb)
    """Begin.

    Only sides of two things are asked about: the one that moves is now the first, now the second, so its place says nothing.
    """
    return Edited("move", edit, ("relation",), context, beside_another, forms=("horizontal",))


def beside_another(scene: Scene) -> list[Instance]:
    """Things that a question about sides can be asked of: alone of their kind, and another thing is so too."""
    single = layout.alone(scene)
    return [thing for thing in subjects(scene) if single.get(thing.category) is thing and len(single) > 1]


def edit(scene: Scene, thing: Instance, chance: Chance) -> tuple[Version, Version]:
    """(it stands in the left half, in the right half). Raises Refused."""
    gap = hole(thing, scene)
    there = taken((other for other in scene.instances if other.id != thing.id), scene)
    cleared = filled(pixels.image(scene), gap)
    captions = tuple(caption for caption in scene.captions if not vocabulary.names_any(SIDES, caption))
    mask = pixels.mask(thing, scene)
    versions: dict[str, Version] = {}
    for _ in range(TRIES):
        across, _ = room(mask, there, chance, down=0)
        moved = relocated(thing, across, 0, scene)
        side = layout.half(moved, scene, "horizontal").answer
        if side and across and side not in versions:
            patch = np.roll(pixels.image(scene), across, axis=1)
            things = tuple(moved if other.id == thing.id else other for other in scene.instances)
            place = shifted(mask, across, 0)
            depth = pixels.depth(scene, unknown=gap | place)
            versions[side] = Version(pasted(cleared, patch, place), things, captions, depth)
    if len(versions) < len(SIDES):
        raise Refused("no free place on either side")
    return versions["left"], versions["right"]
