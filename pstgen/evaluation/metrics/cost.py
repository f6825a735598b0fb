"""What answers cost: time, energy, and money; and are they there in time?"""

from statistics import fmean

import numpy as np

from pstgen.evaluation.metrics import Evaluation, Headline, Scores

HEADLINES = (Headline("p50", "latency p50, ms", unit="ms", higher_is_better=False, place=60, heading="p50 ms"),)
SECONDS_PER_HOUR = 3600.0
MISSING = {"first": "it does not say its answer token by token", "joules": "the device does not tell its energy"}


def measure(evaluation: Evaluation, /) -> Scores:
    """Figures: p50, p95, p99 and first in milliseconds, joules an answer, per_thousand answers in the price's currency.

    in_time: percent of the answers that are there within the deadline.
    """
    latency = evaluation.latency
    figures = {
        "p50": latency.p50,
        "p95": latency.p95,
        "p99": float(np.quantile(latency.each, 0.99)),
        "in_time": 100 * fmean(taken <= evaluation.deadline for taken in latency.each),
        "per_thousand": price_of_thousand(latency.p50 / 1000, evaluation.price),
        "first": latency.first,
        "joules": latency.joules,
    }
    return Scores(
        figures={name: value for name, value in figures.items() if value is not None},
        absent={name: reason for name, reason in MISSING.items() if figures[name] is None},
    )


def price_of_thousand(seconds: float, price_per_hour: float) -> float:
    """Price of a thousand answers, one after another.

    >>> price_of_thousand(0.36, 2.0)
    0.2
    """
    return 1000 * seconds / SECONDS_PER_HOUR * price_per_hour
