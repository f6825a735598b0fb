"""Workers of the engine ray: actors that live as long as the run, so that a model is loaded once however often it is asked.

Ray Data's map_batches would start its actors, and with them load the weights, for each of the dozen times that a build asks a
judge, and its retries never end for an item that kills whoever answers it. Here, what a dead worker had goes to another one, which
has nothing else meanwhile; a batch that kills two is sent item by item, and an item that kills two more has failed.
"""

from __future__ import annotations

import logging
import os
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from pstgen.core.config import BuildConfig, JudgeConfig
from pstgen.core.records import BadInput, Unavailable
from pstgen.models.answering import Answered, Batch, Failure
from pstgen.models.journal import Logprobs
from pstgen.models.ray_worker import Files, Recipe, Worker, contents

LOG = logging.getLogger("pstgen")
AHEAD = 2  # batches that a worker has, so that it does not wait for the next one
DEATHS = 2  # of workers, after which what they had is sent item by item, or has failed
PATIENCE = 60.0  # seconds without a worker after which that is said
QUIET = {  # nothing is reported to anybody, and devices are left as they are where none is asked for
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
HOW = "pip install 'pstgen[ray]'"


@dataclass
class _Task:
    """Items of one batch on their way. deaths: workers that died of them, or beside them. suspect: it has a worker for itself."""

    number: int
    batch: Batch
    files: Files
    deaths: int = 0
    suspect: bool = False
    worker: Any = None


@dataclass
class _Whole:
    """A batch whose parts come back one by one. left: keys that are still out."""

    left: set[str]
    verdicts: dict[str, Logprobs] = field(default_factory=dict)
    failed: dict[str, Failure] = field(default_factory=dict)
    hopeless: bool = False


class Pool:
    """As many workers as the cluster takes. Raises Unavailable where Ray is missing, does not answer, or has no such GPUs."""

    def __init__(self, config: BuildConfig) -> None:
        self.ray = connected(config.judges.ray_address)
        self.config = config
        self.gpus = _gpus(config.judges, self.ray.cluster_resources())
        self.count = _count(config, self.gpus, self.ray)
        self.workers: list[Any] = []
        self.starting: dict[Any, Any] = {}  # workers by what says that they stand
        self.deaths = 0  # in a row, with no answer in between
        for _ in range(self.count):
            self._start()

    def ask(self, recipe: Recipe, batches: Iterator[Batch], *, with_images: bool) -> Iterator[Answered]:
        """An answer a batch, as they are done. with_images: does the judge look at each item's image?

        Raises Unavailable where the judge cannot be sent, and what a judge raises that is no item's failure.
        """
        asking = _Asking(self, self._sent(recipe))
        for batch in batches:
            if not batch.unknown:
                yield Answered(batch.number, {}, {})
                continue
            shown = contents(item.image for item in batch.unknown.values()) if with_images else {}
            yield from asking.send(_Task(batch.number, batch, shown))
        yield from asking.rest()

    def _sent(self, recipe: Recipe) -> Any:
        try:
            return self.ray.put(recipe)
        except (TypeError, AttributeError, ValueError) as error:  # of pickle, about what a third party's judge holds
            why = first_line(error)
            raise Unavailable(f"{recipe.name}: cannot be sent to a worker of Ray ({why}): --engine local") from None

    def close(self) -> None:
        """End all workers."""
        for worker in [*self.workers, *self.starting.values()]:
            self.ray.kill(worker)
        self.workers, self.starting = [], {}

    def stand(self, refs: list[Any]) -> None:
        """Take workers in whose process stands; where one cannot be started, that is a death."""
        for ref in refs:
            worker = self.starting.pop(ref)
            try:
                node = self.ray.get(ref)
            except self.ray.exceptions.RayError as error:
                self.bury(error)
            else:
                LOG.info("a worker of Ray stands on %s", node)
                self.workers.append(worker)

    def bury(self, error: Exception, worker: Any = None) -> None:
        """Start another worker in place of a dead one. Raises Unavailable where they die one after another."""
        if worker is not None and worker not in self.workers:
            return  # it had several batches, and is gone already
        if worker is not None:
            self.workers.remove(worker)
        self.deaths += 1
        reason = first_line(error)
        LOG.warning("a worker of Ray died, and another takes its place: %s", reason)
        if self.deaths > DEATHS * (self.count + 2):
            raise Unavailable(f"--engine ray: {self.deaths} workers died one after another, the last: {reason}")
        self._start()

    def _start(self) -> None:
        remote = self.ray.remote(Worker).options(num_cpus=1, num_gpus=self.gpus, max_restarts=0, max_task_retries=0)
        worker = remote.remote(self.config, _threads())
        self.starting[worker.ready.remote()] = worker


class _Asking:
    """One run of one judge: what is out, and what is to be sent again."""

    def __init__(self, pool: Pool, recipe: Any) -> None:
        self.pool, self.recipe = pool, recipe
        self.running: dict[Any, _Task] = {}
        self.again: deque[_Task] = deque()
        self.whole: dict[int, _Whole] = {}

    def send(self, task: _Task) -> Iterator[Answered]:
        """Send a batch as soon as there is a worker for it; gives what comes back until then."""
        self.whole[task.number] = _Whole(set(task.batch.unknown))
        self.again.append(task)
        while self.again:
            if worker := self._free_for(self.again[0]):
                self._submit(self.again.popleft(), worker)
            else:
                yield from self._collect()

    def rest(self) -> Iterator[Answered]:
        """All that is still out."""
        while self.running or self.again:
            while self.again and (worker := self._free_for(self.again[0])):
                self._submit(self.again.popleft(), worker)
            yield from self._collect()

    def _submit(self, task: _Task, worker: Any) -> None:
        task.worker = worker
        self.running[worker.answer.remote(self.recipe, task.batch, task.files)] = task

    def _free_for(self, task: _Task) -> Any:
        """The worker with the fewest batches; None where all have enough, or what killed a worker has to wait for one alone."""
        busy = Counter(id(other.worker) for other in self.running.values())
        taken = {id(other.worker) for other in self.running.values() if other.suspect}
        free = [worker for worker in self.pool.workers if id(worker) not in taken]
        idlest = min(free, key=lambda worker: busy[id(worker)], default=None)
        return idlest if idlest is not None and busy[id(idlest)] < (1 if task.suspect else AHEAD) else None

    def _collect(self) -> Iterator[Answered]:
        """Wait until something is done, or a worker stands."""
        pool, out = self.pool, [*self.running, *self.pool.starting]
        done, _ = pool.ray.wait(out, num_returns=1, timeout=None if pool.workers else PATIENCE)
        if not done:
            LOG.warning("no worker of Ray stands yet; free in the cluster: %s", pool.ray.available_resources())
        pool.stand([ref for ref in done if ref in pool.starting])
        for ref in (ref for ref in done if ref in self.running):
            task = self.running.pop(ref)
            try:
                answered: Answered = pool.ray.get(ref)
            except pool.ray.exceptions.RayTaskError as error:
                raise error.cause from None  # what a judge raised
            except pool.ray.exceptions.RayError as error:
                pool.bury(error, task.worker)
                answered = self._lost(task, first_line(error))
            else:
                pool.deaths = 0
            yield from self._add(answered)

    def _lost(self, task: _Task, reason: str) -> Answered:
        """Send again what a dead worker had; an item that no worker survives has failed."""
        items, deaths = task.batch.unknown, task.deaths + 1
        if deaths < DEATHS:
            self.again.append(_Task(task.number, task.batch, task.files, deaths, suspect=True))
        elif len(items) > 1:
            for key, item in items.items():
                files = {path: task.files[path] for path in (item.image,) if path in task.files}
                self.again.append(_Task(task.number, Batch(task.number, {key: item}), files, suspect=True))
        else:
            failed = {key: (item.question, f"{deaths} workers died of it: {reason}") for key, item in items.items()}
            return Answered(task.number, {}, failed)
        return Answered(task.number, {}, {})

    def _add(self, answered: Answered) -> Iterator[Answered]:
        """Put parts together; a batch is given when all of it is there."""
        whole = self.whole[answered.number]
        whole.verdicts.update(answered.verdicts)
        whole.failed.update(answered.failed)
        whole.hopeless |= answered.hopeless
        if whole.hopeless or whole.left == whole.verdicts.keys() | whole.failed.keys():
            del self.whole[answered.number]
            yield Answered(answered.number, whole.verdicts, whole.failed, whole.hopeless)


@cache
def connected(address: str | None) -> Any:
    """Ray, connected to a cluster, once. address: HOST:PORT or auto; None takes $RAY_ADDRESS, or starts Ray on this machine.

    Raises Unavailable where Ray is not installed or there is no such cluster.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    ray, where = (
        installed(),
        address or os.environ.get("RAY_ADDRESS") or "local",
    )  # by itself, Ray would join any cluster here
    if not ray.is_initialized():
        try:
            ray.init(address=where, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
        except Exception as error:  # noqa: BLE001 # Ray raises many kinds, some of gRPC's
            why = ": ".join(first_line(each) for each in (error, error.__cause__) if isinstance(each, Exception))
            raise Unavailable(f"--ray-address {where}: {why}") from None
    return ray


def installed() -> Any:
    """Ray, as installed. Raises Unavailable with the remedy where it is not."""
    try:
        return import_module("ray")
    except ImportError as error:
        raise Unavailable(f"--engine ray needs the package ray ({error}): {HOW}") from None


def first_line(error: Exception) -> str:
    """What went wrong, in one line: Ray's errors have many."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


def _gpus(judges: JudgeConfig, resources: dict[str, float]) -> float:
    """GPUs a worker. Raises BadInput where the cluster has too few for one."""
    there = resources.get("GPU", 0.0)
    wanted = judges.gpus_per_worker
    if wanted is None:
        return 1.0 if there >= 1 else 0.0
    if wanted > there:
        raise BadInput(f"--gpus-per-worker {wanted:g}: the cluster has {there:g} GPUs")
    return wanted


def _count(config: BuildConfig, gpus: float, ray: Any) -> int:
    """Workers: as many as there are GPUs for; without GPUs --workers, or one a machine, since a model takes all its cores."""
    resources = ray.cluster_resources()
    if gpus:
        return int(resources["GPU"] / gpus)
    machines = sum(bool(node["Alive"]) for node in ray.nodes())
    return max(1, min(config.workers or machines, int(resources.get("CPU", 1))))


def _threads() -> int:
    import torch

    return int(torch.get_num_threads())
