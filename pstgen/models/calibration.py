"""What is left of a blind model's verdict after its habits are taken away, and whether that is better than chance.

A model that says "no" to everything has no prior. So from each option's log-probability the log of its mean probability is
taken away, over ordinary questions of the same form and options (batch calibration, Zhou et al. 2024). Of such questions,
balanced by their answers, a competent model gets more right than chance does (95 %); another one does not decide.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Item, Verdict

PER_ANSWER = 60  # ordinary questions of each answer of a form, at most
LEAST = 8  # ordinary questions of a form; and how many of them the mean of all options is worth
MOST = 400  # ordinary questions in all
FLOOR = 1e-6  # of a mean probability
TIE = 1e-9  # nats
Z = 1.645  # one-sided 95 %

Form = tuple[str, str, int]  # family, form, number of options
Option = tuple[str, str, str]  # family, form, option


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A judge's mean probability of each option of a form, wherever it is offered, and what it reaches without that.

    right: calibrated answers of `of` ordinary questions that are right. chance: how many a constant answer gets. raw: how many
    are right without calibration.
    """

    means: dict[Option, float]
    right: int
    raw: int
    of: int
    chance: float
    spread: float

    @property
    def competent(self) -> bool:
        """Is it right more often than chance, one-sided at 95 %?"""
        return self.of > 0 and self.right > self.chance + Z * self.spread

    def summary(self) -> dict[str, float]:
        """What was measured, for the manifest."""
        counts = {"of": self.of, "right": self.right, "right uncalibrated": self.raw}
        return counts | {"by chance": round(self.chance, 1)}

    def apply(self, item: Item, verdict: Verdict) -> tuple[float, ...]:
        """Calibrated log-probabilities in the item's order; an option that was never offered has the mean of all."""
        if verdict.calibrated or not verdict.logprobs:
            return verdict.calibrated or verdict.logprobs
        mean = 1 / len(item.options)
        habits = [self.means.get((item.family, item.form, option), mean) for option in item.options]
        left = _normalized(verdict.logprobs) - np.log(np.array(habits, dtype=np.float64))
        return tuple((left - np.logaddexp.reduce(left)).tolist())


def form(item: Item) -> Form:
    """What questions have in common that are balanced together."""
    return item.family, item.form, len(item.options)


def place(item: Item) -> int:
    """Of the answer, among the options in alphabetical order: where every question offers the same it is the answer itself."""
    return sorted(item.options).index(item.answer)


def ordinary(examples: Iterable[Item]) -> list[Item]:
    """Of each form, equally many questions of every answer, each question and answer once; MOST in all, evenly taken."""
    by_form: defaultdict[Form, dict[int, dict[str, Item]]] = defaultdict(lambda: defaultdict(dict))
    for item in examples:
        of_answer = by_form[form(item)][place(item)]
        if len(of_answer) < PER_ANSWER:
            of_answer.setdefault(f"{item.question} {item.options}", item)
    rounds = [_rounds(by_answer) for _, by_answer in sorted(by_form.items())]
    kept = [of for of in rounds if sum(map(len, of)) >= LEAST]
    kept = kept[:: max(1, -(-LEAST * len(kept) // MOST))]
    total = sum(len(of) * len(of[0]) for of in kept)
    share = min(1.0, MOST / total) if total else 0.0
    return [item for of in kept for row in of[: max(-(-LEAST // len(of[0])), int(share * len(of)))] for item in row]


def _rounds(by_answer: dict[int, dict[str, Item]]) -> list[tuple[Item, ...]]:
    """A question of every answer, as often as each has one left; nothing where there is one answer only."""
    columns = [list(by_answer[answer].values()) for answer in sorted(by_answer)]
    return list(zip(*columns, strict=False)) if len(columns) > 1 else []


def fit(items: Sequence[Item], verdicts: Iterable[Verdict]) -> Calibration:
    """From verdicts on ordinary questions."""
    answered = [(item, verdict) for item, verdict in zip(items, verdicts, strict=True) if verdict.logprobs]
    by_option: defaultdict[Option, list[float]] = defaultdict(list)
    for item, verdict in answered:
        for option, share in zip(item.options, np.exp(_normalized(verdict.logprobs)).tolist(), strict=True):
            by_option[item.family, item.form, option].append(share)
    mean = {form(item)[:2]: 1 / len(item.options) for item, _ in answered}
    means = {
        of: _drawn_to(max(FLOOR, sum(shares) / len(shares)), mean[of[:2]], len(shares))
        for of, shares in by_option.items()
    }
    known = Calibration(means=means, right=0, raw=0, of=0, chance=0.0, spread=0.0)
    right = sum(_answer(item, known.apply(item, verdict)) == item.answer for item, verdict in answered)
    raw = sum(_answer(item, verdict.logprobs) == item.answer for item, verdict in answered)
    chances = _chances(items)
    return Calibration(
        means=means,
        right=right,
        raw=raw,
        of=len(items),
        chance=float(chances.sum()),
        spread=float(np.sqrt((chances * (1 - chances)).sum())),
    )


def _drawn_to(share: float, mean: float, n: int) -> float:
    """The share of `n` questions, its logarithm drawn towards the mean's as if by LEAST questions."""
    return float(np.exp((n * np.log(share) + LEAST * np.log(mean)) / (n + LEAST)))


def _answer(item: Item, logprobs: Sequence[float]) -> str:
    """The likeliest option; "" where several are equally likely."""
    likeliest = np.flatnonzero(np.array(logprobs) >= max(logprobs) - TIE)
    return item.options[int(likeliest[0])] if len(likeliest) == 1 else ""


def _chances(items: Sequence[Item]) -> NDArray[np.float64]:
    """Of each question, the share that the commonest answer to its form has: what a constant answer gets."""
    answers: defaultdict[Form, Counter[int]] = defaultdict(Counter)
    for item in items:
        answers[form(item)][place(item)] += 1
    shares = {of: max(counts.values()) / counts.total() for of, counts in answers.items()}
    return np.array([shares[form(item)] for item in items])


def _normalized(logprobs: Sequence[float]) -> NDArray[np.float64]:
    row = np.array(logprobs)
    normalized: NDArray[np.float64] = row - np.logaddexp.reduce(row)
    return normalized
