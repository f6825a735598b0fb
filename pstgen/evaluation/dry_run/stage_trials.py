"""A few steps of every kind of training stage, counted and timed; stages that cost the same are tried once."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch

from pstgen.evaluation import arms
from pstgen.evaluation.data import DataPaths
from pstgen.evaluation.dry_run import clock
from pstgen.evaluation.dry_run.samples import perfect_description
from pstgen.models import tools
from pstgen.scenes import pixels
from pstgen.training import stages, trainer
from pstgen.training.batches import PackedBatches
from pstgen.training.examples import Examples
from pstgen.training.recipe import Recipe
from pstgen.training.stages import Task, TrainingCost
from pstgen.training.systems import Plan
from pstgen.training.trainer import Stage

STEPS = 2  # of each kind, that are counted and then timed


class Kind(NamedTuple):
    """All that decides what a step costs: its stage, and of a plan what matters to the step."""

    stage: str
    pretraining: str
    reward: bool
    preamble: str
    sees: bool
    families: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepCost:
    """One step of a kind. memory: bytes that it keeps for its backward pass; counting: seconds of counting FLOPs."""

    flops: float
    memory: float
    seconds: float
    counting: float


class ModelCost(NamedTuple):
    """A stage's model. update: seconds of one change of its weights."""

    parameters: int
    update: float


class ToolSample(NamedTuple):
    """What a system with tools reads. detector: folder or name; texts: of every example of the sample; seconds: of one image."""

    detector: str
    texts: Sequence[str]
    seconds: float


def step_kinds(task: Task) -> dict[Kind, list[int]]:
    """The numbers of a stage's steps, by kind. Steps of words alone are alike in all stages without a chain."""
    plan, steps = task.plan, stages.step_plan(task)
    if task.stage == "encoder":
        return {Kind("encoder", plan.pretraining, reward=False, preamble="", sees=True): list(range(task.steps))}
    seeing = Kind(task.stage, "", plan.reward, plan.preamble, sees=True, families=plan.families)
    preamble = plan.preamble if plan.preamble == "chain" else ""
    blind = Kind("joint", "", reward=False, preamble=preamble, sees=False, families=plan.families)
    shows = plan.sees or task.stage == "gated"  # a grey image costs what any other does
    numbers = defaultdict[Kind, list[int]](list)
    for n in range(task.steps):
        numbers[seeing if shows and not steps.is_blind(n) else blind].append(n)
    return dict(numbers)


class StageTrials:
    """Estimates what a stage would cost. steps: the kinds of step that were counted and timed, each once."""

    def __init__(self, tool_sample: ToolSample | None) -> None:
        self.tool_sample = tool_sample
        self.steps: dict[Kind, StepCost] = {}
        self.models: dict[Hashable, ModelCost] = {}

    def __call__(self, task: Task) -> TrainingCost:
        """Its steps and updates, and the counting of FLOPs that it begins with."""
        kinds = step_kinds(task)
        key = task.stage, task.plan.pretraining if task.stage == "encoder" else task.plan.reward
        if key not in self.models or not kinds.keys() <= self.steps.keys():
            self._try(task, kinds, key)
        model, steps = self.models[key], [(len(numbers), self.steps[kind]) for kind, numbers in kinds.items()]
        flops = sum(n * step.flops for n, step in steps)
        seconds = sum(n * step.seconds + stages.COUNTED * step.counting for n, step in steps)
        seconds += task.steps // task.recipe.accumulate * model.update + self._describing(task)
        memory = (steps[0][1].memory if steps else 0.0) + stages.BYTES_PER_PARAMETER * model.parameters
        return TrainingCost(task.steps, model.parameters, flops / max(1, task.steps), memory, seconds)

    def _try(self, task: Task, kinds: Mapping[Kind, Sequence[int]], key: Hashable) -> None:
        """Make the stage, and try the kinds of step that were not tried yet; then its updates, which need gradients."""
        stage = self._prepare(task)
        for kind, numbers in kinds.items():
            if kind not in self.steps:
                self.steps[kind] = _try_steps(stage, numbers)
                self._try_model(key, stage)
        self._try_model(key, stage)

    def _try_model(self, key: Hashable, stage: Stage) -> None:
        """Count parameters and time an update, unless that was done."""
        if key not in self.models:
            self.models[key] = ModelCost(stages.count_parameters(stage), _try_update(stage))

    def _prepare(self, task: Task) -> Stage:
        """The stage, without what is not trained yet; its tools say what trained ones would."""
        stage = stages.prepare(arms.without_pretrained(task))
        trainer.freeze(stage.model, task.recipe.frozen)
        if self.tool_sample and _uses_tools(task) and isinstance(stage.batches, PackedBatches):
            stage.batches.descriptions = self.tool_sample.texts
        return stage

    def _describing(self, task: Task) -> float:
        """Seconds in which tools describe the images of all examples before the first step."""
        return task.recipe.scenes * self.tool_sample.seconds if self.tool_sample and _uses_tools(task) else 0.0


def _uses_tools(task: Task) -> bool:
    return task.stage == "joint" and task.plan.preamble == "tools"


def _try_steps(stage: Stage, numbers: Sequence[int]) -> StepCost:
    """Some steps of one kind, counted, which warms up, and then timed."""
    first = numbers[:STEPS]
    counting, (flops, memory) = clock.timed(lambda: stages.count_steps(stage, first))
    start = clock.now()
    for n in first:
        stages.run_step(stage, n)
    return StepCost(flops, memory, (clock.now() - start) / len(first), counting / len(first))


def _try_update(stage: Stage) -> float:
    """Seconds in which gradients are clipped and weights changed; the first time warms up."""
    optimizer = trainer.build_optimizer(stage)
    trained = [parameter for parameter in stage.model.parameters() if parameter.requires_grad]
    if all(parameter.grad is None for parameter in trained):
        stages.run_step(stage, 0)

    def update() -> None:
        torch.nn.utils.clip_grad_norm_(trained, trainer.MAX_NORM)
        optimizer.step()

    update()
    seconds, _ = clock.timed(update)
    stage.model.zero_grad(set_to_none=True)
    return seconds


def try_tools(recipe: Recipe, paths: DataPaths, work: Path) -> ToolSample:
    """The detector that the recipe names, or an untrained one of stage 1, timed.

    An untrained one says nothing sensible: what a perfect one would say stands for its texts.
    """
    scenes = [example.scene for example in Examples(paths.examples)]
    name = recipe.detector or untrained_model(recipe, paths, work, "encoder")
    describe, images = tools.open_tools(name, recipe.ocr), [pixels.read(scene.path) for scene in scenes]
    describe(images[:1])
    seconds, texts = clock.timed(lambda: describe(images))
    if not recipe.detector:
        written = ["".join(text.partition(" Read:")[1:]) for text in texts]  # by OCR, which needs no training
        texts = [perfect_description(scene) + text for scene, text in zip(scenes, written, strict=True)]
    return ToolSample(name, texts, seconds / len(images))


def untrained_model(recipe: Recipe, paths: DataPaths, work: Path, stage: Literal["encoder", "joint"]) -> str:
    """The folder of a model that has learnt nothing: stage 1's, which is a detector, or stage 2's."""
    folder = work / f"untrained-{stage}"
    plan = Plan(pretraining="perception") if stage == "encoder" else Plan()
    stages.prepare(Task(recipe, plan, paths.examples, paths.tokenizer, folder, stage, 0, 1)).save()
    return str(folder)
