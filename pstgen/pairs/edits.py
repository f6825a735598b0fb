"""Counterfactual twins, what every edit shares: two versions of one scene, asked anew; labels are worked out, never assumed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from pstgen.core import plugins
from pstgen.core.records import Candidate, Fact, Instance, Region, Scene
from pstgen.pairs.context import Studio, candidate
from pstgen.scenes import pixels
from pstgen.scenes.truth import layout

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Chance = np.random.Generator

TRIES = 3  # things of a scene, that an edit is tried on
PAIRS = 2  # of one edit, each of another family
LEAD = 2  # pairs of a sentence by which one of two pictures may have had the same answer more often than the other
EVEN = 0.1  # difference of pulls, up to which two questions could as well be asked as each other
PLACES = 60  # tries to find room for a shape
MOST_AREA = 0.08  # of the image: what is larger cannot be painted over
BESIDE = 0.2  # of it, where neighbours are, so that it cannot be painted over
RIM = 0.012  # of the image's longer side, that is painted over around a mask
FEATHER = 0.8  # pixels, standard deviation of a soft edge
SEAM = 2.0  # times as steep as the surroundings: an edge is seen
FAST = [
    cv2.IMWRITE_PNG_COMPRESSION,
    0,
]  # most edits are looked at and thrown away; what stays is written again, smaller
SMEAR = 0.5  # times as rough as the surroundings: a surface looks smeared


class Refused(Exception):
    """An edit that cannot be made, or that would be seen; the message is the reason."""


@dataclass(frozen=True)
class Version:
    """One version of a scene. image: (H, W, 3) uint8 RGB; depth: (H, W) uint16 millimetres, 0 where unknown."""

    image: Pixels
    instances: tuple[Instance, ...]
    captions: tuple[str, ...]
    depth: NDArray[np.uint16] | None = None


Edit = Callable[[Scene, Instance, Chance], tuple[Version, Version]]
Leads = dict[tuple[str, str], int]  # sentence and what is told apart → pairs


def subjects(scene: Scene) -> list[Instance]:
    """What most edits can be tried on: plain to see, whole, not too large, and nothing else's."""
    most = MOST_AREA * scene.width * scene.height
    return [
        thing
        for thing in scene.instances
        if thing.rle
        and thing.area <= most
        and layout.is_plain(thing, scene)
        and not layout.truncated(thing, scene)
        and (not thing.full_rle or thing.full_rle == thing.rle)
    ]


