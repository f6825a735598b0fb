"""Systems answer in turn; what cannot be measured is None."""

import time
from types import SimpleNamespace

import pynvml
import pytest
import torch

from pstgen.evaluation import latency
from pstgen.evaluation.metrics import Latency


@pytest.fixture
def ticking(monkeypatch):
    """Every look at the clock is one second later."""
    clock = iter(range(10_000))
    monkeypatch.setattr(latency, "perf_counter", lambda: next(clock))


@pytest.mark.usefixtures("ticking")
def test_systems_answer_in_turn_and_warming_up_does_not_count():
    order = []
    measured = latency.in_turn({name: lambda name=name: order.append(name) for name in "abc"}, 5)
    assert order == ["a", "b", "c"] * (latency.WARM_UP + 5)
    assert measured == dict.fromkeys("abc", Latency(p50=1000, p95=1000, each=(1000.0,) * 5))


def test_percentiles_are_of_the_rounds_after_warming_up(monkeypatch):
    taken = [99] * latency.WARM_UP + list(range(1, 101))
    ticks = iter([tick for n, seconds in enumerate(taken) for tick in (1000 * n, 1000 * n + seconds)])
    monkeypatch.setattr(latency, "perf_counter", lambda: next(ticks))
    measured = latency.in_turn({"a": lambda: None}, 100)["a"]
    assert (measured.p50, measured.p95) == pytest.approx((50_500, 95_050))


@pytest.mark.usefixtures("ticking")
def test_the_first_token_is_timed_of_those_that_offer_it():
    generated = []
    measured = latency.in_turn({"a": lambda: None, "b": lambda: None}, 2, {"b": lambda: generated.append(1)})
    assert (measured["a"].first, measured["b"].first) == (None, 1000)
    assert len(generated) == latency.WARM_UP + 2


def test_energy_is_the_difference_of_the_devices_own_counter(monkeypatch):
    counter = iter(range(0, 1000, 3))
    monkeypatch.setattr(latency, "energy", lambda: float(next(counter)))
    assert latency.in_turn({"a": lambda: None}, 4)["a"].joules == 3


@pytest.mark.skipif(torch.cuda.is_available(), reason="an accelerator may have a counter")
def test_without_an_accelerator_energy_is_unknown():
    assert latency.energy() is None
    assert latency.in_turn({"a": lambda: time.sleep(0)}, 3)["a"].joules is None


@pytest.mark.parametrize(("counter", "joules"), [(4_500, 4.5), (None, None)])
def test_the_devices_counter_is_read_in_millijoules_and_one_that_has_none_is_unknown(monkeypatch, counter, joules):
    """NVML as nvidia-ml-py offers it, on a machine without an accelerator."""

    def total(device):
        if counter is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return {"GPU-ab-12": counter}[device]

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(uuid="ab-12"))
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda uuid: uuid)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", total)
    assert latency.energy() == joules


@pytest.mark.gpu
def test_an_accelerator_counts_the_joules_that_it_takes():
    before = latency.energy()
    if before is None:
        pytest.skip("this accelerator has no counter")
    matrix = torch.ones(4096, 4096, device="cuda")
    for _ in range(200):
        matrix @ matrix
    torch.cuda.synchronize()
    time.sleep(0.2)
    assert 0 < latency.energy() - before < 10_000
