"""Give a thing another colour; the sham gives that colour to something else."""

from dataclasses import replace

import cv2
import numpy as np

from pstgen.core.records import Instance, Scene
from pstgen.pairs.context import PairContext
from pstgen.pairs.edits import Edited, Version, subjects
from pstgen.pairs.image_ops import Chance, Mask, Pixels, Refused
from pstgen.scenes import pixels
from pstgen.scenes.truth import colour

REACHED = 0.6  # of its pixels that must have the new colour's name
SPREAD = 0.35  # of the thing's own variation of hue, that stays
LIFT = 0.5  # of the way, that its lightness goes to the new colour's


def open(context: PairContext, /) -> Edited:  # noqa: A001 (the contract's verb)
    """Begin."""
    return Edited("recolour", edit, ("colour",), context, coloured)


def coloured(scene: Scene) -> list[Instance]:
    """Things whose colour is known and may be asked about."""
    return [
        thing
        for thing in subjects(scene)
        if (scene.complete or thing.category not in colour.not_asked()) and colour.appearance(thing, scene).name.known
    ]


def edit(scene: Scene, thing: Instance, chance: Chance) -> tuple[Version, Version]:
    """(it has another colour, something else has). Raises Refused."""
    old = str(colour.appearance(thing, scene).name.answer)
    new = str(chance.choice([name for name in colour.PLAIN if name != old and name not in colour.NEAR[old]]))
    image, mask = pixels.image(scene), pixels.mask(thing, scene)
    elsewhere = _elsewhere(scene, thing, chance)
    dyed = dye(image, mask, new)
    if colour.share(dyed[mask], new) < REACHED:
        raise Refused("the new colour is not reached")
    after = tuple(_named(other, new) if other.id == thing.id else other for other in scene.instances)
    sham = tuple(
        _named(other, new) if (pixels.mask(other, scene) & elsewhere).any() else other for other in scene.instances
    )
    captions = tuple(caption for caption in scene.captions if not colour.is_mentioned(caption))
    return (
        Version(dyed, after, captions, pixels.depth(scene)),
        Version(dye(image, elsewhere, new), sham, captions, pixels.depth(scene)),
    )


def _named(thing: Instance, name: str) -> Instance:
    """With the colour that the source would know now, if it knew one."""
    return replace(thing, colour=name if thing.colour else "")


def _elsewhere(scene: Scene, thing: Instance, chance: Chance) -> Mask:
    """Something else that can take the colour, of another kind. Raises Refused."""
    kinds = [other for other in subjects(scene) if other.category != thing.category]
    if not kinds:
        raise Refused("nothing else could take the colour instead")
    return pixels.mask(kinds[int(chance.integers(len(kinds)))], scene)


def dye(image: Pixels, mask: Mask, name: str) -> Pixels:
    """Move hue and lightness inside the feathered mask to those of the colour, in CIELAB; light and shade stay."""
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    goal, inside = colour.focal(name), lab[mask]
    middle = inside.mean(0)
    lift = np.array([LIFT * (goal[0] - middle[0]), 0, 0])
    ab = goal[1:] + SPREAD * (inside[:, 1:] - middle[1:])
    new = lab.copy()
    new[mask] = np.concatenate([inside[:, :1] + lift[:1], ab], axis=1)
    new[..., 0] = new[..., 0].clip(2, 98)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7)[:, :, None] * mask[:, :, None]
    mixed = lab * (1 - soft) + new * soft
    dyed = np.rint(cv2.cvtColor(mixed.astype(np.float32), cv2.COLOR_LAB2RGB).clip(0, 1) * 255)
    return np.where(mask[:, :, None], dyed, image).astype(np.uint8)
