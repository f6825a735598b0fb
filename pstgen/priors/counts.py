"""Counted frequencies, conditional on all the shared words and smoothed towards fewer of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from pstgen.records import Fact

STRENGTH = 4.0  # how many observations the less specific estimate is worth

Question = tuple[str, str, tuple[str, ...]]


class Counts:
    """P(answer | family, form, words), backing off word by word: all of them, the first alone, none, uniform."""

    def __init__(self) -> None:
        self.seen: defaultdict[Question, Counter[str]] = defaultdict(Counter)

    def add(self, fact: Fact) -> None:
        """Count one known fact at every level of detail."""
        for level in _levels(fact.question):
            self.seen[level][str(fact.truth.answer)] += 1

    def expect(self, question: Question, answers: tuple[str, ...], /) -> tuple[float, ...]:
        """Dirichlet smoothing: each level's estimate is the next finer one's prior, worth STRENGTH observations."""
        expected = [1 / len(answers)] * len(answers)
        for level in reversed(_levels(question)):
            counted = self.seen.get(level, Counter())
            total = sum(counted[answer] for answer in answers) + STRENGTH
            expected = [(counted[a] + STRENGTH * p) / total for a, p in zip(answers, expected, strict=True)]
        return tuple(expected)


def fit(facts: Iterable[Fact], /) -> Counts:
    """Count the known facts."""
    counts = Counts()
    for fact in facts:
        counts.add(fact)
    return counts


def _levels(question: Question) -> tuple[Question, ...]:
    """From the most specific to the least; a question of one word has no level of its own for "the first alone"."""
    family, form, about = question
    return tuple(dict.fromkeys([question, (family, form, about[:1]), (family, form, ())]))
