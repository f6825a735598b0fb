"""A function over many things, on all cores, in their order."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from threading import Thread
from typing import Any, TypeVar

from pstgen.core.records import Unavailable

A = TypeVar("A")
B = TypeVar("B")

AHEAD = 2  # batches a worker that wait for it, so that it never waits
WATCHED = 0.5  # seconds between two looks at whether the parent process is alive


def cores() -> int:
    """How many processes can work at once here, as far as the machine or its container lets us."""
    from joblib import cpu_count

    return int(cpu_count())


def each(function: Callable[[A], B], things: Iterable[A], workers: int, batch: int = 16) -> Iterator[B]:
    """Yield `function` of each thing, in their order; with more than one worker in that many processes.

    function: a function that can be imported, or a partial of one. Raises what it raises, and Unavailable where a worker
    is killed.
    """
    if workers < 2:
        yield from map(function, things)
        return
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    pool = get_reusable_executor(workers, initializer=_end_with, initargs=(os.getpid(),))
    waiting = deque[Future[list[B]]]()
    batches = iter(things)
    try:
        while True:
            while len(waiting) < workers * AHEAD and (taken := list(islice(batches, batch))):
                waiting.append(pool.submit(_all, function, taken))
            if not waiting:
                return
            yield from waiting.popleft().result()
    except (BrokenProcessPool, TerminatedWorkerError) as error:
        raise Unavailable(f"a worker process was killed, as a rule for memory: fewer --workers ({error})") from error
    finally:
        for future in waiting:
            future.cancel()


def stop() -> None:
    """End the processes and free what they hold; the next `each` starts others."""
    import sys

    if loky := sys.modules.get("joblib.externals.loky.reusable_executor"):
        pool = loky._executor  # noqa: SLF001 (asking by get_reusable_executor would start some)
        if pool is not None:
            pool.shutdown(wait=True)


def _all(function: Callable[[Any], B], things: Sequence[Any]) -> list[B]:
    return [function(thing) for thing in things]


def _end_with(parent: int) -> None:
    """Prepare a worker: one thread, deaf to Ctrl-C (which its parent hears), and an end with its parent, however that ends."""
    import signal

    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCHED)
    os._exit(1)
