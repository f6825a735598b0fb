"""What answers cost; what could not be measured is absent."""

from types import SimpleNamespace

import pytest

from pstgen.evaluation.metrics import Latency, cost


def measured(price, **latency):
    return cost.measure(SimpleNamespace(latency=Latency(**latency), price=price))


def test_without_energy_and_first_token_these_are_absent_with_their_reasons():
    scores = measured(1.0, p50=10, p95=20)
    assert set(scores.absent) == {"first", "joules"}
    assert set(scores.figures) == {"p50", "p95", "per_thousand"}


def test_a_thousand_answers_of_36_milliseconds_cost_a_hundredth_of_an_hour():
    assert measured(5.0, p50=36, p95=50, first=3, joules=2).figures == pytest.approx(
        {"p50": 36, "p95": 50, "per_thousand": 0.05, "first": 3, "joules": 2}
    )
