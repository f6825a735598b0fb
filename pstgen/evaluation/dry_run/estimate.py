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
from pstgen.evaluation import pool
from pstgen.evaluation.arms import Arm, plan
from pstgen.evaluation.arms import stages as stages_of
from pstgen.evaluation.data import Materials
from pstgen.evaluation.dry_run import clock, samples, trials
from pstgen.evaluation.dry_run.samples import Build, Samples
from pstgen.evaluation.dry_run.trials import Stages, Systems
from pstgen.training.recipe import Recipe
from pstgen.training.stages import Learnt, Task

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
class Estimate:
    """What one seed costs. seconds: of each part, from its beginning to its end on `device`; basis: what was measured."""

    costs: Sequence[Cost]
    seconds: Mapping[str, float]
    device: str
    basis: str


def weigh(  # noqa: PLR0913 (where everything is)
    recipe: Recipe, made: Materials, out: Path, progress: Progress, *, build: Build, encoders: bool = False
) -> Estimate:
    """Make a sample of all that a run in `out` would make, count and time it; all is thrown away.

    made: what the user gave is read, and nothing is written there. build: builds a stress test. encoders: of stage 1
    alone.
    """
    few = msgspec.structs.replace(recipe, seeds=1)
    progress.plan(WORK[:2] if encoders else WORK)
    with _threads(pool.threads()), scratch.folder("pstgen-") as work:
        sample = samples.gather(few, made, out, work, progress, build=build, lessons_alone=encoders)
        stages, arms = _tried(few, sample, work, progress, encoders=encoders)
        waves = [[_stage(task, stages(task)) for task in wave] for wave in _waves(arms, encoders=encoders)]
        exam = sample.exam
        systems = Systems(few, exam, sample.materials, work, stages.tools) if exam else None
        evaluation = _evaluation(systems, arms, progress) if systems else []
    examples = [Cost(EXAMPLES, each.name, each.scenes, "scenes", each.seconds) for each in sample.examples]
    return _estimate(examples, waves, evaluation, _basis(stages, sum(map(len, waves)), systems, len(arms)))


def _estimate(
    examples: Sequence[Cost], waves: Sequence[Sequence[Cost]], evaluation: Sequence[Cost], basis: str
) -> Estimate:
    """Sum it up: examples are made one after another, and so are latencies; stages and systems share the cores."""
    cores = pool.cores()

    def together(costs: Sequence[Cost]) -> float:
        return clock.elapsed((cost.seconds for cost in costs), cores)

    seconds = {
        EXAMPLES: sum(cost.seconds for cost in examples),
        TRAINING: sum(map(together, waves)),
        EVALUATION: together(evaluation[:-1]) + sum(cost.seconds for cost in evaluation[-1:]),
    }
    return Estimate([*examples, *chain.from_iterable(waves), *evaluation], seconds, _device(cores), basis)


def _tried(
    recipe: Recipe, sample: Samples, work: Path, progress: Progress, *, encoders: bool
) -> tuple[Stages, list[Arm]]:
    """Every stage, tried, and the plan of the run, which depends on what stages cost."""
    made = sample.materials
    rough = plan(recipe, made, work, lambda task: Learnt(task.steps, 0, 1.0, 0.0))
    uses = not encoders and any(arm.plan.told == "tools" for arm in rough)
    stages = Stages(trials.tried_tools(recipe, made, work) if uses else None)
    tasks = [task for wave in _waves(rough, encoders=encoders) for task in wave]
    for task in progress(tasks, "trying stages", len(tasks)):
        stages(task)
    return stages, rough if encoders else plan(recipe, made, work, stages)


def _waves(arms: Sequence[Arm], *, encoders: bool) -> list[list[Task]]:
    """What is trained at once: stage 1 of all systems, then stage 2."""
    return list(stages_of(arms)[: 1 if encoders else 2])


def _stage(task: Task, learnt: Learnt) -> Cost:
    name = task.out.name if task.stage == "encoder" else task.out.parent.name
    return Cost(TRAINING, name, task.steps, "steps", learnt.seconds, learnt.parameters, learnt.flops, learnt.memory)


def _evaluation(systems: Systems, arms: Sequence[Arm], progress: Progress) -> list[Cost]:
    """Every system, and at the end how long their answers take, which is measured one system after another."""
    costs, rounds, seconds = list[Cost](), 0, 0.0
    for arm in progress(arms, "trying systems", len(arms)):
        examined = systems(arm)
        costs.append(Cost(EVALUATION, arm.system, examined.answers, "answers", examined.seconds))
        rounds, seconds = rounds + trials.ROUND_ROBIN, seconds + examined.latency
    return [*costs, Cost(EVALUATION, "latency", rounds, "answers", seconds)]


def _device(cores: int) -> str:
    if torch.cuda.is_available():
        return "one accelerator"
    return f"{cores} core{'s' * (cores != 1)}"


def _basis(stages: Stages, trained: int, systems: Systems | None, examined: int) -> str:
    """What was counted and what was timed."""
    kinds = f"systems: {examined}, kinds: {len(systems.tried)}" if systems else ""
    answers = f", {samples.ROWS} answers of every kind of system ({kinds})" if systems else ""
    seconds = "in CPU time on one core" if clock.is_cpu_time() else "on this device"
    return (
        f"Counted: {trials.STEPS} steps of every kind (stages: {trained}, kinds of step: {len(stages.tried)}). "
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
