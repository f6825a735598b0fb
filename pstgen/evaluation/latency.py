"""How long one answer takes, and how much energy: all systems side by side, one question at a time, in turn."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import cycle
from statistics import fmean
from time import perf_counter

import numpy as np

from pstgen.evaluation import inference
from pstgen.evaluation.inference import EvalJob, JobEvaluation
from pstgen.evaluation.metrics import Latency
from pstgen.models.answerer import Answerer, Query
from pstgen.models.huggingface import Model
from pstgen.training.systems import System

WARM_UP, ROUNDS = 3, 60  # answers of every system that do not count, and that do

Call = Callable[[], object]


def of_jobs(jobs: Sequence[EvalJob]) -> dict[str, Latency]:
    """By system: questions of the stress test in turn. The jobs are those of one seed."""
    queries = [inference.as_query(row) for row in JobEvaluation(jobs[0]).rows(ROUNDS)]
    load = cache(lambda folder: Model(str(folder), "auto"))  # some systems answer with the weights of others
    answers: dict[str, Call] = {}
    first_tokens: dict[str, Call] = {}
    for job in jobs:
        system, answerer = inference.load_system(job.system), inference.load_answerer(job, load)
        for part in answerer.parts.values():  # a router may not come to it while the others warm up
            part.answer(queries[:1])
        answers[job.system] = partial(_answer, system, answerer, cycle(queries))
        if not (
            system.PLAN.weights_of or system.PLAN.parts or job.detector
        ):  # the others compute several times before their first token
            first_tokens[job.system] = partial(_first_token, answerer, cycle(queries), sees=system.PLAN.sees)
    return in_turn(answers, ROUNDS, first_tokens)


def _answer(system: System, answerer: Answerer, queries: Iterator[Query]) -> None:
    system.answer(answerer, [next(queries)])


def _first_token(answerer: Answerer, queries: Iterator[Query], *, sees: bool) -> None:
    query = next(queries)
    answerer.generate([query if sees else replace(query, image=None)], 1)


def in_turn(
    answers: Mapping[str, Call], rounds: int, first_tokens: Mapping[str, Call] | None = None
) -> dict[str, Latency]:
    """Call every system once a round, in turn, so that all share what else the machine does; three rounds warm up.

    answers: of each system what answers one question and returns when that is done (on an accelerator: when the answer is on
    the host). first_tokens: the same up to the first token, of the systems that generate their answer token by token.
    """
    seconds = defaultdict[str, list[float]](list)
    first_seconds = defaultdict[str, list[float]](list)
    joules = defaultdict[str, list[float]](list)
    for turn in range(WARM_UP + rounds):
        for name, answer in answers.items():
            before = energy()
            taken = _seconds(answer)
            after = energy()
            until_first = _seconds(first_tokens[name]) if first_tokens and name in first_tokens else None
            if turn < WARM_UP:
                continue
            seconds[name].append(taken)
            if until_first is not None:
                first_seconds[name].append(until_first)
            if before is not None and after is not None:
                joules[name].append(after - before)
    return {name: _latency(taken, first_seconds[name], joules[name]) for name, taken in seconds.items()}


def _latency(seconds: Sequence[float], first_seconds: Sequence[float], joules: Sequence[float]) -> Latency:
    return Latency(
        p50=1000 * float(np.quantile(seconds, 0.5)),
        p95=1000 * float(np.quantile(seconds, 0.95)),
        each=tuple(1000 * taken for taken in seconds),
        first=1000 * float(np.median(first_seconds)) if first_seconds else None,
        joules=fmean(joules) if joules else None,
    )


def _seconds(call: Call) -> float:
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
    import pynvml

    uuid = torch.cuda.get_device_properties(torch.cuda.current_device()).uuid
    try:
        pynvml.nvmlInit()
        device = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(device)) / 1000
    except pynvml.NVMLError:
        return None
