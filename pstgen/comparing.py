"""Are two answers the same, are two systems different, and how sure is a mean? (McNemar, bootstrap, Student)"""

import math
from collections.abc import Hashable, Mapping, Sequence
from statistics import fmean, stdev

import numpy as np

SURE = 0.95  # of every interval


def plain(answer: str) -> str:
    """An answer as it is compared: case, spaces and a final full stop do not count.

    >>> plain("  Dark  Red. ")
    'dark red'
    """
    return " ".join(answer.lower().split()).removesuffix(".").rstrip()


def bootstrap(values: Sequence[float], groups: Sequence[Hashable], draws: int, seed: int) -> tuple[float, float]:
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
