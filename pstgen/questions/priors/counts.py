"""Counted frequencies, conditional on all the shared words and smoothed towards fewer of them."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from pstgen.questions.priors import Question

STRENGTH = 4.0  # how many observations the less specific estimate is worth


class Counts:
    """P(answer | family, form, words), backing off word by word: all of them, the first alone, none, uniform."""

    def __init__(self, tally: Mapping[tuple[Question, str], int]) -> None:
        self.full = {question for question, _ in tally}
        self.seen: defaultdict[Question, Counter[str]] = defaultdict(Counter)
        for (question, answer), n in tally.items():
            for level in _levels(question):
                self.seen[level][answer] += n

    def expect(self, question: Question, answers: tuple[str, ...], /) -> tuple[float, ...]:
        """Dirichlet smoothing: each level's estimate is the next finer one's prior, worth STRENGTH observations."""
        expected = [1 / len(answers)] * len(answers)
        for level in reversed(_levels(question)):
            counted = self.seen.get(level, Counter())
            total = sum(counted[answer] for answer in answers) + STRENGTH
            expected = [(counted[a] + STRENGTH * p) / total for a, p in zip(answers, expected, strict=True)]
        return tuple(expected)

    def strongest(self, least: int, /) -> list[tuple[Question, str, int, int]]:
        """Questions that one answer dominates: (question, answer, how often, of how many), answered `least` times or more.

        In the order of how surely the answer is expected, by the lower end of a 95 % Wilson interval.
        """
        rows = [
            (question, answer, n, self.seen[question].total())
            for question in self.full
            if self.seen[question].total() >= least
            for answer, n in sorted(self.seen[question].items(), key=lambda row: (-row[1], row[0]))[:1]
        ]
        return sorted(rows, key=lambda row: (-_surely(row[2], row[3]), row[0]))


def fit(tally: Mapping[tuple[Question, str], int], /) -> Counts:
    """Sum up the counts at every level of detail."""
    return Counts(tally)


def _surely(n: int, total: int) -> float:
    """Lower end of Wilson's 95 % interval."""
    z, share = 1.96, n / total
    middle = share + z**2 / (2 * total)
    return float((middle - z * (share * (1 - share) / total + z**2 / (4 * total**2)) ** 0.5) / (1 + z**2 / total))


def _levels(question: Question) -> tuple[Question, ...]:
    """From the most specific to the least; a question of one word has no level of its own for "the first alone"."""
    family, form, about = question
    return tuple(dict.fromkeys([question, (family, form, about[:1]), (family, form, ())]))
