"""What answers cost; what could not be measured is absent."""

from types import SimpleNamespace

import pytest

from pstgen.evaluation.metrics import Latency, cost


def measured(price, each=(10.0,), deadline=100.0, **latency):
    return cost.measure(SimpleNamespace(latency=Latency(each=each, **latency), price=price, deadline=deadline))


def test_without_energy_and_first_token_these_are_absent_with_their_reasons():
    scores = measured(1.0, p50=10, p95=20)
    assert set(scores.absent) == {"first", "joules"}
    assert set(scores.figures) == {"p50", "p95", "p99", "in_time", "per_thousand"}


def test_a_thousand_answers_of_36_milliseconds_cost_a_hundredth_of_an_hour():
    assert measured(5.0, p50=36, p95=50, first=3, joules=2).figures == pytest.approx(
        {"p50": 36, "p95": 50, "p99": 10, "in_time": 100, "per_thousand": 0.05, "first": 3, "joules": 2}
    )


def test_in_time_is_the_share_of_answers_within_the_deadline_which_one_late_answer_in_four_lowers_by_a_quarter():
    figures = measured(1.0, (20.0, 100.0, 30.0, 400.0), p50=65, p95=350).figures
    assert figures["in_time"] == 75
    assert 350 < figures["p99"] < 400
