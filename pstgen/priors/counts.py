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

    def strongest(self, least: int) -> list[tuple[Question, str, int, int]]:
        """Questions that one answer dominates: (question, answer, how often, of how many), asked `least` times or more.

        In the order of how surely the answer is expected, by the lower end of a 95 % Wilson interval.
        """
        slots: dict[tuple[str, str], int] = {}
        for family, form, about in self.seen:
            slots[family, form] = max(slots.get((family, form), 0), len(about))
        full = [
            (question, answer, n, counted.total())
            for question, counted in self.seen.items()
            if len(question[2]) == slots[question[:2]] and counted.total() >= least
            for answer, n in counted.most_common(1)
        ]
        return sorted(full, key=lambda row: (-_surely(row[2], row[3]), row[0]))


def _surely(n: int, total: int) -> float:
    """Lower end of Wilson's 95 % interval."""
    z, share = 1.96, n / total
    middle = share + z**2 / (2 * total)
    return float((middle - z * (share * (1 - share) / total + z**2 / (4 * total**2)) ** 0.5) / (1 + z**2 / total))


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
