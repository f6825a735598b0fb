"""What a run would cost: every stage's parameters, FLOPs, memory and time, before anything is trained."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import msgspec
import torch

from pstgen.core.progress import Progress
from pstgen.evaluate import materials as shelf
from pstgen.evaluate import run
from pstgen.recipe import Recipe
from pstgen.train.stages import Task, ready, step
from pstgen.train.stages import weigh as weighed

TIMED = 4  # steps


@dataclass(frozen=True)
class Cost:
    """One stage. flops: of all steps; memory: bytes, of one step; seconds: of all steps, with the threads of a run."""

    name: str
    steps: int
    parameters: int
    flops: float
    memory: float
    seconds: float


def weigh(recipe: Recipe, track: Progress) -> list[Cost]:
    """Make every stage from a few lessons, count it, and time some steps; all is thrown away."""
    few = msgspec.structs.replace(recipe, scenes=min(recipe.scenes, 4 * recipe.batch), seeds=1)
    with TemporaryDirectory(prefix="pstgen-") as name:
        out = Path(name)
        made = shelf.folders(out, None, None, None)
        shelf.lessons(few, made, track)
        arms = run.plan(few, made, out)
        return [_cost(replace(run.bare(task), recipe=recipe)) for wave in run.stages(arms) for task in wave]


def _cost(task: Task) -> Cost:
    stage, before = ready(task), torch.get_num_threads()
    learnt = weighed(stage, task)
    torch.set_num_threads(run.threads())
    start = perf_counter()
    for n in range(TIMED):
        step(stage, n)
    torch.set_num_threads(before)
    name = task.out.name if task.stage == "encoder" else task.out.parent.name
    seconds = (perf_counter() - start) / TIMED * task.steps
    return Cost(name, task.steps, learnt.parameters, learnt.flops, learnt.memory, seconds)
