"""Processes that train and examine: as many at once as there are cores, and none outlives the run."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import wait as waited
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from typing import Any

from pstgen.core import workers
from pstgen.core.records import Unavailable


def watched(futures: Sequence[Future[Any]], look: Callable[[], object]) -> Iterator[Future[Any]]:
    """Futures as they are done; the first that fails stops the rest."""
    left = set(futures)
    while left:
        done, left = waited(left, timeout=2.0, return_when="FIRST_COMPLETED")
        look()
        for future in done:
            if future.exception():
                for other in left:
                    other.cancel()
            yield future


def cores() -> int:
    """How many stages learn at once: one on an accelerator, else one a core."""
    import torch

    return 1 if torch.cuda.is_available() else workers.cores()


@contextmanager
def processes() -> Iterator[ProcessPoolExecutor]:
    """One process a core, one thread each, which small models use best; on an accelerator one process."""
    with ProcessPoolExecutor(cores(), mp_context=get_context("spawn"), initializer=_alone) as pool:
        try:
            yield pool
        except BaseException as error:  # whatever it was: what still runs is stopped, and goes on with --resume
            for worker in active_children():
                worker.terminate()
            if isinstance(error, BrokenProcessPool):
                raise Unavailable("a process was killed, as a rule for memory: lower batch, then --resume") from error
            raise


def _alone() -> None:
    """One thread, no talk, and an end with the process that began it, however that ends."""
    import torch
    import transformers

    Thread(target=_end_with, args=(parent_process(),), daemon=True).start()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(threads())


def threads() -> int:
    """Of one stage: one, since as many stages learn at once as there are cores; all of them on an accelerator."""
    import torch

    return torch.get_num_threads() if torch.cuda.is_available() else 1


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
