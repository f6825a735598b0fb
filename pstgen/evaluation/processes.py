"""Processes that train and evaluate: as many at once as there are cores, and none outlives the run."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import TypeVar

from pstgen.core import workers
from pstgen.core.records import Unavailable
from pstgen.training import stages
from pstgen.training.stages import Task, TrainingCost

T = TypeVar("T")
POLL_SECONDS = 2.0


def as_completed(futures: Sequence[Future[T]], poll: Callable[[], object] = lambda: None) -> Iterator[Future[T]]:
    """Futures as they are done; the first that fails stops the rest. poll: called every two seconds meanwhile."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        poll()
        for future in done:
            if future.exception():
                for waiting in pending:
                    waiting.cancel()
            yield future


def train(task: Task) -> TrainingCost:
    """Train one stage; the log in its folder tells how far it is."""
    return stages.train(task, _ignore)


def _ignore(step: int, figures: dict[str, float]) -> None:
    """Report nothing to the process that waits."""


def cores() -> int:
    """How many stages are trained at once: one on an accelerator, else one a core."""
    import torch

    return 1 if torch.cuda.is_available() else workers.cores()


@contextmanager
def worker_pool() -> Iterator[ProcessPoolExecutor]:
    """One process a core, one thread each, which small models use best; on an accelerator one process."""
    with ProcessPoolExecutor(cores(), mp_context=get_context("spawn"), initializer=_set_up) as pool:
        try:
            yield pool
        except BaseException as error:  # whatever it was: what still runs is stopped, and goes on with --resume
            for worker in active_children():
                worker.terminate()
            if isinstance(error, BrokenProcessPool):
                raise Unavailable(
                    "a process was killed, usually for lack of memory: lower batch, then --resume"
                ) from error
            raise


def _set_up() -> None:
    """Of every process: one thread, no messages, and an end with its parent, however that ends."""
    import torch
    import transformers

    Thread(target=_end_with, args=(parent_process(),), daemon=True).start()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(threads())


def threads() -> int:
    """Of one stage: one, since as many stages are trained at once as there are cores; all of them on an accelerator."""
    import torch

    return torch.get_num_threads() if torch.cuda.is_available() else 1


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
