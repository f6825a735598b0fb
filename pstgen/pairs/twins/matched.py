"""Another scene of the source in which the same words have the other answer, the one that shows most of the same things."""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from pstgen.core.records import Candidate, Fact, Scene
from pstgen.pairs import choices
from pstgen.pairs.choices import Shown
from pstgen.pairs.context import MOST_OPTIONS, Associations, PairContext, candidate
from pstgen.questions.families import Question

Ranked = tuple[int, str, Fact]  # the first one decides

ENCODER, DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(list[Ranked])


class Expected(NamedTuple):
    """What the words of a question suggest. weaker: answers that they suggest less than the lure, the strongest first."""

    lure: str
    weaker: Sequence[str]
    added: Associations


class SceneFacts(NamedTuple):
    """What a scene could give. ranked: its facts, encoded, since ten thousands of them are sent from worker processes."""

    scene_id: str
    shown: Shown
    ranked: bytes


class Matched:
    """Joins scenes in which the lure is right to scenes in which it is wrong; every fact serves once.

    Memory is bounded: of each question and answer that can give a pair, only the facts that a seeded hash draws first are kept.
    """

    def __init__(self, context: PairContext) -> None:
        self.context = context
        self.drawn: defaultdict[tuple[Question, str | None], list[int]] = defaultdict(list)
        self.shelves: defaultdict[Question, dict[str, list[Ranked]]] = defaultdict(dict)
        self.shown: dict[str, Shown] = {}
        self.expected: dict[Question, Expected | None] = {}

    def wants(self, /) -> bool:
        """Always: any scene can be a twin."""
        return True

    def look(self, scene: Scene, facts: Sequence[Fact], /) -> SceneFacts:
        """The facts that can be in a pair, as far as they can be among those that are drawn first, and what the scene shows."""
        seed = self.context.config.seed
        ranked = [ranked for fact in facts if self._fits(fact) if self._is_early(ranked := _ranked(fact, seed))]
        return SceneFacts(scene.id, choices.shown(scene, facts), ENCODER.encode(ranked))

    def take(self, found: SceneFacts, /) -> Iterator[Candidate]:
        """Keep the facts; one scene alone gives no pair."""
        self.shown[found.scene_id] = found.shown
        for ranked in DECODER.decode(found.ranked):
            fact = ranked[-1]
            shelf = self.shelves[fact.question].setdefault(str(fact.truth.answer), [])
            keep = heapq.heappush if len(shelf) < self.context.config.pairs.pairs_per_question else heapq.heappushpop
            keep(shelf, ranked)
        yield from ()

    def _fits(self, fact: Fact) -> bool:
        """Is its answer the lure, or one that the words suggest less?"""
        expected = self._expected(fact.question)
        return expected is not None and (fact.truth.answer == expected.lure or fact.truth.answer in expected.weaker)

    def _is_early(self, ranked: Ranked) -> bool:
        """Is it drawn before all but a few of those that were looked at here?"""
        rank, fact = ranked[0], ranked[-1]
        drawn = self.drawn[fact.question, fact.truth.answer]
        full = len(drawn) >= self.context.config.pairs.pairs_per_question
        if full and rank < drawn[0]:
            return False
        if rank not in drawn:  # a scene may be looked at twice
            keep = heapq.heappushpop if full else heapq.heappush
            keep(drawn, rank)
        return True

    def rest(self, /) -> Iterator[Candidate]:
        """Question by question: groups where every one of four options is somewhere the truth, then pairs."""
        for question in sorted(self.shelves):
            shelves = self.shelves[question].items()
            by_answer = {answer: [r[-1] for r in sorted(shelf)] for answer, shelf in shelves}
            yield from self._join(question, by_answer)
        yield from choices.pairs(self.shown, self.context)

    def _expected(self, question: Question) -> Expected | None:
        """What its words suggest; None where that is nothing, so that it gives no pair."""
        if question not in self.expected:
            added = self.context.associations(question)
            lure = self.context.lure(added)
            self.expected[question] = None if lure is None else _weighed(lure, added)
        return self.expected[question]

    def _join(self, question: Question, by_answer: dict[str, list[Fact]]) -> Iterator[Candidate]:
        """Facts are taken out of `by_answer`'s lists; its strongest answers first."""
        expected = self._expected(question)
        if expected is None:
            return
        lure, weaker, added = expected
        while by_answer.get(lure) and (others := [answer for answer in weaker if by_answer.get(answer)]):
            whole = len(others) >= MOST_OPTIONS - 1  # a group: each option is once the truth
            chosen = others[: MOST_OPTIONS - 1] if whole else [max(others, key=lambda a: len(by_answer[a]))]
            control = by_answer[lure].pop()
            stress = [self._nearest(control, by_answer[answer]) for answer in chosen]
            if pair := candidate(control, stress, added):
                yield pair

    def _nearest(self, control: Fact, facts: list[Fact]) -> Fact:
        """Take out the fact whose scene shows most of what the control's shows."""
        likeness = [choices.likeness(self.shown[control.scene_id], self.shown[fact.scene_id]) for fact in facts]
        return facts.pop(max(range(len(facts)), key=likeness.__getitem__))


def open(context: PairContext, /) -> Matched:  # noqa: A001 (the contract's verb)
    """Begin with empty shelves."""
    return Matched(context)


def _weighed(lure: str, added: Associations) -> Expected:
    weaker = (answer for answer in added if added[answer].value < added[lure].value)
    return Expected(lure, sorted(weaker, key=lambda answer: -added[answer].value), added)


def _ranked(fact: Fact, seed: int) -> Ranked:
    """With its place in a reservoir of the smallest hashes: the same facts whatever the order in which they come."""
    digest = sha256(f"{seed}/{fact.scene_id}/{fact.question}{fact.mark or ''}".encode()).digest()
    return -(int.from_bytes(digest[:8]) >> 1), fact.scene_id, fact