@dataclass
class Edited:
    """A twin maker: applies one edit and its sham to scenes, and pairs what has then one question and two answers.

    families: those whose answers the edit can change; on: what it can be tried on; forms: the sentences that may be
    asked, where not all may: an edited picture must not give its answer away to somebody who does not know the question.
    photographs: is it made on photographs too, where nobody names it? Most edits of them look like cut-outs. keeps_known: an
    answer is known after the edit only where one was known before, so that a scene without one need not be edited.
    lead: by how many pairs of a sentence the first version, or the stress twin, had the alphabetically first answer more
    often than the other, or the first version was the control twin: who tells pictures apart by their looks, not knowing
    the question, must win nothing by it.
    """

    name: str
    edit: Edit
    families: tuple[str, ...]
    studio: Studio
    on: Callable[[Scene], list[Instance]] = subjects
    forms: tuple[str, ...] = ()
    photographs: bool = False
    keeps_known: bool = False
    made: int = 0
    lead: Leads = field(default_factory=lambda: defaultdict(int))

    def pair(self, scene: Scene, facts: Sequence[Fact], /) -> Iterator[Candidate]:
        """Up to PAIRS pairs of each of a few things, until there are as many as the run wants; facts are asked anew."""
        config = self.studio.config
        families = [name for name in self.families if not config.families or name in config.families]
        if not families or not self.wants(scene):
            return
        if self.keeps_known and not any(fact.family in families for fact in facts):
            return
        chance = np.random.default_rng(list(sha256(f"{config.seed}/{self.name}/{scene.id}".encode()).digest()))
        things = self.on(scene)
        for n in chance.permutation(len(things))[:TRIES].tolist():
            try:
                versions = self.edit(scene, things[n], chance)
            except Refused as reason:
                self.studio.refused[self.name, str(reason)] += 1
                continue
            scenes = [self._kept(scene, version, chance) for version in versions]
            found = self._pairs(scenes, families)
            if not found:
                self.studio.refused[self.name, "no question has two answers, one of them expected"] += 1
            for pair, leads in found:
                if any(abs(lead) > LEAD for lead in leads.values()):
                    self.studio.refused[self.name, "its looks would go with an answer too often"] += 1
                    continue
                self.lead.update(leads)
                self.made += 1
                for made, version in zip(scenes, versions, strict=True):
                    cv2.imwrite(made.path, version.image[:, :, ::-1])
                yield pair

    def wants(self, scene: Scene) -> bool:
        """Are there fewer pairs than the run wants, and is the edit made on such scenes?"""
        config = self.studio.config
        fits = scene.complete or self.photographs or self.name in config.twins
        return fits and self.made < config.edited

    def rest(self, /) -> Iterator[Candidate]:
        """Nothing: every scene gives its pairs by itself."""
        yield from ()

    def _kept(self, scene: Scene, version: Version, chance: Chance) -> Scene:
        """Write the version's files. Its name does not tell which of the two it is."""
        name = f"{scene.id}+{self.name}-{chance.bytes(4).hex()}"
        image, depth = (self.studio.work / f"{name.replace('/', '-')}{end}" for end in (".png", ".depth.png"))
        cv2.imwrite(str(image), version.image[:, :, ::-1], FAST)
        if version.depth is not None:
            cv2.imwrite(str(depth), version.depth)
        return replace(
            scene,
            id=name,
            path=str(image),
            depth_path="" if version.depth is None else str(depth),
            instances=version.instances,
            captions=version.captions,
        )

    def _pairs(self, scenes: Sequence[Scene], families: Sequence[str]) -> list[tuple[Candidate, Leads]]:
        """Of each family one pair, that leaves no lead if there is one, and otherwise by a hash; with the leads it leaves."""
        chosen = list[tuple[Candidate, Leads]]()
        for family in families:
            found = self._found(scenes, family)
            with_leads = [(pair, self._leads(pair, found, scenes[0].id)) for pair in found]
            chosen += sorted(with_leads, key=lambda one: (max(map(abs, one[1].values())), one[0].pair_id))[:1]
        return sorted(chosen, key=lambda one: (-one[0].pull, one[0].pair_id))[:PAIRS]

    def _found(self, scenes: Sequence[Scene], family: str) -> list[Candidate]:
        ask = plugins.load("families", family).ask
        one, other = (
            {f.question: f for f in ask(scene) if f.truth.known and (not self.forms or f.form in self.forms)}
            for scene in scenes
        )
        pairs = (self._paired(one[question], other[question], scenes) for question in one.keys() & other.keys())
        return [pair for pair in pairs if pair and pair.pull >= self.studio.config.min_pull]

    def _leads(self, pair: Candidate, others: Sequence[Candidate], first: str) -> Leads:
        """Leads once this pair is taken.

        What is unusual is seen: so another question, as strong, should have made the control twin the stress twin; where
        none would, the stress twin's answer must be now the one, now the other.
        """
        form, lure, twin = pair.control.form, pair.lure, pair.control.scene_id
        early = min(pair.control, pair.stress[0], key=lambda fact: str(fact.truth.answer))
        matched = any(
            (other.control.form, other.lure) == (form, lure)
            and other.control.scene_id != twin
            and abs(other.pull - pair.pull) <= EVEN
            for other in others
        )
        told = {(form, "version"): early.scene_id == first, (form, "turn"): twin == first}
        if not matched:
            told[form, "role"] = early is pair.control
        return {key: self.lead[key] + (1 if ahead else -1) for key, ahead in told.items()}

    def _paired(self, one: Fact, other: Fact, scenes: Sequence[Scene]) -> Candidate | None:
        """The two facts as a pair, if their answers differ and one of them is what one expects."""
        expected = self.studio.expects(one.question)
        lure = max(expected, key=expected.__getitem__)
        if one.truth.answer == other.truth.answer or lure not in {one.truth.answer, other.truth.answer}:
            return None
        control, stress = (one, other) if one.truth.answer == lure else (other, one)
        return candidate(control, [stress], expected, self.name, scenes)


# ------------------------------------------------------------------------------------------------------------ shapes


def hole(thing: Instance, scene: Scene) -> Mask:
    """Its mask and, around and under it, its rim and its shadow, as far as no neighbour is there."""
    mask = pixels.mask(thing, scene)
    rim = max(2, round(RIM * max(scene.width, scene.height)))
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((2 * rim + 1, 2 * rim + 1), np.uint8))
    box = thing.region
    foot, reach = int(box.bottom), max(rim, round(0.08 * box.height))
    rows = slice(max(0, foot - reach), foot + reach)
    columns = slice(max(0, int(box.x - 0.1 * box.width) - rim), int(box.right + 0.1 * box.width) + rim)
    grown[rows, columns] = 1
    near = [other for other in scene.instances if other.id != thing.id and not _holds(other, thing)]
    beside = np.logical_and(grown, taken(near, scene))
    if (beside & mask).any() or beside.sum() > BESIDE * grown.sum():
        raise Refused("another thing would be touched")
    return np.logical_and(grown, ~beside)


def _holds(other: Instance, thing: Instance) -> bool:
    """Is the other large, and all around the thing, as a table is around a cup? It may be painted on."""
    a, b = other.region, thing.region
    around = a.x <= b.x and a.y <= b.y + b.height / 2 and a.right >= b.right and a.bottom >= b.bottom
    return around and not other.crowd and other.area > 3 * thing.area


def taken(things: Iterable[Instance], scene: Scene) -> Mask:
    """(H, W) bool: where any of them is; of what has no mask, its box."""
    there = np.zeros((scene.height, scene.width), bool)
    for thing in things:
        box = thing.region
        if thing.rle:
            there |= pixels.mask(thing, scene)
        else:
            there[max(0, int(box.y)) : int(box.bottom) + 1, max(0, int(box.x)) : int(box.right) + 1] = True
    return there


