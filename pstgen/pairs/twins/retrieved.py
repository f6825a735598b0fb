"""Another scene of the source in which the same words have the other answer."""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256

from pstgen.core.config import BuildConfig
from pstgen.core.records import Candidate, Fact, Scene
from pstgen.pairs.context import MOST_OPTIONS, PairContext, candidate

Ranked = tuple[int, str, Fact]
Question = tuple[str, str, tuple[str, ...]]


class Retrieved:
    """Joins scenes in which the lure is right to scenes in which it is wrong; every fact serves once.

    Memory is bounded: of each question and answer only the facts that a seeded hash draws first are kept.
    """

    def __init__(self, context: PairContext) -> None:
        self.context = context
        self.shelves: defaultdict[Question, dict[str, list[Ranked]]] = defaultdict(dict)

    def pair(self, scene: Scene, facts: Sequence[Fact], /) -> Iterator[Candidate]:  # noqa: ARG002 (facts name their scene)
        """Keep the facts; one scene alone gives no pair."""
        for fact in facts:
            shelf = self.shelves[fact.question].setdefault(str(fact.truth.answer), [])
            _keep(shelf, fact, self.context.config)
        yield from ()

    def rest(self, /) -> Iterator[Candidate]:
        """Question by question: groups where every one of four options is somewhere the truth, then pairs."""
        for question in sorted(self.shelves):
            shelves = self.shelves[question].items()
            by_answer = {answer: [r[-1] for r in sorted(shelf)] for answer, shelf in shelves}
            yield from _join(question, by_answer, self.context)


def open(context: PairContext, /) -> Retrieved:  # noqa: A001 (the contract's verb)
    """Begin with empty shelves."""
    return Retrieved(context)


def _keep(shelf: list[Ranked], fact: Fact, config: BuildConfig) -> None:
    """A reservoir of the smallest hashes: the same facts whatever the order in which they come."""
    digest = sha256(f"{config.seed}/{fact.scene_id}/{fact.question}{fact.mark or ''}".encode()).digest()
    ranked = (-int.from_bytes(digest[:8]), fact.scene_id, fact)
    if len(shelf) < config.pairs.pairs_per_question:
        heapq.heappush(shelf, ranked)
    else:
        heapq.heappushpop(shelf, ranked)


def _join(question: Question, by_answer: dict[str, list[Fact]], context: PairContext) -> Iterator[Candidate]:
    """Facts are taken from the ends of `by_answer`'s lists."""
    expected = context.expects(question)
    lure = max(expected, key=expected.__getitem__)
    while by_answer.get(lure):
        others = sorted((a for a in expected if a != lure and by_answer.get(a)), key=lambda a: -expected[a])
        if not others:
            return
        whole = len(others) >= MOST_OPTIONS - 1  # a group: each option is once the truth
        chosen = others[: MOST_OPTIONS - 1] if whole else [max(others, key=lambda a: len(by_answer[a]))]
        pair = candidate(by_answer[lure].pop(), [by_answer[answer].pop() for answer in chosen], expected)
        if pair.pull >= context.config.pairs.min_pull:
            yield pair
