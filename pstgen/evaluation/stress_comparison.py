"""Two results on one set: which model wins more pairs, and how sure that is."""

from dataclasses import dataclass

import numpy as np

from pstgen.core.records import BadInput
from pstgen.core.statistics import mcnemar
from pstgen.evaluation.stress_result import StressResult

DRAWS = 2000  # of pairs, for the interval of the difference


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first model against the second on the pairs that both were given.

    first, second: shares of pairs won, 0 to 1. low, high: 95 % percentile interval of first - second, pairs drawn with
    replacement. only_first, only_second: pairs that one of them wins alone. p: of McNemar's exact test, two-sided.
    """

    pairs: int
    first: float
    second: float
    low: float
    high: float
    only_first: int
    only_second: int
    p: float


def compare(first: StressResult, second: StressResult, seed: int = 0) -> Comparison:
    """Compare on the pairs of both. Raises BadInput where they are results on different sets, or share no pair."""
    if first.set_seal != second.set_seal:
        raise BadInput(
            f"{first.model} and {second.model} were given different sets (their seals differ), so their pairs are not the same"
        )
    shared = sorted(first.won.keys() & second.won.keys())
    if not shared:
        raise BadInput(f"{first.model} and {second.model} share no pair all of whose twins both answered")
    won = np.array([[found.won[pair] for pair in shared] for found in (first, second)], np.int64)  # (2, P)
    difference = won[0] - won[1]
    counts = np.array([np.sum(difference == step) for step in (-1, 0, 1)])
    drawn = np.random.default_rng(seed).multinomial(len(shared), counts / len(shared), size=DRAWS) @ (-1, 0, 1)
    low, high = np.quantile(drawn / len(shared), (0.025, 0.975))
    scores = [dict(zip(shared, map(float, row), strict=True)) for row in won]
    return Comparison(
        pairs=len(shared),
        first=float(won[0].mean()),
        second=float(won[1].mean()),
        low=float(low),
        high=float(high),
        only_first=int(counts[2]),
        only_second=int(counts[0]),
        p=mcnemar(scores[0], scores[1]),
    )
