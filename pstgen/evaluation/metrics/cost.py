"""What answers cost: FLOPs, time at batch 1, energy, and money."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean
from time import perf_counter

import numpy as np

from pstgen.evaluation.metrics import Scores

WARM_UP = 3  # rounds that do not count
HOUR = 3600.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds of one answer: median and 95th percentile. first: median until the first token; joules: mean.

    first and joules are None where nobody offers the one, or no device tells the other.
    """

    p50: float
    p95: float
    first: float | None = None
    joules: float | None = None


def measure(told: Latency, price_per_hour: float) -> Scores:
    """Figures: p50, p95 and first in milliseconds, joules an answer, per_thousand answers in the price's currency."""
    figures = {
        "p50": told.p50,
        "p95": told.p95,
        "per_thousand": per_thousand(told.p50 / 1000, price_per_hour),
        "first": told.first,
        "joules": told.joules,
    }
    missing = {"first": "it does not say its answer token by token", "joules": "the device does not tell its energy"}
    return Scores(
        figures={name: one for name, one in figures.items() if one is not None},
        absent={name: why for name, why in missing.items() if figures[name] is None},
    )


def per_thousand(seconds: float, price_per_hour: float) -> float:
    """Price of a thousand answers, one after another.

    >>> per_thousand(0.36, 2.0)
    0.2
    """
    return 1000 * seconds / HOUR * price_per_hour


def latency(
    answerers: Mapping[str, Callable[[], object]],
    rounds: int,
    first: Mapping[str, Callable[[], object]] | None = None,
) -> dict[str, Latency]:
    """Call every answerer once a round, in turn, so that all share what else the machine does; three rounds warm up.

    An answerer answers one question and returns when that is done (on an accelerator: when the answer is on the host).
    first: the same up to the first token, of those that say their answer token by token.
    """
    taken: defaultdict[str, list[float]] = defaultdict(list)
    begun: defaultdict[str, list[float]] = defaultdict(list)
    used: defaultdict[str, list[float]] = defaultdict(list)
    for turn in range(WARM_UP + rounds):
        for name, answer in answerers.items():
            before = energy()
            seconds = _timed(answer)
            after = energy()
            until_first = _timed(first[name]) if first and name in first else None
            if turn < WARM_UP:
                continue
            taken[name].append(seconds)
            if until_first is not None:
                begun[name].append(until_first)
            if before is not None and after is not None:
                used[name].append(after - before)
    return {
        name: Latency(
            p50=1000 * float(np.quantile(some, 0.5)),
            p95=1000 * float(np.quantile(some, 0.95)),
            first=1000 * float(np.median(begun[name])) if begun[name] else None,
            joules=fmean(used[name]) if used[name] else None,
        )
        for name, some in taken.items()
    }


def _timed(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def energy() -> float | None:
    """Joules that the accelerator in use has taken since its driver was loaded, by NVML; None where none tells.

    The counter moves every few dozen milliseconds: differences are right on the mean of many answers, not of one.
    """
    import torch

    if not torch.cuda.is_available():
        return None
    import ctypes

    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None
    name = f"GPU-{torch.cuda.get_device_properties(torch.cuda.current_device()).uuid}".encode()
    device, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
    failed = (
        nvml.nvmlInit_v2()
        or nvml.nvmlDeviceGetHandleByUUID(name, ctypes.byref(device))
        or nvml.nvmlDeviceGetTotalEnergyConsumption(device, ctypes.byref(millijoules))
    )
    return None if failed else millijoules.value / 1000
