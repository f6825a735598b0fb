"""A stage of training: made, weighed, trained, and found done when it is asked for again; the stages of a system."""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Literal

import msgspec
import torch

from pstgen.core import scratch
from pstgen.models.flops import count_flops
from pstgen.training import encoder_stage, joint_stage, pair_stage, trainer
from pstgen.training.batches import StepPlan
from pstgen.training.examples import Examples
from pstgen.training.recipe import Recipe
from pstgen.training.systems import Plan
from pstgen.training.trainer import Settings, Stage

DONE = "learnt.json"
COUNTED = 3  # batches of a kind, whose FLOPs stand for all
BYTES_PER_PARAMETER = 16.0  # itself, its gradient and two averages of the optimizer


@dataclass(frozen=True)
class Task:
    """One stage of one system, ready to be trained in any process.

    stage: encoder (1), joint (2) or gated (3). examples, tokenizer: folders. encoder: a folder of stage 1, whose encoder
    stage 2 begins with; detector: one that tools use; start: a folder of stage 2, whose model stage 3 begins with.
    """

    recipe: Recipe
    plan: Plan
    examples: Path
    tokenizer: Path
    out: Path
    stage: Literal["encoder", "joint", "gated"]
    seed: int
    steps: int
    encoder: Path | None = None
    detector: Path | None = None
    start: Path | None = None

    @property
    def name(self) -> str:
        """What is trained: an encoder, a system, or of a system with several models one of them."""
        folder = self.out if self.stage == "encoder" else self.out.parent
        return f"{folder.parent.name}/{folder.name}" if self.plan.families else folder.name


class TrainingCost(msgspec.Struct, frozen=True):
    """What a stage cost: FLOPs of one step are counted. memory: bytes that the first one needs."""

    steps: int
    parameters: int
    step_flops: float
    memory: float
    seconds: float = 0.0

    @property
    def flops(self) -> float:
        """Of all steps."""
        return self.steps * self.step_flops


def train(task: Task, log: trainer.Log) -> TrainingCost:
    """Train one stage of a system, or find that it is trained; see `train_stage`."""
    return train_stage(partial(prepare, task), task.out, log)


def prepare(task: Task) -> Stage:
    """Make a stage's model, heads and batches."""
    recipe, plan = task.recipe, step_plan(task)
    learns_targets = task.stage == "encoder" and task.plan.pretraining == "perception"
    examples = Examples(task.examples, task.plan.families, recipe.labelled if learns_targets else 1.0)
    settings = Settings(
        warm_up=recipe.warm_up,
        weight_decay=recipe.weight_decay,
        seed=task.seed,
        accumulate=recipe.accumulate,
        keep_every=recipe.keep_every,
        frozen=recipe.frozen,
    )
    if task.stage == "encoder":
        return encoder_stage.prepare(recipe, task.plan, examples, plan, settings, task.out)
    if task.stage == "gated":
        return pair_stage.prepare(
            recipe, task.plan, examples, plan, settings, task.out, tokenizer=task.tokenizer, start=task.start
        )
    return joint_stage.prepare(
        recipe, task.plan, examples, plan, settings, task.out,
        tokenizer=task.tokenizer, encoder=task.encoder, detector=task.detector,
    )  # fmt: skip


def step_plan(task: Task) -> StepPlan:
    """How many steps a stage has, and of what."""
    recipe = task.recipe
    if task.stage == "gated":
        return StepPlan(task.steps, recipe.gated_pairs, 1, recipe.blind_every)
    blind_every = recipe.blind_every if task.stage == "joint" else 0
    return StepPlan(task.steps, recipe.batch, recipe.questions, blind_every)


# ------------------------------------------------------------------------------------------------------- of any stage


def train_stage(make: Callable[[], Stage], out: Path, log: trainer.Log) -> TrainingCost:
    """Train what `make` makes, or find that it is trained; a run that was cut off goes on from its last checkpoint."""
    done = out / DONE
    if done.is_file():
        return msgspec.json.decode(done.read_bytes(), type=TrainingCost)
    start, stage = perf_counter(), make()
    cost = estimate_cost(stage)
    with trainer.reporting_write_errors(out):
        trainer.train(stage, out, log)
        stage.save()
        cost = msgspec.structs.replace(cost, seconds=round(perf_counter() - start, 1))
        scratch.put(done, msgspec.json.format(msgspec.json.encode(cost)) + b"\n")
    for checkpoint in out.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
    return cost


def estimate_cost(stage: Stage) -> TrainingCost:
    """Count parameters, and FLOPs and memory of a step of every kind; nothing is learnt."""
    trainer.freeze(stage.model, stage.settings.frozen)
    steps, kinds = len(stage.batches), defaultdict[str, list[int]](list)
    for n in range(steps):
        kinds[stage.batches.kind(n)].append(n)
    counted = [(len(numbers), *count_steps(stage, numbers[:COUNTED])) for numbers in kinds.values()]
    parameters = count_parameters(stage)
    flops = sum(n * step_flops for n, step_flops, _ in counted)
    memory = counted[0][-1] + BYTES_PER_PARAMETER * parameters
    return TrainingCost(steps, parameters, flops / max(1, steps), memory)


def count_parameters(stage: Stage) -> int:
    """How many numbers the model has, heads included."""
    return sum(parameter.numel() for parameter in stage.model.parameters())


def count_steps(stage: Stage, numbers: Sequence[int]) -> tuple[float, float]:
    """FLOPs of a step, the mean of these, and the bytes that the first of them keeps for its backward pass."""
    with _kept_tensors() as kept:
        flops = [count_flops(partial(run_step, stage, numbers[0]))]
    flops += [count_flops(partial(run_step, stage, n)) for n in numbers[1:]]
    stage.model.zero_grad(set_to_none=True)
    return fmean(flops), float(sum(kept.values()))


def run_step(stage: Stage, n: int) -> None:
    """One step without its update, as it will be done: on the accelerator where there is one."""
    from accelerate.utils import send_to_device

    device = stage.settings.device_type
    batch = send_to_device(stage.batches[n], device)
    with torch.autocast(device, torch.bfloat16, enabled=trainer.has_fast_bf16(device)):
        loss = trainer.total_loss(stage.losses(stage.model.to(device), batch, 1))
    loss.backward()


@contextmanager
def _kept_tensors() -> Iterator[dict[int, int]]:
    """Bytes of the tensors that are kept for the backward pass, by their place in memory."""
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield kept
