"""The picture in a mirror, never where there is text; its twin is the picture itself, written in the same way."""

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from pstgen.core.records import Instance, Keypoint, Region, Scene
from pstgen.pairs.context import PairContext
from pstgen.pairs.edits import Edited, Version
from pstgen.pairs.image_ops import Chance, Refused, encoded
from pstgen.scenes import pixels, vocabulary

LETTERED = frozenset(
    {"stop sign", "parking meter", "clock", "book", "tv", "laptop", "keyboard", "cell phone", "remote", "microwave"}
    | {"bus", "truck", "train", "airplane", "car", "boat", "motorcycle"}
)
TOLD = ("left", "right", "sign", "signs", "text", "letters", "words", "writing", "says", "reads", "word", "reading")


def open(context: PairContext, /) -> Edited:  # noqa: A001 (the contract's verb)
    """Begin."""
    families = ("relation", "pose", "visibility")
    return Edited("mirror", edit, families, context, _any, photographs=True, keeps_known=True)


def _any(scene: Scene) -> list[Instance]:
    """Whatever is there: all of it turns."""
    return list(scene.instances[:1])


def edit(scene: Scene, thing: Instance, chance: Chance) -> tuple[Version, Version]:  # noqa: ARG001 (all of it turns)
    """(as it is, mirrored). Raises Refused where anything may bear letters."""
    bears = any(thing.text or (not scene.complete and thing.category in LETTERED) for thing in scene.instances)
    if bears or vocabulary.speak_of(TOLD, scene):
        raise Refused("there may be text")
    image, depth = pixels.image(scene), pixels.depth(scene)
    turned = tuple(mirrored(thing, scene) for thing in scene.instances)
    return (
        Version(image, scene.instances, scene.captions, depth),
        Version(image[:, ::-1].copy(), turned, scene.captions, None if depth is None else depth[:, ::-1].copy()),
    )


def mirrored(thing: Instance, scene: Scene) -> Instance:
    """The thing as a mirror shows it; a person's left hand is then seen as a right one."""
    box = thing.region
    return replace(
        thing,
        rle=encoded(pixels.mask(thing, scene)[:, ::-1]) if thing.rle else b"",
        full_rle=encoded(pixels.mask(thing, scene, full=True)[:, ::-1]) if thing.full_rle else b"",
        region=Region(x=scene.width - box.right, y=box.y, width=box.width, height=box.height),
        keypoints=tuple(_swapped(thing.keypoints, scene.width)),
    )


def _swapped(joints: tuple[Keypoint, ...], width: int) -> Iterable[Keypoint]:
    """In their old order, under each name what stood under its opposite."""
    at = {joint.name: joint for joint in joints}
    for joint in joints:
        side, _, part = joint.name.partition("_")
        other = at[{"left": "right_", "right": "left_"}.get(side, f"{side}_") + part] if part else joint
        yield msgspec.structs.replace(other, name=joint.name, x=width - 1 - other.x if other.visibility else other.x)
