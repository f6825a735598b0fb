"""How sure a figure is: shares of pairs, means, and differences between systems (Clopper-Pearson, bootstrap, Student, McNemar)."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

DRAWS = 1000  # of the bootstrap
SURE = 0.95  # of the intervals of means


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


def of_pairs(
    right: NDArray[np.int64], asked: NDArray[np.int64], *, chance: float, confidence: float, seed: int
) -> Share:
    """`right` of `asked` things, (P,) each: how many of every pair. What was asked of no pair gives no share: ValueError."""
    right, asked = right[asked > 0], asked[asked > 0]
    if not len(asked):
        raise ValueError("a share of nothing")
    low, high = clopper_pearson(right, int(asked.sum()), confidence)
    bootstrap_low, bootstrap_high = bootstrap(right, asked, confidence, seed)
    return Share(float(right.sum() / asked.sum()), low, high, bootstrap_low, bootstrap_high, chance)


def clopper_pearson(right: NDArray[np.int64], total: int, confidence: float) -> tuple[float, float]:
    """Bounds of sum(right) / total where each of the (P,) is one draw.

    Where no pair has more than one right, and so for whatever goes by the words of twins, the pairs that have one are a
    binomial. In general the mean of `right` is the sum over j of P(right >= j), a binomial each; they share the doubt
    (Bonferroni).
    """
    from scipy.stats import binomtest

    most = max(1, int(right.max()))
    level = 1 - (1 - confidence) / most
    found = [binomtest(int((right >= j).sum()), len(right)).proportion_ci(level) for j in range(1, most + 1)]
    low, high = (len(right) / total * sum(getattr(one, side) for one in found) for side in ("low", "high"))
    return float(low), min(1.0, float(high))


def bootstrap(right: NDArray[np.int64], asked: NDArray[np.int64], confidence: float, seed: int) -> tuple[float, float]:
    """Percentiles of sum(right) / sum(asked) over DRAWS sets of as many pairs, drawn with replacement.

    Pairs that are alike in both numbers are counted, not drawn one by one: such counts are a multinomial.
    """
    kinds, counts = np.unique(np.column_stack([right, asked]), axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(right), counts / len(right), size=DRAWS)  # (DRAWS, kinds)
    low, high = np.quantile(drawn @ kinds[:, 0] / (drawn @ kinds[:, 1]), [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def bootstrap_mean(values: Sequence[float], groups: Sequence[Hashable], draws: int, seed: int) -> tuple[float, float]:
    """95 % percentile interval (low, high) of the mean of `values`, by drawing whole groups (pairs) anew.

    groups: what each value belongs to. Twins share their words and a lure, so they are no two independent draws. Source:
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    number = {group: n for n, group in enumerate(dict.fromkeys(groups))}
    rows = np.array([number[group] for group in groups])
    sums, sizes = np.bincount(rows, weights=np.asarray(values, float)), np.bincount(rows)
    drawn = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=draws)
    low, high = np.quantile((drawn @ sums) / (drawn @ sizes), [(1 - SURE) / 2, (1 + SURE) / 2])
    return float(low), float(high)


def mcnemar(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """How likely a difference as large is between equally good systems: exact and two-sided, 0 to 1.

    Scores by question, 0 to 1; questions that only one of them answered do not count. Where a score can lie between, the
    larger one wins the question (a sign test). 1 where no question parts them. Source: McNemar (1947).
    """
    from scipy.stats import binomtest

    shared = one.keys() & other.keys()
    better = sum(one[name] > other[name] for name in shared)
    worse = sum(one[name] < other[name] for name in shared)
    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def interval(means: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high): Student's 95 % interval over the means of at least two seeds."""
    from scipy.stats import t

    middle = fmean(means)
    reach = float(t.ppf((1 + SURE) / 2, len(means) - 1)) * stdev(means) / math.sqrt(len(means))
    return middle, middle - reach, middle + reach
