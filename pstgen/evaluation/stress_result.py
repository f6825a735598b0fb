"""What a model reached on a stress test: pairs first, beside a coin and the same model without the image."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from pstgen.core import __version__, reading, scratch
from pstgen.core.records import BadInput, Item
from pstgen.core.statistics import share_of_pairs
from pstgen.dataset import sealing
from pstgen.dataset.chance import coin
from pstgen.dataset.store import Manifest
from pstgen.evaluation.collateral import Question
from pstgen.evaluation.model_answers import Answers
from pstgen.questions.wording import NEUTRAL

FORMAT = 1
CONFIDENCE = 0.95
ALL = "all"
DIRECTIONS = {"yes": "expected, absent", "no": "unexpected, present"}  # by the lure of a yes/no question
NEEDED = {"pairs", "items", "invalid_rate"}  # figures that every result has
KINDS = ("all", "words", "family", "direction", "frame", "twin")  # by which figures are given, in this order

ITEMS: dict[
    str, tuple[Callable[[Item], bool], Callable[[Item, str], bool]]
] = {  # name: which items count, what is a hit
    "items": (lambda _: True, lambda item, given: given == item.answer),
    "stress": (lambda item: item.role == "stress", lambda item, given: given == item.answer),
    "control": (lambda item: item.role == "control", lambda item, given: given == item.answer),
    "lure_rate": (lambda item: item.role == "stress", lambda item, given: given == item.lure),
    "invalid_rate": (lambda _: True, lambda _, given: not given),
    "yes_rate": (lambda item: set(item.options) == {"yes", "no"}, lambda _, given: given == "yes"),
}


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A share, 0 to 1, of n, and its bounds.

    low, high: Clopper-Pearson's at 95 %, a pair being one draw; bootstrap_low, bootstrap_high: percentiles of sets of pairs
    that are drawn with replacement. n: pairs of `pairs`, items of all others.
    """

    share: float
    low: float
    high: float
    bootstrap_low: float
    bootstrap_high: float
    n: int


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the set, and what was reached on it.

    kind: one of KINDS; name: "neutral", "colour", … coin: the share of its pairs that a coin wins which is thrown for each
    image between the answers that the twins have. figures: "pairs" (all twins right), "items", "stress", "control",
    "lure_rate" (of stress items, answered with the lure), "invalid_rate", "yes_rate" (of yes/no items), "flip_rate" (of framed
    items, whose neutral question is answered differently), and "blind/…" of the same model without the image. A figure that
    cannot be measured is missing.
    """

    kind: str
    name: str
    coin: float
    figures: dict[str, Figure]


class CollateralResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model makes of questions that an edit does not touch, each asked of both twins.

    edited: pairs with edited twins; left_out: those without such a question, by reason. figures: "flip" (of pairs, the twins
    are answered differently), "right" (of items), "invalid_rate" (of items), and "flip/…" by way of editing; none where no question
    was asked. questions: by pair id; answers: by item id, the option, or "" where none was named, or several.
    """

    edited: int
    left_out: dict[str, int]
    figures: dict[str, Figure]
    questions: dict[str, Question]
    answers: dict[str, str]


class StressResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A model's result on one set, written as JSON.

    set_seal: of the set's manifest. selected_by: did this model judge the set's wordings when it was built, so that it cannot win a
    pair without the images? items: of the set; answered: of these. incomplete: pairs of which a twin was not answered, and
    that no figure counts. won: by pair, are all twins right? answers, blind, neutral: by item id, the option, or "" where none
    was named, or several. collateral: None where it was not asked for. seal: sha256 of the canonical JSON of all the rest.
    """

    format: int
    pstgen: str
    model: str
    revision: str
    way: str
    set_seal: str
    selected_by: bool
    items: int
    answered: int
    incomplete: int
    groups: list[Group]
    won: dict[str, bool]
    answers: dict[str, str]
    blind: dict[str, str]
    neutral: dict[str, str]
    collateral: CollateralResult | None = None
    seal: str = ""

    @property
    def whole(self) -> Group:
        """The whole set."""
        return self.groups[0]

    def part(self, kind: str, name: str) -> Group | None:
        """The part of the set of that kind and name; None where the set has none."""
        return next((group for group in self.groups if (group.kind, group.name) == (kind, name)), None)


def result(items: Sequence[Item], answers: Answers, manifest: Manifest, seed: int = 0) -> StressResult:
    """Measure answers to a set's items, or to a part of them.

    items: of the whole pairs that were to be answered. manifest: of the set. Raises BadInput where no pair has an answer
    to each of its twins.
    """
    seeing = {item.item_id: answers.seeing[item.item_id] for item in items if item.item_id in answers.seeing}
    complete = _complete(items, seeing)
    if not complete:
        raise BadInput(f"{answers.model}: no pair has an answer to each of its twins; pairs are what is measured")
    return StressResult(
        format=FORMAT,
        pstgen=__version__,
        model=answers.model,
        revision=answers.revision,
        way=answers.way,
        set_seal=manifest.seal,
        selected_by=bool(answers.revision) and answers.revision in manifest.judges.values(),
        items=manifest.items,
        answered=len(seeing),
        incomplete=len({item.pair_id for item in items}) - len({item.pair_id for item in complete}),
        groups=list(_groups(complete, answers, seed)),
        won=_won(complete, seeing),
        answers=seeing,
        blind=answers.blind,
        neutral=answers.neutral,
        collateral=_collateral(items, answers, seed),
    )


def write(file: Path, found: msgspec.Struct) -> None:
    """Write a sealed result, this or one about places, as canonical JSON, whole or not at all. Raises Unavailable where it cannot."""
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch.put(file, sealing.canonical(found))


def read(file: Path) -> StressResult:
    """Read a result. Raises BadInput where the file is none, is of another format, or was changed."""
    try:
        code = reading.content(file)
        found = reading.json(code, StressResult)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        if b'"grounded":' in code and b'"place":' in code:
            raise BadInput(
                f"{file}: a result about places (--ask point, --ask box), which are neither compared nor ranked; leave it out"
            ) from None
        raise BadInput(f"{file}: not a result of `pstgen eval`: {error}") from None
    if found.format != FORMAT:
        raise BadInput(f"{file}: format {found.format}; this pstgen reads format {FORMAT}")
    if code != sealing.canonical(found) or not found.groups or not found.whole.figures.keys() >= NEEDED:
        raise BadInput(f"{file}: was changed after `pstgen eval` wrote it; let it write the result again")
    return found


def _complete(items: Sequence[Item], answers: Mapping[str, str]) -> list[Item]:
    """The items of pairs all of whose twins were answered."""
    left_out = {item.pair_id for item in items if item.item_id not in answers}
    return [item for item in items if item.pair_id not in left_out]


def _won(items: Sequence[Item], answers: Mapping[str, str]) -> dict[str, bool]:
    won: dict[str, bool] = {}
    for item in items:
        won[item.pair_id] = won.get(item.pair_id, True) and answers[item.item_id] == item.answer
    return won


def _groups(items: Sequence[Item], answers: Answers, seed: int) -> Iterator[Group]:
    members: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        for key in keys(item):
            members.setdefault(key, []).append(item)
    for kind, name in sorted(members, key=lambda key: (KINDS.index(key[0]), key != ("words", "neutral"), key[1])):
        part = members[kind, name]
        yield Group(kind, name, _coin(part), dict(_figures(part, answers, seed)))


def keys(item: Item) -> Iterator[tuple[str, str]]:
    """The parts of the set that an item belongs to."""
    yield "all", ALL
    yield "words", "neutral" if item.frame == NEUTRAL else "misleading"
    yield "family", item.family
    yield "frame", item.frame
    yield "twin", item.twin
    if set(item.options) == {"yes", "no"}:
        yield "direction", DIRECTIONS[item.lure]


def _coin(items: Sequence[Item]) -> float:
    twins: dict[str, list[tuple[int, str]]] = {}
    for item in items:
        twins.setdefault(item.pair_id, []).append((len(item.options), item.answer))
    return coin(twins.values()).answers


def _figures(items: Sequence[Item], answers: Answers, seed: int) -> Iterator[tuple[str, Figure]]:
    for prefix, given in (("", answers.seeing), ("blind/", answers.blind)):
        if not (complete := _complete(items, given)):
            continue
        yield f"{prefix}pairs", _pairs(complete, given, seed)
        for name, (counts, hits) in ITEMS.items():
            part = [item for item in complete if counts(item)]
            if part:
                yield f"{prefix}{name}", share(part, [hits(item, given[item.item_id]) for item in part], seed)
    framed = [item for item in items if item.item_id in answers.neutral]
    if framed:
        flipped = [answers.neutral[item.item_id] != answers.seeing[item.item_id] for item in framed]
        yield "flip_rate", share(framed, flipped, seed)


def _pairs(items: Sequence[Item], given: Mapping[str, str], seed: int) -> Figure:
    return share_of_pairs_won(list(_won(items, given).values()), seed)


def share_of_pairs_won(won: Sequence[bool], seed: int) -> Figure:
    """The share of pairs that are won, each one draw."""
    hits = np.array(won, np.int64)
    return _figure(hits, np.ones_like(hits), seed)


def share(items: Sequence[Item], hits: Sequence[bool], seed: int) -> Figure:
    """The share of hits, of single items; those of a pair are drawn together."""
    number = {pair: n for n, pair in enumerate(dict.fromkeys(item.pair_id for item in items))}
    rows = [number[item.pair_id] for item in items]
    return _figure(np.bincount(rows, weights=hits).astype(np.int64), np.bincount(rows), seed)


def _collateral(items: Sequence[Item], answers: Answers, seed: int) -> CollateralResult | None:
    if (drawn := answers.drawn) is None:
        return None
    asked = [item for item in items if item.item_id in answers.collateral]
    return CollateralResult(
        drawn.edited,
        dict(drawn.left_out),
        dict(_collateral_figures(asked, drawn.questions, answers.collateral, seed)),
        drawn.questions,
        answers.collateral,
    )


def _collateral_figures(
    items: Sequence[Item], questions: Mapping[str, Question], given: Mapping[str, str], seed: int
) -> Iterator[tuple[str, Figure]]:
    if not items:
        return
    answered: dict[str, set[str]] = {}
    for item in items:
        answered.setdefault(item.pair_id, set()).add(given[item.item_id])
    flipped = {pair: len(different) > 1 for pair, different in answered.items()}
    yield "flip", share_of_pairs_won(list(flipped.values()), seed)
    yield "right", share(items, [given[item.item_id] == questions[item.pair_id].answer for item in items], seed)
    yield "invalid_rate", share(items, [not given[item.item_id] for item in items], seed)
    for twin in sorted({questions[pair].twin for pair in flipped}):
        yield (
            f"flip/{twin}",
            share_of_pairs_won([flips for pair, flips in flipped.items() if questions[pair].twin == twin], seed),
        )


def _figure(right: Any, counted: Any, seed: int) -> Figure:
    found = share_of_pairs(right, counted, chance=0.0, confidence=CONFIDENCE, seed=seed)
    bounds = (found.low, found.high, found.bootstrap_low, found.bootstrap_high)
    return Figure(found.share, *bounds, n=int(counted.sum()))
