"""Take a thing out of the picture; the sham takes out a thing of another kind, so that both pictures lack as much."""

from pstgen.core.records import Instance, Scene
from pstgen.pairs.context import PairContext
from pstgen.pairs.edits import Edited, Version, subjects
from pstgen.pairs.image_ops import Chance, Refused, filled, hole
from pstgen.scenes import pixels, vocabulary


def open(context: PairContext, /) -> Edited:  # noqa: A001 (the contract's verb)
    """Begin."""
    return Edited("remove", edit, ("existence", "count"), context)


def edit(scene: Scene, thing: Instance, chance: Chance) -> tuple[Version, Version]:
    """(without it, without another thing). Raises Refused."""
    rest = [other for other in subjects(scene) if other.category != thing.category]
    if not rest:
        raise Refused("nothing else could be taken out instead")
    return without(scene, thing), without(scene, rest[int(chance.integers(len(rest)))])


def without(scene: Scene, thing: Instance) -> Version:
    """The scene less the thing; captions that name its kind are no longer true. Raises Refused."""
    gap = hole(thing, scene)
    captions = tuple(
        caption for caption in scene.captions if not vocabulary.names_any(vocabulary.clues(thing.category), caption)
    )
    things = tuple(other for other in scene.instances if other.id != thing.id)
    return Version(filled(pixels.image(scene), gap), things, captions, pixels.depth(scene, unknown=gap))
