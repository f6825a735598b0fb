"""Applies a function to many items on all cores, in their order."""

import logging
import os
import pickle
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from functools import cached_property
from hashlib import sha256
from itertools import islice
from threading import Thread
from typing import Any, Generic, TypeVar

from pstgen.core.records import Unavailable

A = TypeVar("A")
B = TypeVar("B")
LOG = logging.getLogger("pstgen")

AHEAD = 2  # batches that wait for each worker, so that no worker waits for a batch
IDLE = 600  # seconds after which a worker without work ends; one that ends just as work comes costs a warning
POLL = 0.5  # seconds between two checks that the parent process is alive


class Shared(Generic[A]):
    """A value that a function takes along, such as a table: each worker process unpacks it once, however many batches it gets."""

    def __init__(self, value: A) -> None:
        self.value = value

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpacked, self._packed

    @cached_property
    def _packed(self) -> tuple[bytes, bytes]:
        packed = pickle.dumps(self.value)
        return sha256(packed).digest(), packed


_held: dict[bytes, Shared[Any]] = {}  # in a worker process: the last one, by its digest


def _unpacked(digest: bytes, packed: bytes) -> Shared[Any]:
    if digest not in _held:
        _held.clear()
        _held[digest] = Shared(pickle.loads(packed))  # noqa: S301 (of the parent process)
    return _held[digest]


def cores() -> int:
    """How many processes can work at once here: the cores that the machine or its container allows."""
    from joblib import cpu_count

    return int(cpu_count())


def parallel_map(function: Callable[[A], B], items: Iterable[A], workers: int, batch: int = 16) -> Iterator[B]:
    """Yield `function(item)` for every item, in their order; with more than one worker, in that many processes.

    function: an importable function, or a partial of one. Raises what it raises, and Unavailable where a worker is killed.
    """
    if workers < 2:
        yield from map(function, items)
        return
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    pool = get_reusable_executor(workers, timeout=IDLE, initializer=_prepare, initargs=(os.getpid(),))
    waiting = deque[Future[tuple[list[B], list[logging.LogRecord]]]]()
    remaining = iter(items)
    try:
        while True:
            while len(waiting) < workers * AHEAD and (chunk := list(islice(remaining, batch))):
                waiting.append(pool.submit(_map, function, chunk))
            if not waiting:
                return
            results, said = waiting.popleft().result()
            for record in said:
                logging.getLogger(record.name).handle(record)
            yield from results
    except (BrokenProcessPool, TerminatedWorkerError) as error:
        raise Unavailable(
            f"a worker process was killed, usually for lack of memory: take fewer --workers ({error})"
        ) from error
    finally:
        for future in waiting:
            future.cancel()


def stop() -> None:
    """End the worker processes and free their memory; the next `parallel_map` starts new ones."""
    if loky := sys.modules.get("joblib.externals.loky.reusable_executor"):
        pool = loky._executor  # noqa: SLF001 (get_reusable_executor would start processes)
        if pool is not None:
            pool.shutdown(wait=True)


class _Said(logging.Handler):
    """Keeps what is logged in a worker process, for the parent to log it where the user wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def taken(self) -> list[logging.LogRecord]:
        """What was logged since this was asked last."""
        records, self.records = self.records, []
        return records


_said = _Said()


def _map(function: Callable[[Any], B], items: Sequence[Any]) -> tuple[list[B], list[logging.LogRecord]]:
    return [function(item) for item in items], _said.taken()


def _prepare(parent: int) -> None:
    """Prepare a worker: it has one thread, ignores Ctrl-C (the parent handles it), and ends when its parent ends, however that is.

    It keeps annotations in memory; by loky's own rule a process that has grown so much is replaced, with a warning.
    """
    import signal

    import cv2
    from joblib.externals.loky import process_executor

    process_executor._MAX_MEMORY_LEAK_SIZE = sys.maxsize  # noqa: SLF001 (there is no public way to say so)
    cv2.setNumThreads(1)
    LOG.addHandler(_said)
    LOG.propagate = False
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL)
    os._exit(1)
