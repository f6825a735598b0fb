"""Take a thing out of the picture; the sham paints over as much of the background."""

from pstgen.editing import Chance, Edited, Version, filled, hole, room, shifted, taken
from pstgen.pairing import Studio
from pstgen.records import Instance, Scene
from pstgen.truth import pixels, words


def open(studio: Studio, /) -> Edited:  # noqa: A001 (the contract's verb)
    """Begin."""
    return Edited("remove", edit, ("existence", "count"), studio)


def edit(scene: Scene, thing: Instance, chance: Chance) -> tuple[Version, Version]:
    """(without it, with it): captions that name it stay away from both. Raises Refused."""
    gap = hole(thing, scene)
    sham = shifted(gap, *room(gap, taken(scene.instances, scene) | gap, chance))
    image = pixels.image(scene)
    named = words.names(thing.category)
    captions = tuple(told for told in scene.captions if not words.names_any(named, told))
    without = tuple(other for other in scene.instances if other.id != thing.id)
    return (
        Version(filled(image, gap), without, captions, pixels.depth(scene, unknown=gap)),
        Version(filled(image, sham), scene.instances, captions, pixels.depth(scene, unknown=sham)),
    )