def shifted(shape: Mask, across: int, down: int) -> Mask:
    """The shape moved by whole pixels; what leaves the image is gone."""
    moved = np.zeros_like(shape)
    height, width = shape.shape
    rows, columns = np.nonzero(shape)
    rows, columns = rows + down, columns + across
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    moved[rows[inside], columns[inside]] = True
    return moved


def room(shape: Mask, taken: Mask, chance: Chance, *, down: int | None = None) -> tuple[int, int]:
    """(across, down) by which the shape lies wholly inside the image and on nothing. Raises Refused.

    down: only along that row.
    """
    rows, columns = np.nonzero(shape)
    height, width = shape.shape
    free = -rows.min(), height - 1 - rows.max(), -columns.min(), width - 1 - columns.max()
    for _ in range(PLACES):
        dy = int(chance.integers(free[0], free[1] + 1)) if down is None else down
        dx = int(chance.integers(free[2], free[3] + 1))
        if not taken[rows + dy, columns + dx].any():
            return dx, dy
    raise Refused("no free place of that shape")


def encoded(mask: Mask) -> bytes:
    """A mask as run-length bytes."""
    code: bytes = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
    return code


def relocated(thing: Instance, across: int, down: int, scene: Scene) -> Instance:
    """The thing with mask, box and keypoints elsewhere in the scene."""
    mask = shifted(pixels.mask(thing, scene), across, down)
    box = thing.region
    return replace(
        thing,
        rle=encoded(mask),
        full_rle=encoded(mask) if thing.full_rle else b"",
        region=Region(x=box.x + across, y=box.y + down, width=box.width, height=box.height),
        keypoints=tuple(replace(j, x=j.x + across, y=j.y + down) if j.visibility else j for j in thing.keypoints),
    )


def next_id(scene: Scene) -> int:
    """An id that no instance of the scene has."""
    taken = {thing.id for thing in scene.instances}
    return next(n for n in count(1) if n not in taken)


# ------------------------------------------------------------------------------------------------------------ pixels


def filled(image: Pixels, gap: Mask) -> Pixels:
    """Paint a hole over from its edge inwards (OpenCV, Telea 2004), with the grain of what is around. Raises Refused."""
    rows, columns = np.nonzero(gap)
    pad = 4 + int(0.25 * max(np.ptp(rows), np.ptp(columns)))
    height, width = gap.shape
    view = (
        slice(max(0, rows.min() - pad), min(height, rows.max() + pad + 1)),
        slice(max(0, columns.min() - pad), min(width, columns.max() + pad + 1)),
    )
    part, gap = image[view], gap[view]
    if gap.all():
        raise Refused("nothing around it to paint with")
    painted = cv2.inpaint(part[:, :, ::-1].copy(), gap.astype(np.uint8), 3, cv2.INPAINT_TELEA)[:, :, ::-1].astype(
        np.float32
    )
    around = _ring(gap, 0, 8) & ~gap
    fine = part[around] - cv2.GaussianBlur(part, (0, 0), 1.5).astype(np.float32)[around]
    grain = 1.5 * np.median(np.abs(fine), axis=0) if around.any() else np.zeros(3)  # robust: edges are no grain
    painted[gap] += np.random.default_rng(int(gap.sum())).normal(0, 1, (int(gap.sum()), 3)) * grain
    done = image.copy()
    done[view] = np.where(gap[:, :, None], painted.clip(0, 255), part).astype(np.uint8)
    if reason := seen(done[view], gap):
        raise Refused(reason)
    return done


def pasted(image: Pixels, patch: Pixels, mask: Mask) -> Pixels:
    """Put `patch` over the image where the mask is, with a soft edge; all of one size."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), FEATHER)[:, :, None]
    soft = np.where(mask[:, :, None], np.maximum(soft, 0.5), soft * 0.5)
    return np.asarray(np.rint(image * (1 - soft) + patch * soft), dtype=np.uint8)


def seen(image: Pixels, painted: Mask) -> str:
    """Why a painted hole would be noticed, or "": a steep rim, or a surface much smoother than what is around."""
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY).astype(np.float32)
    steep = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    rough = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    rim, around = _ring(painted, 1, 1), _ring(painted, 3, 10) & ~painted
    inside = cv2.erode(painted.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    if not around.any() or not inside.any():
        return "nothing around it to compare with"
    if np.mean(steep[rim]) > SEAM * np.mean(steep[around]) + 2:
        return "the border of the edit is visible"
    if np.mean(rough[inside]) < SMEAR * np.mean(rough[around]):
        return "the edit is smeared"
    return ""


def _ring(shape: Mask, inner: int, outer: int) -> Mask:
    """Pixels about the border of a shape: from `inner` inside (or outside, where it grows) to `outer` outside."""
    kernel = np.ones((3, 3), np.uint8)
    wide = cv2.dilate(shape.astype(np.uint8), kernel, iterations=outer)
    near = cv2.erode(shape.astype(np.uint8), kernel, iterations=inner)
    return np.asarray(wide > near, dtype=bool)
