"""How sure a figure is: confidence intervals of a share and of a mean, and a test of the difference between two systems."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

DRAWS = 1000  # of `bootstrap_ratio`
CONFIDENCE = 0.95  # of the intervals of means


@dataclass(frozen=True, slots=True)
class Share:
    """A share, 0 to 1, and its bounds at the confidence that was asked for.

    low, high: Clopper-Pearson's, a pair being one draw. bootstrap_low, bootstrap_high: percentiles of sets drawn from the
    pairs with replacement. chance: the share that is reached by drawing options.
    """

    share: float
    low: float
    high: float
    bootstrap_low: float
    bootstrap_high: float
    chance: float


def share_of_pairs(
    right: NDArray[np.int64], counted: NDArray[np.int64], *, chance: float, confidence: float, seed: int
) -> Share:
    """The share of right answers; right, counted: (P,) how many answers of each pair are right, and how many there are.

    Raises ValueError where no pair has any.
    """
    right, counted = right[counted > 0], counted[counted > 0]
    if not len(counted):
        raise ValueError("a share of nothing")
    low, high = clopper_pearson(right, int(counted.sum()), confidence)
    bootstrap_low, bootstrap_high = bootstrap_ratio(right, counted, confidence, seed)
    return Share(float(right.sum() / counted.sum()), low, high, bootstrap_low, bootstrap_high, chance)


def clopper_pearson(right: NDArray[np.int64], total: int, confidence: float) -> tuple[float, float]:
    """(low, high) of sum(right) / total, where each of the (P,) pairs is one draw.

    Where no pair has more than one right answer, as with whatever goes by the words that twins share, the number of pairs
    that have one is binomial. In general the mean of `right` is the sum over j of P(right >= j), each of them binomial;
    their intervals share the error probability (Bonferroni).
    """
    from scipy.stats import binomtest

    most = max(1, int(right.max()))
    level = 1 - (1 - confidence) / most
    intervals = [binomtest(int((right >= j).sum()), len(right)).proportion_ci(level) for j in range(1, most + 1)]
    low, high = (len(right) / total * sum(getattr(bounds, side) for bounds in intervals) for side in ("low", "high"))
    return float(low), min(1.0, float(high))


def binomial(right: int, total: int, confidence: float) -> tuple[float, float]:
    """(low, high), Clopper-Pearson's, of right / total independent draws."""
    from scipy.stats import binomtest

    low, high = binomtest(right, total).proportion_ci(confidence)
    return float(low), float(high)


def bootstrap_ratio(
    right: NDArray[np.int64], counted: NDArray[np.int64], confidence: float, seed: int
) -> tuple[float, float]:
    """(low, high) percentiles of sum(right) / sum(counted) over DRAWS sets of as many pairs, drawn with replacement.

    Pairs with the same two numbers are not drawn one by one: how often each combination is drawn is multinomial.
    """
    kinds, counts = np.unique(np.column_stack([right, counted]), axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(right), counts / len(right), size=DRAWS)  # (DRAWS, kinds)
    return _percentiles(drawn @ kinds[:, 0] / (drawn @ kinds[:, 1]), confidence)


def bootstrap_mean(values: Sequence[float], groups: Sequence[Hashable], draws: int, seed: int) -> tuple[float, float]:
    """(low, high), the 95 % percentile interval of the mean of `values`, over `draws` sets of as many whole groups.

    groups: the pair that each value belongs to; twins share their words and a lure, so they are not independent. Source:
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    number = {group: n for n, group in enumerate(dict.fromkeys(groups))}
    rows = np.array([number[group] for group in groups])
    sums, sizes = np.bincount(rows, weights=np.asarray(values, float)), np.bincount(rows)
    drawn = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=draws)
    return _percentiles((drawn @ sums) / (drawn @ sizes), CONFIDENCE)


def _percentiles(drawn: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def student_interval(means: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high): Student's 95 % interval over the means of at least two seeds."""
    from scipy.stats import t

    middle = fmean(means)
    reach = float(t.ppf((1 + CONFIDENCE) / 2, len(means) - 1)) * stdev(means) / math.sqrt(len(means))
    return middle, middle - reach, middle + reach


def mcnemar(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """The p-value, exact and two-sided, of the difference between two systems: how likely it is if they are equally good.

    first, second: each system's scores by question, 0 to 1; questions that only one of them answered do not count. Where
    scores lie between 0 and 1, the larger one wins the question (a sign test). 1 where they differ on no question. Source:
    McNemar (1947).
    """
    from scipy.stats import binomtest

    shared = first.keys() & second.keys()
    better = sum(first[name] > second[name] for name in shared)
    worse = sum(first[name] < second[name] for name in shared)
    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0
