"""A question that an edit does not touch: twins of an edited pair must answer it alike, since neither of them differs in what it is about."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import groupby

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from pstgen.core import plugins
from pstgen.core.progress import Progress
from pstgen.core.records import MATCHED, Fact, Instance, Item, Scene
from pstgen.dataset.damage import guarded
from pstgen.dataset.rows import Row, on_disk
from pstgen.dataset.store import Dataset
from pstgen.questions import facts, families, wording
from pstgen.scenes import pixels

NEAR = 0.02  # of the image's longer side: what is nearer to an edit may be touched by it
DRAWN = "a label or a mark is drawn into its pictures"
UNLIKE = "its pictures differ in size"
EVERYTHING = "the edit touches every thing in it, as a mirror does"
UNTOUCHED = "no question with one known answer is untouched by the edit"
WHAT = "questions beside the edits"


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What both twins of an edited pair are asked beside their own question, and the answer that is right for both."""

    question: str
    options: list[str]
    answer: str
    family: str
    twin: str


@dataclass(frozen=True)
class Drawn:
    """Questions by pair id. left_out: edited pairs that have none, by reason. edited: how many edited pairs there are."""

    edited: int = 0
    questions: dict[str, Question] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


def draw(dataset: Dataset, wanted: Collection[str], progress: Progress) -> Drawn:
    """A question for every edited pair among the wanted, as far as there is one; the same each time."""
    edited = {item.pair_id for item in dataset.items() if item.pair_id in wanted and item.twin != MATCHED}
    questions, left_out = dict[str, Question](), Counter[str]()
    pairs = groupby(
        guarded(dataset.rows_of(edited), dataset.folder) if edited else (), key=lambda row: row.item.pair_id
    )
    for pair_id, twins in progress(pairs, WHAT, len(edited)) if edited else ():
        found = of_pair(list(twins))
        if isinstance(found, Question):
            questions[pair_id] = found
        else:
            left_out[found] += 1
    return Drawn(len(edited), questions, left_out)


def of_pair(twins: Sequence[Row]) -> Question | str:
    """A question that the edit does not touch, drawn by the pair's name, or the reason why there is none.

    Untouched is a thing whose annotation is the same in both twins and whose mask, or box where it has none, is well away
    from every pixel in which the two pictures differ. A question is untouched where things show its answer, all of them
    untouched, and no word of it names a kind of which any thing is touched. Its answer is known of both twins, and is one.
    """
    if any(row.item.label or row.item.mark for row in twins):
        return DRAWN
    first, second = (pixels.decode(row.image) for row in twins)
    if first.shape != second.shape:
        return UNLIKE
    touched = _widened((first != second).any(axis=-1))
    things = [{thing.id: thing for thing in row.scene.instances} for row in twins]
    whole = {
        name for name in things[0].keys() & things[1].keys()
        if things[0][name] == things[1][name] and not _meets(things[0][name], twins[0].scene, touched)
    }  # fmt: skip
    if not whole:
        return EVERYTHING
    kinds = {thing.category for each in things for name, thing in each.items() if name not in whole}
    item = twins[0].item
    shared = [
        fact for fact in _shared(twins)
        if fact.question != (item.family, item.form, item.about)
        and not fact.mark and fact.evidence and whole.issuperset(fact.evidence) and kinds.isdisjoint(fact.about)
    ]  # fmt: skip
    return _worded(min(shared, key=lambda fact: _turn(item.pair_id, fact)), item) if shared else UNTOUCHED


def as_item(question: Question, item: Item) -> Item:
    """The twin with that question instead of its own."""
    options = tuple(question.options)
    lure = next(option for option in options if option != question.answer)
    item = replace(
        item, family=question.family, frame=wording.NEUTRAL, options=options, answer=question.answer, lure=lure
    )
    return replace(item, question=question.question, neutral=question.question)


def _shared(twins: Sequence[Row]) -> Iterator[Fact]:
    """Facts that are known of both twins, and the same."""
    known = []
    for row in twins:
        with on_disk(row) as scene:
            known.append({fact.question: fact for fact in facts.ask(plugins.names("families"), scene).facts})
    for question, fact in known[0].items():
        other = known[1].get(question)
        if other is not None and (other.truth, other.evidence) == (fact.truth, fact.evidence):
            yield fact


def _turn(pair_id: str, fact: Fact) -> tuple[bool, bool, bytes, bytes]:
    """Questions of more than yes and no first, then those that a habit of saying no gets wrong; drawn by family, then by question."""
    closed = set(families.load(fact.family).answers(fact.form, fact.about)) == {"yes", "no"}
    parts = (f"{pair_id} {fact.family}", f"{pair_id} {fact.question}")
    by_family, by_question = (sha256(part.encode()).digest() for part in parts)
    return closed, fact.truth.answer == "no", by_family, by_question


def _worded(fact: Fact, item: Item) -> Question:
    options = families.load(fact.family).answers(fact.form, fact.about)
    lure = next(option for option in options if option != fact.truth.answer)
    draw = int(sha256(f"{item.pair_id} {fact.question}".encode()).hexdigest(), 16)
    text = wording.ask(fact, wording.NEUTRAL, lure, draw)
    return Question(text, list(options), str(fact.truth.answer), fact.family, item.twin)


def _widened(differ: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W) bool: where two pictures differ, and what is near."""
    away = max(1, round(NEAR * max(differ.shape)))
    brush = np.ones((2 * away + 1, 2 * away + 1), np.uint8)
    return cv2.dilate(differ.astype(np.uint8), brush).astype(bool)


def _meets(thing: Instance, scene: Scene, touched: NDArray[np.bool_]) -> bool:
    """Is any pixel of the thing touched? Of one that is partly hidden, of its whole outline."""
    if thing.rle:
        return bool((pixels.mask(thing, scene, full=bool(thing.full_rle)) & touched).any())
    box = thing.region
    return bool(touched[max(0, int(box.y)) : int(box.bottom) + 1, max(0, int(box.x)) : int(box.right) + 1].any())
