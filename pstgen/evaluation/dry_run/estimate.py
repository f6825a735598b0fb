"""What a run would cost: examples, training and evaluation, estimated from samples before anything is trained."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import msgspec
import torch

from pstgen.core import scratch
from pstgen.core.progress import Progress
from pstgen.evaluation import processes
from pstgen.evaluation.arms import Arm, plan_arms, tasks_by_stage
from pstgen.evaluation.data import DataPaths
from pstgen.evaluation.dry_run import clock, samples, stage_trials, system_trials
from pstgen.evaluation.dry_run.samples import Build, Samples
from pstgen.evaluation.dry_run.stage_trials import StageTrials
from pstgen.evaluation.dry_run.system_trials import SystemTrials
from pstgen.training.recipe import Recipe
from pstgen.training.stages import Task, TrainingCost

EXAMPLES, TRAINING, EVALUATION = "making examples", "training", "evaluation"
WORK = [("sampling examples", 4.0), ("trying stages", 13.0), ("trying systems", 8.0)]  # and about how many seconds


@dataclass(frozen=True)
class Cost:
    """One row. number: of scenes, steps or answers, as `unit` says; seconds: of all of them, on one core.

    parameters, flops (of all steps) and memory (bytes, of one step) are those of a stage, and 0 of anything else.
    """

    part: str
    name: str
    number: int
    unit: str
    seconds: float
    parameters: int = 0
    flops: float = 0.0
    memory: float = 0.0


@dataclass(frozen=True)
class RunEstimate:
    """What one seed costs. seconds: of each part, from its beginning to its end on `device`; basis: what was measured."""

    costs: Sequence[Cost]
    seconds: Mapping[str, float]
    device: str
    basis: str


def estimate_run(  # noqa: PLR0913 (where everything is)
    recipe: Recipe, given: DataPaths, out: Path, progress: Progress, *, build: Build, encoders_alone: bool = False
) -> RunEstimate:
    """Make a sample of all that a run in `out` would make, count and time it; all is thrown away.

    given: what the user gave is read, and nothing is written there. build: builds a stress test. encoders_alone: stage 1
    alone.
    """
    one_seed = msgspec.structs.replace(recipe, seeds=1)
    progress.plan(WORK[:2] if encoders_alone else WORK)
    with _threads(processes.threads()), scratch.folder("pstgen-") as work:
        sample = samples.gather(one_seed, given, out, work, progress, build=build, examples_alone=encoders_alone)
        stages, arms = _try_stages(one_seed, sample, work, progress, encoders_alone=encoders_alone)
        trained = [
            [_stage_row(task, stages(task)) for task in stage] for stage in _stages(arms, encoders_alone=encoders_alone)
        ]
        systems, evaluated = None, list[Cost]()
        if sample.questions:
            systems = SystemTrials(one_seed, sample.questions, sample.paths, work, stages.tool_sample)
            evaluated = _try_systems(systems, arms, progress)
    made = [Cost(EXAMPLES, cost.name, cost.scenes, "scenes", cost.seconds) for cost in sample.costs]
    return _sum_up(made, trained, evaluated, _basis(stages, sum(map(len, trained)), systems, len(arms)))


def _sum_up(
    made: Sequence[Cost], trained: Sequence[Sequence[Cost]], evaluated: Sequence[Cost], basis: str
) -> RunEstimate:
    """Data are made one after another, and so are latencies; stages and systems share the cores."""
    cores = processes.cores()

    def together(costs: Sequence[Cost]) -> float:
        return clock.elapsed((cost.seconds for cost in costs), cores)

    seconds = {
        EXAMPLES: sum(cost.seconds for cost in made),
        TRAINING: sum(map(together, trained)),
        EVALUATION: together(evaluated[:-1]) + sum(cost.seconds for cost in evaluated[-1:]),
    }
    return RunEstimate([*made, *chain.from_iterable(trained), *evaluated], seconds, _device(cores), basis)


def _try_stages(
    recipe: Recipe, sample: Samples, work: Path, progress: Progress, *, encoders_alone: bool
) -> tuple[StageTrials, list[Arm]]:
    """Every stage, tried, and the arms of the run, which depend on what stages cost."""
    rough = plan_arms(recipe, sample.paths, work, lambda task: TrainingCost(task.steps, 0, 1.0, 0.0))
    uses_tools = not encoders_alone and any(arm.plan.uses_detector for arm in rough)
    trials = StageTrials(stage_trials.try_tools(recipe, sample.paths, work) if uses_tools else None)
    tasks = list(chain.from_iterable(_stages(rough, encoders_alone=encoders_alone)))
    for task in progress(tasks, "trying stages", len(tasks)):
        trials(task)
    return trials, rough if encoders_alone else plan_arms(recipe, sample.paths, work, trials)


def _stages(arms: Sequence[Arm], *, encoders_alone: bool) -> list[list[Task]]:
    """What is trained at once: stage 1 of all systems, then stage 2, then stage 3."""
    return list(tasks_by_stage(arms)[: 1 if encoders_alone else None])


def _stage_row(task: Task, cost: TrainingCost) -> Cost:
    return Cost(TRAINING, task.name, task.steps, "steps", cost.seconds, cost.parameters, cost.flops, cost.memory)


def _try_systems(trials: SystemTrials, arms: Sequence[Arm], progress: Progress) -> list[Cost]:
    """Every system, and at the end how long latency takes, which is measured one system after another."""
    rows, rounds, seconds = list[Cost](), 0, 0.0
    for arm in progress(arms, "trying systems", len(arms)):
        cost = trials(arm)
        rows.append(Cost(EVALUATION, arm.system, cost.answers, "answers", cost.seconds))
        rounds, seconds = rounds + system_trials.ROUND_ROBIN, seconds + cost.latency
    return [*rows, Cost(EVALUATION, "latency", rounds, "answers", seconds)]


def _device(cores: int) -> str:
    if torch.cuda.is_available():
        return "one accelerator"
    return f"{cores} core{'s' * (cores != 1)}"


def _basis(stages: StageTrials, trained: int, systems: SystemTrials | None, evaluated: int) -> str:
    """What was counted and what was timed."""
    kinds = f"systems: {evaluated}, kinds: {len(systems.answer_times)}" if systems else ""
    answers = f", {samples.ROWS} answers of every kind of system ({kinds})" if systems else ""
    seconds = "in CPU time on one core" if clock.is_cpu_time() else "on this device"
    return (
        f"Counted: {stage_trials.STEPS} steps of every kind (stages: {trained}, kinds of step: {len(stages.steps)}). "
        f"Timed, {seconds}: the same steps, a few scenes{answers}. Left out: loading libraries, the report."
    )


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """As many threads as a run has for one stage."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
