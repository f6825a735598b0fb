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
LEAST = 8  # ordinary questions of a form that a mean rests on
MOST = 400  # ordinary questions in all
FLOOR = 1e-6  # of a mean probability
TIE = 1e-9  # nats
Z = 1.645  # one-sided 95 %

Form = tuple[str, str, tuple[str, ...]]  # family, form, options in alphabetical order


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A judge's mean probability of each option of a form, and what it reaches without that.

    right: calibrated answers of `of` ordinary questions that are right. chance: how many a constant answer gets. raw: how many
    are right without calibration.
    """

    means: dict[Form, tuple[float, ...]]
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
        """Calibrated log-probabilities in the item's order; the verdict's own where its form is not known well enough."""
        mean = self.means.get(form(item))
        if mean is None or not verdict.logprobs:
            return verdict.logprobs
        order = sorted(item.options)
        habits = np.array([mean[order.index(option)] for option in item.options])
        left = _normalized(verdict.logprobs) - np.log(habits)
        return tuple((left - np.logaddexp.reduce(left)).tolist())


def form(item: Item) -> Form:
    """What questions have in common that a judge has one habit for."""
    return item.family, item.form, tuple(sorted(item.options))


def ordinary(examples: Iterable[Item]) -> list[Item]:
    """Of each form, equally many questions of every answer, each question and answer once; MOST in all, evenly taken."""
    by_form: defaultdict[Form, dict[str, dict[str, Item]]] = defaultdict(lambda: defaultdict(dict))
    for item in examples:
        of_answer = by_form[form(item)][item.answer]
        if len(of_answer) < PER_ANSWER:
            of_answer.setdefault(item.question, item)
    rounds = [_rounds(by_answer) for _, by_answer in sorted(by_form.items())]
    kept = [of for of in rounds if sum(map(len, of)) >= LEAST]
    kept = kept[:: max(1, -(-LEAST * len(kept) // MOST))]
    total = sum(len(of) * len(of[0]) for of in kept)
    share = min(1.0, MOST / total) if total else 0.0
    return [item for of in kept for row in of[: max(-(-LEAST // len(of[0])), int(share * len(of)))] for item in row]


def _rounds(by_answer: dict[str, dict[str, Item]]) -> list[tuple[Item, ...]]:
    """A question of every answer, as often as each has one left; nothing where there is one answer only."""
    columns = [list(by_answer[answer].values()) for answer in sorted(by_answer)]
    return list(zip(*columns, strict=False)) if len(columns) > 1 else []


def fit(items: Sequence[Item], verdicts: Iterable[Verdict]) -> Calibration:
    """From verdicts on ordinary questions."""
    answered = [(item, verdict) for item, verdict in zip(items, verdicts, strict=True) if verdict.logprobs]
    by_form: defaultdict[Form, list[NDArray[np.float64]]] = defaultdict(list)
    for item, verdict in answered:
        order = sorted(range(len(item.options)), key=item.options.__getitem__)
        by_form[form(item)].append(np.exp(_normalized(verdict.logprobs))[order])
    means = {
        of: tuple(np.maximum(np.mean(rows, axis=0), FLOOR).tolist())
        for of, rows in by_form.items()
        if len(rows) >= LEAST
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


def _answer(item: Item, logprobs: Sequence[float]) -> str:
    """The likeliest option; "" where several are equally likely."""
    likeliest = np.flatnonzero(np.array(logprobs) >= max(logprobs) - TIE)
    return item.options[int(likeliest[0])] if len(likeliest) == 1 else ""


def _chances(items: Sequence[Item]) -> NDArray[np.float64]:
    """Of each question, the share that the commonest answer to its form has: what a constant answer gets."""
    answers: defaultdict[Form, Counter[str]] = defaultdict(Counter)
    for item in items:
        answers[form(item)][item.answer] += 1
    shares = {of: max(counts.values()) / counts.total() for of, counts in answers.items()}
    return np.array([shares[form(item)] for item in items])


def _normalized(logprobs: Sequence[float]) -> NDArray[np.float64]:
    row = np.array(logprobs)
    normalized: NDArray[np.float64] = row - np.logaddexp.reduce(row)
    return normalized
