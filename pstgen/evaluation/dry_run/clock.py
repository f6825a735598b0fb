"""How long work takes when nothing else runs, and how long more of it would take."""

import heapq
from collections.abc import Callable, Iterable
from time import perf_counter, process_time
from typing import TypeVar

import torch

T = TypeVar("T")


def is_cpu_time() -> bool:
    """Does `now` count this process's CPU time, whatever else runs? Not where an accelerator does the work."""
    return not torch.cuda.is_available() and not torch.backends.mps.is_available()


def now() -> float:
    """Seconds so far, of CPU time or else by the clock."""
    if is_cpu_time():
        return process_time()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return perf_counter()


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds that the work takes, and its result."""
    start = now()
    result = work()
    return now() - start, result


def extrapolated(work: Callable[[int], object], few: int, many: int, whole: int) -> float:
    """Seconds for `whole` things, from the seconds for `few`, which warm up, and for `many`.

    What the first call took beyond its share (imports, a file that is read) is paid once.
    """
    start = now()
    work(few)
    middle = now()
    work(many)
    each = (now() - middle) / many
    return max(0.0, middle - start - few * each) + whole * each


def elapsed(jobs: Iterable[float], cores: int) -> float:
    """Seconds from the first job's beginning to the last one's end: each begins, in order, on the first free core.

    >>> elapsed([3, 2, 2], 2), elapsed([3, 2, 2], 1), elapsed([], 2)
    (4.0, 7.0, 0.0)
    """
    free = [0.0] * cores
    for seconds in jobs:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)
