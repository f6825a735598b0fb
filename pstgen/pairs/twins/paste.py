"""Put a thing of another scene into the picture; the sham puts a thing of another kind there."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pstgen.core.records import Candidate, Fact, Instance, Region, Scene
from pstgen.pairs.context import PairContext
from pstgen.pairs.edits import Edited, Version, subjects
from pstgen.pairs.image_ops import Chance, Mask, Pixels, Refused, encoded, moved, next_id, pasted, taken
from pstgen.scenes import pixels, vocabulary

DONORS = 48  # things of earlier scenes that are kept in mind
LEAST_AREA = 0.01  # of the image, of a donor
LEAST_OF_PHOTOGRAPH = 0.025  # cut out of it, and named by its captions, so that it is known for what it is
PLACES = 40


@dataclass(frozen=True)
class Donor:
    """A thing cut out. image: (h, w, 3) uint8; mask: (h, w) bool; foot: its lowest row, share of the image's height."""

    thing: Instance
    scene_id: str
    image: Pixels
    mask: Mask
    foot: float


class Paste(Edited):
    """Remembers things of the scenes that pass and puts them into later ones."""

    def __init__(self, context: PairContext) -> None:
        things = ("existence", "count"), context, lambda scene: list(scene.instances[:1])
        super().__init__("paste", self._edit, *things)
        self.donors: deque[Donor] = deque(maxlen=DONORS)

    def look(self, scene: Scene, facts: Sequence[Fact], /) -> list[Any]:
        """The scene, where it suits: what is put into it comes from scenes before, so that it is edited in their order."""
        return [scene] if self.fits(scene, facts) else []

    def take(self, found: list[Any], /) -> Iterator[Candidate]:
        """As every edit; afterwards the scene's things are donors."""
        for scene in found:
            yield from super().take(self.attempts(scene) if self.wants() else [])
            if self.wants():
                self.donors.extend(_cut(thing, scene) for thing in subjects(scene) if _large(thing, scene))

    def _edit(self, scene: Scene, thing: Instance, chance: Chance) -> tuple[Version, Version]:  # noqa: ARG002 (any scene)
        there = {other.category for other in scene.instances}
        mentioned = vocabulary.mentioned(scene)
        able = [donor for donor in self.donors if donor.thing.category not in there | mentioned]
        kinds = sorted({donor.thing.category for donor in able})
        if len(kinds) < 2:
            raise Refused("no two kinds of thing at hand that the scene lacks")
        chosen = chance.choice(kinds, 2, replace=False).tolist()
        donors = [next(donor for donor in reversed(able) if donor.thing.category == kind) for kind in chosen]
        first, second = (_with(donor, scene, chance) for donor in donors)
        return first, second


def open(context: PairContext, /) -> Paste:  # noqa: A001 (the contract's verb)
    """Begin with no donors."""
    return Paste(context)


def _large(thing: Instance, scene: Scene) -> bool:
    if scene.complete:
        return thing.area > LEAST_AREA * scene.width * scene.height and not thing.text
    return thing.area > LEAST_OF_PHOTOGRAPH * scene.width * scene.height and vocabulary.mentioned_by_name(
        thing.category, scene
    )


def _cut(thing: Instance, scene: Scene) -> Donor:
    rows, columns = np.nonzero(pixels.mask(thing, scene))
    view = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    image, mask = pixels.image(scene)[view].copy(), pixels.mask(thing, scene)[view].copy()
    return Donor(thing, scene.id, image, mask, (rows.max() + 1) / scene.height)


def _with(donor: Donor, scene: Scene, chance: Chance) -> Version:
    """The scene with the donor at its old height, somewhere free. Raises Refused."""
    height, width = donor.mask.shape
    top = round(donor.foot * scene.height) - height
    if top < 0 or width >= scene.width - 4:
        raise Refused("the thing does not fit")
    there = taken(scene.instances, scene)
    for left in chance.integers(2, scene.width - width - 1, PLACES).tolist():
        if not (there[top : top + height, left : left + width] & donor.mask).any():
            break
    else:
        raise Refused("no free place for it")
    mask = np.zeros((scene.height, scene.width), bool)
    mask[top : top + height, left : left + width] = donor.mask
    patch = pixels.image(scene).copy()
    patch[top : top + height, left : left + width][donor.mask] = donor.image[donor.mask]
    box = donor.thing.region
    new = replace(
        donor.thing,
        id=next_id(scene),
        rle=encoded(mask),
        full_rle=encoded(mask) if donor.thing.full_rle else b"",
        region=Region(x=left, y=top, width=width, height=height),
        area=float(mask.sum()),
        keypoints=tuple(moved(donor.thing.keypoints, left - int(box.x), top - int(box.y))),
    )
    image = pasted(pixels.image(scene), patch, mask)
    return Version(image, (*scene.instances, new), scene.captions, pixels.depth(scene, unknown=mask))
