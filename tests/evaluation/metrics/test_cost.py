"""Systems in turn; what is not told is absent."""

import time

import pytest
import torch

from pstgen.evaluation.metrics import cost
from pstgen.evaluation.metrics.cost import Latency


def test_systems_answer_in_turn_and_warming_up_does_not_count(monkeypatch):
    order = []
    clock = iter(range(10_000))
    monkeypatch.setattr(cost, "perf_counter", lambda: next(clock))
    told = cost.latency({name: lambda name=name: order.append(name) for name in "abc"}, 5)
    assert order == ["a", "b", "c"] * (cost.WARM_UP + 5)
    assert told == dict.fromkeys("abc", Latency(p50=1000, p95=1000))  # one tick of the clock each


def test_percentiles_are_of_the_rounds_after_warming_up(monkeypatch):
    taken = [99] * cost.WARM_UP + list(range(1, 101))
    ticks = iter([tick for n, one in enumerate(taken) for tick in (1000 * n, 1000 * n + one)])
    monkeypatch.setattr(cost, "perf_counter", lambda: next(ticks))
    told = cost.latency({"a": lambda: None}, 100)["a"]
    assert (told.p50, told.p95) == pytest.approx((50_500, 95_050))


def test_the_first_token_is_timed_of_those_that_offer_it(monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr(cost, "perf_counter", lambda: next(clock))
    spoken = []
    told = cost.latency({"a": lambda: None, "b": lambda: None}, 2, {"b": lambda: spoken.append(1)})
    assert (told["a"].first, told["b"].first) == (None, 1000)
    assert len(spoken) == cost.WARM_UP + 2


def test_energy_is_the_difference_of_the_devices_own_counter(monkeypatch):
    counter = iter(range(0, 1000, 3))
    monkeypatch.setattr(cost, "energy", lambda: float(next(counter)))
    assert cost.latency({"a": lambda: None}, 4)["a"].joules == 3


@pytest.mark.skipif(torch.cuda.is_available(), reason="an accelerator may tell")
def test_without_an_accelerator_energy_and_first_token_are_absent_with_their_reasons():
    assert cost.energy() is None
    scores = cost.measure(cost.latency({"a": lambda: time.sleep(0)}, 3)["a"], 1.0)
    assert set(scores.absent) == {"first", "joules"}
    assert set(scores.figures) == {"p50", "p95", "per_thousand"}


def test_a_thousand_answers_of_36_milliseconds_cost_a_hundredth_of_an_hour():
    assert cost.measure(Latency(p50=36, p95=50, first=3, joules=2), 5.0).figures == pytest.approx(
        {"p50": 36, "p95": 50, "per_thousand": 0.05, "first": 3, "joules": 2}
    )
