"""Another scene of the source in which the same words have the other answer."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import sha256

from pstgen import plugins
from pstgen.config import BuildConfig
from pstgen.priors import Expectation
from pstgen.records import Candidate, Fact

MOST_OPTIONS = 4

Ranked = tuple[int, str, Fact]


def pair(facts: Iterable[Fact], prior: Expectation, config: BuildConfig, /) -> Iterator[Candidate]:
    """Join scenes in which the lure is right to scenes in which it is wrong; every fact serves once.

    Memory is bounded: of each question and answer only the facts that a seeded hash draws first are kept.
    """
    shelves: defaultdict[tuple[str, str, tuple[str, ...]], dict[str, list[Ranked]]] = defaultdict(dict)
    for fact in facts:
        shelf = shelves[fact.question].setdefault(str(fact.truth.answer), [])
        _keep(shelf, fact, config)
    for question in sorted(shelves):
        by_answer = {
            answer: [r[-1] for r in sorted(shelf, reverse=True)] for answer, shelf in shelves[question].items()
        }
        yield from _join(question, by_answer, prior, config)


def _keep(shelf: list[Ranked], fact: Fact, config: BuildConfig) -> None:
    """A reservoir of the smallest hashes: the same facts whatever the order in which they come."""
    digest = sha256(f"{config.seed}/{fact.scene_id}/{fact.question}".encode()).digest()
    ranked = (-int.from_bytes(digest[:8]), fact.scene_id, fact)
    if len(shelf) < config.pairs_per_question:
        heapq.heappush(shelf, ranked)
    else:
        heapq.heappushpop(shelf, ranked)


def _join(
    question: tuple[str, str, tuple[str, ...]],
    by_answer: dict[str, list[Fact]],
    prior: Expectation,
    config: BuildConfig,
) -> Iterator[Candidate]:
    family, form, about = question
    answers = plugins.load("families", family).answers(form, about)
    expected = dict(zip(answers, prior.expect(question, answers), strict=True))
    lure = max(answers, key=expected.__getitem__)
    controls = by_answer.pop(lure, [])
    stressed = _in_turn([by_answer[answer] for answer in answers if answer in by_answer])
    for control, stress in zip(controls, stressed, strict=False):
        options = _options(answers, expected, lure, str(stress.truth.answer))
        total = sum(expected[option] for option in options)
        candidate = Candidate(
            pair_id=_name(stress, control),
            stress=stress,
            control=control,
            options=options,
            prior=tuple(expected[option] / total for option in options),
        )
        if candidate.pull >= config.min_pull:
            yield candidate


def _in_turn(shelves: list[list[Fact]]) -> Iterator[Fact]:
    """One of each answer, then the next of each, so that stress twins do not all share an answer."""
    for rank in range(max(map(len, shelves), default=0)):
        yield from (shelf[rank] for shelf in shelves if rank < len(shelf))


def _options(answers: tuple[str, ...], expected: dict[str, float], lure: str, answer: str) -> tuple[str, ...]:
    """The lure, the truth, and what else one would expect, in natural order."""
    others = sorted((a for a in answers if a not in {lure, answer}), key=lambda a: -expected[a])
    chosen = {lure, answer, *others[: MOST_OPTIONS - 2]}
    return tuple(a for a in answers if a in chosen)


def _name(stress: Fact, control: Fact) -> str:
    text = f"{stress.question} {stress.scene_id} {control.scene_id}"
    return f"{stress.family}-{sha256(text.encode()).hexdigest()[:12]}"
