"""Does a model know where the answer is shown? Points and boxes, held against the targets that a set ships."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from pstgen.core import __version__
from pstgen.core.config import Coordinates, Place
from pstgen.core.records import BadInput, Item
from pstgen.core.statistics import DRAWS, bootstrap_mean
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Manifest
from pstgen.evaluation import grounding_targets, places
from pstgen.evaluation.grounding_targets import Target
from pstgen.evaluation.place_answers import PlaceAnswers
from pstgen.evaluation.places import Spot
from pstgen.evaluation.stress_result import KINDS, Figure, keys, share, share_of_pairs_won
from pstgen.models.chain_parsing import matched_iou

FORMAT = 1
RIGHT = 0.5  # IoU, from which a box is right
RANDOM = "random point"
READ_TOO: tuple[Coordinates, ...] = ("thousandths", "pixels", "percent")  # units in which models are known to answer


class Mean(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mean of n items, 0 to 1, and its 95 % interval: percentiles of sets of pairs that are drawn with replacement."""

    mean: float
    low: float
    high: float
    n: int


class Chance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an answer reaches that looks at nothing, 0 to 1.

    pairs, items: the share of them that is right. iou: the mean; None of a point.
    """

    pairs: float
    items: float
    iou: float | None = None


class GroundedGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the set.

    kind, name: as in `stress_result.Group`. pairs: grounded, so that every twin whose answer a place shows is right. items: right ones;
    invalid: those whose answer names no place that can be read; outside: those that name one outside the image. Both are wrong.
    iou: of boxes, None of points. chance: by what answers: a random point; or the whole image, and a box in its middle.
    """

    kind: str
    name: str
    pairs: Figure
    items: Figure
    invalid: Figure
    outside: Figure
    iou: Mean | None
    chance: dict[str, Chance]


class GroundedItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer about one item.

    text: the model's own. spots: each place that it names, in fractions of width and height: (x, y), or (left, top, right, bottom);
    None where none can be read. iou: of boxes, the mean over boxes that are matched one to one.
    """

    text: str
    spots: list[list[float]] | None
    right: bool
    iou: float | None = None


class GroundingResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a model knows of where answers are shown, written as JSON.

    place: what it was asked for. coordinates: the unit of plain numbers, unless they are fractions. set_seal: of the set's
    manifest. items: of the pairs that were to be answered; left_out: those that have no place to be asked for, by reason.
    incomplete: pairs of which a twin was not answered, and that no figure counts. other_units: the share of items, 0 to 1, that
    would be right if every answer were read in that unit; none where the user named one. answers: by item id; grounded: by pair id.
    seal: sha256 of the canonical JSON of all the rest.
    """

    format: int
    pstgen: str
    model: str
    revision: str
    place: Place
    coordinates: Coordinates
    set_seal: str
    items: int
    left_out: dict[str, int]
    incomplete: int
    other_units: dict[str, float]
    groups: list[GroundedGroup]
    grounded: dict[str, bool]
    answers: dict[str, GroundedItem]
    seal: str = ""

    @property
    def whole(self) -> GroundedGroup:
        """The whole set."""
        return self.groups[0]


@dataclass(frozen=True, slots=True)
class Graded:
    """An item with its answer.

    blind: what answers reach that look at nothing, by name: (right or the chance of it, IoU). in_units: would the answer be right
    if it were read in that unit?
    """

    item: Item
    answer: GroundedItem
    blind: Mapping[str, tuple[float, float | None]]
    in_units: Mapping[Coordinates, bool]

    @property
    def outside(self) -> bool:
        """Does any place that it names lie outside the image?"""
        return any(not 0 <= n <= 1 for spot in self.answer.spots or () for n in spot)


def result(
    rows: Iterable[Row], place: Place, given: PlaceAnswers, manifest: Manifest, seed: int = 0
) -> GroundingResult:
    """Hold answers against the targets of a set's rows.

    rows: of the whole pairs that were to be answered. Raises BadInput where no item has a place to be asked for, or no pair an
    answer to each twin that has.
    """
    left_out, graded, missing = Counter[str](), list[Graded](), set[str]()
    for row in rows:
        if reason := grounding_targets.left_out(row):
            left_out[reason] += 1
        elif row.item.item_id in given.texts:
            graded.append(grade(row, place, given))
        else:
            missing.add(row.item.pair_id)
    complete = [each for each in graded if each.item.pair_id not in missing]
    if not complete:
        raise BadInput(_nothing(given.model, left_out, missing))
    return GroundingResult(
        format=FORMAT,
        pstgen=__version__,
        model=given.model,
        revision=given.revision,
        place=place,
        coordinates=given.named or given.unit,
        set_seal=manifest.seal,
        items=left_out.total() + len(graded) + len(missing),
        left_out=dict(left_out),
        incomplete=len(missing),
        other_units={unit: float(np.mean([each.in_units[unit] for each in complete])) for unit in complete[0].in_units},
        groups=list(_groups(complete, seed)),
        grounded=_grounded(complete),
        answers={each.item.item_id: each.answer for each in graded},
    )


