"""Counted frequencies: P(answer | words), smoothed towards fewer words, and what the words add to the answer's log-odds."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from math import hypot, log
from typing import NamedTuple

from pstgen.core.records import Association
from pstgen.questions import families
from pstgen.questions.families import Question
from pstgen.questions.priors import Expected, is_asked
from pstgen.scenes import vocabulary

STRENGTH = 4.0  # how many observations the less specific estimate is worth
TAILS = (0.025, 0.975)
FLOOR = 1e-9  # of a share, and of what it lacks to one


class Interval(NamedTuple):
    """Log-odds, with the ends of their 95 % interval."""

    value: float
    low: float
    high: float


class Counts:
    """P(answer | family, form, words), backing off word by word: all of them, the first alone, none, uniform."""

    def __init__(self, tally: Mapping[tuple[Question, str], int]) -> None:
        self.full = {question for question, _ in tally}
        self.seen: defaultdict[Question, Counter[str]] = defaultdict(Counter)
        self.known: dict[tuple[Question, tuple[str, ...]], tuple[Association, ...]] = {}  # so far
        for (question, answer), n in tally.items():
            for level in dict.fromkeys((question, *_sums(question))):
                self.seen[level][answer] += n

    def expect(self, question: Question, answers: tuple[str, ...], /) -> tuple[float, ...]:
        """Dirichlet smoothing: each level's estimate is the next finer one's prior, worth STRENGTH observations."""
        counted = [families.expected_of(question, answer) for answer in answers]
        if all(other == question for other, _ in counted):
            return self._shares(question, answers)
        odds = [self._share(other, answer) for other, answer in counted]
        return tuple(share / sum(odds) for share in odds)

    def associate(self, question: Question, answers: tuple[str, ...], /) -> tuple[Association, ...]:
        """Log-odds of each answer given all the words, less its log-odds given the form alone, or in scenes without the context.

        A scene answers a question once, so the answers are independent draws: each share's interval is exact (Clopper and Pearson
        1934), and the two are joined as those of a difference are (MOVER; Donner and Zou 2012).
        """
        key = question, answers
        if key not in self.known:
            counted = (families.expected_of(question, answer) for answer in answers)
            self.known[key] = tuple(self._associate(*each, len(answers)) for each in counted)
        return self.known[key]

    def _associate(self, question: Question, answer: str, options: int) -> Association:
        n, counted = self._times(question), self._times(question, answer)
        if _names_its_answers(question):
            given = _interval(self._shares(question, (answer, _other(question, answer)))[0], counted, n)
            base = Interval(*[_log_odds(1 / options)] * 3)
        else:
            given = _interval(self._share(question, answer), counted, n)
            base = self._base(question, answer)
        value = given.value - base.value
        down, up = (
            hypot(given.value - given.low, base.high - base.value),
            hypot(given.high - given.value, base.value - base.low),
        )
        return Association(value, value - down, value + up, n)

    def _base(self, question: Question, answer: str) -> Interval:
        """Of the form alone; where the words name a context, of the scenes without it."""
        plain = families.without_context(question)
        if plain is None:
            form = (question[0], question[1], ())
            return _interval(self._share(form, answer), self._times(form, answer), self._times(form))
        counted, n = (max(0, self._times(plain, of) - self._times(question, of)) for of in (answer, None))
        uniform = 1 / len(families.load(question[0]).answers(question[1], question[2]))
        return _interval((counted + STRENGTH * uniform) / (n + STRENGTH), counted, n)

    def _times(self, question: Question, answer: str | None = None) -> int:
        """How often the question had that answer, or any."""
        counted = self.seen.get(question, Counter[str]())
        return counted.total() if answer is None else counted[answer]

    def _share(self, question: Question, answer: str) -> float:
        """P(answer) among all that such questions are answered by."""
        family, form, about = question
        answers = families.load(family).answers(form.removesuffix(families.ANYWHERE), about)
        return self._shares(question, answers)[answers.index(answer)]

    def _shares(self, question: Question, answers: tuple[str, ...]) -> tuple[float, ...]:
        """No observation counts twice: of a less specific level, only what the next finer one does not hold."""
        expected, levels, none = [1 / len(answers)] * len(answers), _levels(question), Counter[str]()
        for finer, level in reversed(list(zip((None, *levels[:-1]), levels, strict=True))):
            counted, again = self.seen.get(level, none), self.seen.get(finer, none) if finer else none
            rest = [max(0, counted[answer] - again[answer]) for answer in answers]
            total = sum(rest) + STRENGTH
            expected = [(n + STRENGTH * p) / total for n, p in zip(rest, expected, strict=True)]
        return tuple(expected)

    def strongest(self, least: int, /) -> list[Expected]:
        """Questions answered `least` times or more, each with the answer that its words add most to, the surest first."""
        rows = list[Expected]()
        for question in filter(is_asked, self.full):
            if self.seen[question].total() >= least:
                family, form, about = question
                answers = families.load(family).answers(form, about)
                added = dict(zip(answers, self.associate(question, answers), strict=True))
                counted = self.seen[question]
                answer = max(filter(counted.__getitem__, answers), key=lambda answer: added[answer].low)
                rows.append(Expected(question, answer, counted[answer], counted.total(), added[answer]))
        return sorted(rows, key=lambda row: (-row.association.low, row.question))


def fit(tally: Mapping[tuple[Question, str], int], /) -> Counts:
    """Sum up the counts at every level of detail."""
    return Counts(tally)


def _interval(share: float, counted: int, n: int) -> Interval:
    """Log-odds of a smoothed share, with the ends of the exact 95 % interval of `counted` of `n`.

    The smoothing is no evidence: of a thing that is seldom anywhere and was not there in a few scenes it would make sure that
    the context keeps it away.
    """
    from scipy.special import betaincinv

    low = float(betaincinv(counted, n - counted + 1, TAILS[0])) if counted else 0.0
    high = float(betaincinv(counted + 1, n - counted, TAILS[1])) if counted < n else 1.0
    return Interval(_log_odds(share), _log_odds(min(low, share)), _log_odds(max(high, share)))


def _log_odds(share: float) -> float:
    share = min(max(share, FLOOR), 1 - FLOOR)
    return log(share / (1 - share))


def _sums(question: Question) -> tuple[Question, ...]:
    """The less specific levels that are sums over this one; a question without its context is counted by itself."""
    family, form, about = question
    if families.without_context(question):
        return ()
    return (family, form, about[:1]), (family, form, ())


def _levels(question: Question) -> tuple[Question, ...]:
    """From the most specific to the least."""
    plain = families.without_context(question)
    return (question, *_levels(plain)) if plain else tuple(dict.fromkeys((question, *_sums(question))))


def _names_its_answers(question: Question) -> bool:
    """Do the words of the question name what it can be answered by, as in "which is nearer, the cup or the dog"?"""
    family, form, about = question
    answers = families.load(family).answers(form.removesuffix(families.ANYWHERE), about)
    return set(answers) <= set(map(vocabulary.spoken, about))


def _other(question: Question, answer: str) -> str:
    return next(noun for noun in map(vocabulary.spoken, question[2]) if noun != answer)