def grade(row: Row, place: Place, given: PlaceAnswers) -> Graded:
    """Hold the answer about one row against its target.

    A point is right where each that is named lies where one is right. Boxes are right where their mean IoU, matched one to one, what
    is left over counting 0, is at least RIGHT.
    """
    target, text = grounding_targets.target(row), given.texts[row.item.item_id]
    size = given.sizes.get(row.item.item_id, target.size)
    found = _graded(text, places.read(text, place, size, wanted=given.unit, given=given.named), place, target)
    units: tuple[Coordinates, ...] = () if given.named else READ_TOO
    in_units = {unit: _graded(text, places.read(text, place, size, given=unit), place, target).right for unit in units}
    return Graded(row.item, found, _blind(place, target), in_units)


def _graded(text: str, spots: Sequence[Spot] | None, place: Place, target: Target) -> GroundedItem:
    said = None if spots is None else [list(spot) for spot in spots]
    if place == "point":
        return GroundedItem(text, said, bool(spots) and all(_hits(spot, target) for spot in spots or ()))
    iou = _iou(spots or (), target)
    return GroundedItem(text, said, iou >= RIGHT, iou)


def _blind(place: Place, target: Target) -> dict[str, tuple[float, float | None]]:
    if place == "point":
        return {RANDOM: (target.covered, None)}
    fixed = {name: matched_iou(box, target.boxes) for name, box in grounding_targets.fixed_boxes(target).items()}
    return {name: (float(iou >= RIGHT), iou) for name, iou in fixed.items()}


def _nothing(model: str, left_out: Mapping[str, int], missing: Iterable[str]) -> str:
    """Why there is nothing to be measured."""
    if any(missing):
        return f"{model}: no pair has an answer to each of its twins whose answer a place shows; pairs are what is measured"
    reasons = "; ".join(f"{n:,} items: {reason}" for reason, n in left_out.items())
    return f"no item has a place to be asked for ({reasons}); ask for options instead, without --ask point or --ask box"


def _hits(spot: Spot, target: Target) -> bool:
    """Does a point, in fractions, lie where one is right? Pixel (column, row) covers [column, column + 1) and [row, row + 1)."""
    width, height = target.size
    column, row = int(spot[0] * width // 1), int(spot[1] * height // 1)
    return 0 <= column < width and 0 <= row < height and bool(target.inside[row, column])


def _iou(spots: Sequence[Spot], target: Target) -> float:
    """Mean IoU of boxes, in fractions, with the target's; one that is turned round has no area."""
    width, height = target.size
    boxes = [(x, y, max(0.0, right - x), max(0.0, bottom - y)) for x, y, right, bottom in spots]
    said = np.array(boxes, float).reshape(-1, 4) * (width, height, width, height)
    return matched_iou(said, target.boxes)


def _grounded(graded: Sequence[Graded]) -> dict[str, bool]:
    grounded: dict[str, bool] = {}
    for each in graded:
        grounded[each.item.pair_id] = grounded.get(each.item.pair_id, True) and each.answer.right
    return grounded


def _groups(graded: Sequence[Graded], seed: int) -> Iterator[GroundedGroup]:
    members: dict[tuple[str, str], list[Graded]] = {}
    for each in graded:
        for key in keys(each.item):
            members.setdefault(key, []).append(each)
    for kind, name in sorted(members, key=lambda key: (KINDS.index(key[0]), key != ("words", "neutral"), key[1])):
        yield _group(kind, name, members[kind, name], seed)


def _group(kind: str, name: str, graded: Sequence[Graded], seed: int) -> GroundedGroup:
    items = [each.item for each in graded]
    ious = [each.answer.iou for each in graded if each.answer.iou is not None]
    return GroundedGroup(
        kind=kind,
        name=name,
        pairs=share_of_pairs_won(list(_grounded(graded).values()), seed),
        items=share(items, [each.answer.right for each in graded], seed),
        invalid=share(items, [each.answer.spots is None for each in graded], seed),
        outside=share(items, [each.outside for each in graded], seed),
        iou=_mean(ious, items, seed) if ious else None,
        chance={way: _chance(way, graded) for way in graded[0].blind},
    )


def _mean(values: Sequence[float], items: Sequence[Item], seed: int) -> Mean:
    low, high = bootstrap_mean(values, [item.pair_id for item in items], DRAWS, seed)
    return Mean(float(np.mean(values)), low, high, len(values))


def _chance(way: str, graded: Sequence[Graded]) -> Chance:
    """Of each twin apart, and of all twins of a pair: random points are drawn for each image anew."""
    pairs: dict[str, float] = {}
    for each in graded:
        pairs[each.item.pair_id] = pairs.get(each.item.pair_id, 1.0) * each.blind[way][0]
    ious = [iou for each in graded if (iou := each.blind[way][1]) is not None]
    return Chance(
        pairs=float(np.mean(list(pairs.values()))),
        items=float(np.mean([each.blind[way][0] for each in graded])),
        iou=float(np.mean(ious)) if ious else None,
    )
