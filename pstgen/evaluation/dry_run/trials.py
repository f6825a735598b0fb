"""Trials: a few steps of every stage and a few answers of every system, counted and timed; what is alike is tried once."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch

from pstgen.core import plugins
from pstgen.core.records import Unavailable
from pstgen.evaluation import arms, inference
from pstgen.evaluation.aggregate import ROUNDS
from pstgen.evaluation.arms import Arm
from pstgen.evaluation.data import CHOICES, TEXTS, Materials
from pstgen.evaluation.dry_run import clock
from pstgen.evaluation.dry_run.samples import Exam, seen
from pstgen.evaluation.metrics import attention, cost, language, robustness
from pstgen.models import tools
from pstgen.models.answerer import MOST_TOKENS, Query, Speaker
from pstgen.models.huggingface import Image, Model
from pstgen.scenes import pixels
from pstgen.training import stages, trainer
from pstgen.training.batches import Pages
from pstgen.training.examples import Course
from pstgen.training.recipe import Recipe
from pstgen.training.stages import Learnt, Stage, Task
from pstgen.training.systems import Plan

STEPS = 2  # of each kind, that are counted and then timed
ROUND_ROBIN = cost.WARM_UP + ROUNDS  # answers of every system, whose latency is taken
ALONE = 2  # answers, one at a time
CHANGED, LOOKED_INTO = 2, 6  # items whose images are changed, and whose attention is measured
READ = 32  # texts, and as many questions on words alone


# --------------------------------------------------------------------------------------------------------- training


class Kind(NamedTuple):
    """All that decides what a step costs: stage 1 or 2, and of a plan what matters to the step."""

    stage: str
    first: str
    reward: bool
    text: str
    sees: bool


@dataclass(frozen=True)
class Step:
    """One step of a kind. memory: bytes that it keeps for its backward pass; counting: seconds of counting FLOPs."""

    flops: float
    memory: float
    seconds: float
    counting: float


class Shape(NamedTuple):
    """A stage's model. update: seconds of one change of its weights."""

    parameters: int
    update: float


class Tools(NamedTuple):
    """What a system with tools reads. detector: folder or name; texts: of every lesson of the sample; seconds: of one image."""

    detector: str
    texts: Sequence[str]
    seconds: float


def kinds(task: Task) -> dict[Kind, list[int]]:
    """The numbers of a stage's steps, by kind. Steps of words alone are alike in all stages that say answers alone."""
    plan, pace = task.plan, stages.pace(task)
    if task.stage == "encoder":
        return {Kind("encoder", plan.first, reward=False, text="", sees=True): list(range(task.steps))}
    looking = Kind("joint", "", plan.reward, plan.told, sees=True)
    reading = Kind("joint", "", reward=False, text=plan.told if plan.told == "chain" else "", sees=False)
    found: defaultdict[Kind, list[int]] = defaultdict(list)
    for n in range(task.steps):
        found[looking if plan.sees and not pace.blind(n) else reading].append(n)
    return dict(found)


class Stages:
    """Says what a stage would cost. tried: the kinds of step that were counted and timed, each once."""

    def __init__(self, tools: Tools | None) -> None:
        self.tools = tools
        self.tried: dict[Kind, Step] = {}
        self.shapes: dict[Hashable, Shape] = {}

    def __call__(self, task: Task) -> Learnt:
        """Its steps and updates, and the counting of FLOPs that it begins with."""
        numbers = kinds(task)
        key = task.stage, task.plan.first if task.stage == "encoder" else task.plan.reward
        if key not in self.shapes or not numbers.keys() <= self.tried.keys():
            self._try(task, numbers, key)
        shape, steps = self.shapes[key], [(len(these), self.tried[kind]) for kind, these in numbers.items()]
        flops = sum(n * step.flops for n, step in steps)
        seconds = sum(n * step.seconds + stages.COUNTED * step.counting for n, step in steps)
        seconds += task.steps // task.recipe.accumulate * shape.update + self._reading(task)
        memory = (steps[0][1].memory if steps else 0.0) + stages.STATE * shape.parameters
        return Learnt(task.steps, shape.parameters, flops / max(1, task.steps), memory, seconds)

    def _try(self, task: Task, numbers: Mapping[Kind, Sequence[int]], key: Hashable) -> None:
        """Make the stage, and try what was not yet tried."""
        stage = self._ready(task)
        for kind, these in numbers.items():
            if kind not in self.tried:
                self.tried[kind] = _tried(stage, these)
                self._shape(key, stage, task)
        self._shape(key, stage, task)

    def _shape(self, key: Hashable, stage: Stage, task: Task) -> None:
        """Count parameters and time an update, unless that was done; after the steps of a kind, for their gradients."""
        if key not in self.shapes:
            self.shapes[key] = Shape(stages.parameters(stage), _update(stage, task.recipe))

    def _ready(self, task: Task) -> Stage:
        """The stage, without what is not trained yet; its tools tell what they would."""
        stage = stages.ready(arms.bare(task))
        trainer.freeze(stage.model, task.recipe.frozen)
        if self._uses(task) and self.tools and isinstance(stage.steps, Pages):
            stage.steps.told = self.tools.texts
        return stage

    def _reading(self, task: Task) -> float:
        """Seconds in which tools look at all lessons before the first step."""
        return task.recipe.scenes * self.tools.seconds if self._uses(task) and self.tools else 0.0

    @staticmethod
    def _uses(task: Task) -> bool:
        return task.stage == "joint" and task.plan.told == "tools"


def _tried(stage: Stage, numbers: Sequence[int]) -> Step:
    """Some steps of one kind, counted, which warms up, and then timed."""
    first = numbers[:STEPS]
    counting, (flops, memory) = clock.timed(lambda: stages.counted(stage, first))
    start = clock.now()
    for n in first:
        stages.step(stage, n)
    return Step(flops, memory, (clock.now() - start) / len(first), counting / len(first))


def _update(stage: Stage, recipe: Recipe) -> float:
    """Seconds in which gradients are clipped and weights changed; the first time warms up."""
    optimizer = trainer.optimizer(stage.model, stage.rates, recipe.weight_decay)
    trained = [parameter for parameter in stage.model.parameters() if parameter.requires_grad]
    if all(parameter.grad is None for parameter in trained):
        stages.step(stage, 0)

    def update() -> None:
        torch.nn.utils.clip_grad_norm_(trained, trainer.NORM)
        optimizer.step()

    update()
    seconds, _ = clock.timed(update)
    stage.model.zero_grad(set_to_none=True)
    return seconds


def tried_tools(recipe: Recipe, made: Materials, work: Path) -> Tools:
    """The detector that the recipe names, or an untrained one of stage 1, timed; of that the true text stands for its own."""
    lessons = Course(made.course)
    scenes = [lessons.lesson(n).scene for n in range(len(lessons))]
    name = recipe.detector or _untrained(recipe, made, work, "encoder")
    tell, images = tools.opened(name, recipe.ocr), [pixels.read(scene.path) for scene in scenes]
    tell(images[:1])
    seconds, texts = clock.timed(lambda: tell(images))
    if not recipe.detector:
        texts = [seen(scene) + "".join(text.partition(" Read:")[1:]) for scene, text in zip(scenes, texts, strict=True)]
    return Tools(name, texts, seconds / len(images))


def _untrained(recipe: Recipe, made: Materials, work: Path, stage: Literal["encoder", "joint"]) -> str:
    """The folder of a model that has learnt nothing: stage 1's, which is a detector, or stage 2's."""
    folder, plan = work / f"untrained-{stage}", Plan(first="perception") if stage == "encoder" else Plan()
    stages.ready(Task(recipe, plan, made.course, made.words, folder, stage, 0, 1)).save()
    return str(folder)


# ------------------------------------------------------------------------------------------------------- evaluation


@dataclass(frozen=True)
class Answering:
    """Seconds of one answer: an option, with others and alone; a few words; and of the first token alone."""

    chosen: float
    said: float
    alone: float
    begun: float


@dataclass(frozen=True)
class Looking:
    """Seconds: language in full; attention, and all changes of the image, of one item. changes: how many those are."""

    language: float
    attention: float
    changing: float
    changes: int


class Examined(NamedTuple):
    """One system's evaluation. latency: seconds in which its answers are timed, one at a time."""

    answers: int
    seconds: float
    latency: float


class Untrained(Model):
    """Says as many tokens as a trained model would at most: `longest`."""

    longest = MOST_TOKENS

    def say(self, questions: Sequence[str], images: Sequence[Image | None], most: int) -> list[str]:
        """Say just so many, unless `most` is fewer."""
        tokens = min(most, self.longest)
        self.model.generation_config.min_new_tokens = tokens
        return super().say(questions, images, tokens)


@dataclass(frozen=True)
class Voice(Speaker):
    """A speaker with an untrained detector that tells `text` of every image; "" leaves it what it tells."""

    text: str = ""

    def tools(self, images: Sequence[Image | None]) -> list[str]:
        """Look, and tell what a trained one would."""
        return [self.text or text for text in super().tools(images)]


class Mute:
    """A system that answers nothing, at no cost."""

    def answer(self, _speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
        """Nothing."""
        return [""] * len(queries)


class Systems:
    """Says what a system's evaluation would cost. tried: the ways to answer that were timed, each once."""

    def __init__(self, recipe: Recipe, exam: Exam, made: Materials, work: Path, tools: Tools | None) -> None:
        self.recipe, self.exam, self.made, self.work, self.tools = recipe, exam, made, work, tools
        self.wanted = set(recipe.evaluations or plugins.names("metrics"))
        self.tried: dict[Hashable, Answering] = {}

    @cached_property
    def model(self) -> Untrained:
        """The model that all of them have, each with weights of its own."""
        return Untrained(self.recipe.model or _untrained(self.recipe, self.made, self.work, "joint"), "auto")

    @cached_property
    def longest(self) -> dict[bool, int]:
        """Tokens of the longest answer, with the chain before it or without."""
        return {chain: _longest(self.model, Course(self.made.course), chain=chain) for chain in (False, True)}

    @cached_property
    def looking(self) -> Looking:
        """What looking into the model takes."""
        return _looking(self.model, self.exam, self.recipe, self.wanted)

    def __call__(self, arm: Arm) -> Examined:
        """Its answers to everything, and the metrics that look into it."""
        plan, exam, looking, way = arm.plan, self.exam, self.looking, self._answering(arm)
        chosen, seconds = 2 * exam.items, 0.0
        if plan.told == "chain":
            chosen += min(exam.items, inference.CHAINED)
        if "robustness" in self.wanted and plan.sees:
            changed = min(exam.items, inference.ATTACKED)
            chosen += looking.changes * changed
            seconds += looking.changing * changed
        if "attention" in self.wanted and plan.sees and not plan.of:
            seconds += looking.attention * min(exam.items, inference.LOOKED_INTO)
        if "language" in self.wanted and not plan.of:
            seconds += looking.language
        seconds += chosen * way.chosen + exam.number * way.said
        begun = 0.0 if plan.of or plan.told == "tools" else way.begun
        return Examined(chosen + exam.number, seconds, ROUND_ROBIN * (way.alone + begun))

    def _answering(self, arm: Arm) -> Answering:
        """Systems that answer by the same code, with as many words, take as long."""
        system = inference.named(arm.system)
        code = getattr(system.answer, "__code__", None)
        key = (code.co_code, code.co_names) if code else arm.system, arm.plan.sees, arm.plan.told
        if key not in self.tried:
            self.model.longest = self.longest[arm.plan.told == "chain"]
            self.tried[key] = _answering(system, self._voice(arm.plan), self.exam, sees=arm.plan.sees)
        return self.tried[key]

    def _voice(self, plan: Plan) -> Voice:
        if plan.told != "tools" or not self.tools:
            return Voice(self.model)
        texts = sorted(self.tools.texts, key=len)
        text = "" if self.recipe.detector else texts[len(texts) // 2]
        return Voice(self.model, self.tools.detector, self.recipe.ocr, text)


def _answering(system: Any, voice: Voice, exam: Exam, *, sees: bool) -> Answering:
    """Time some answers of every sort; the first warms up."""
    queries = [inference.query(row) for row in exam.rows]
    first = queries[0] if sees else replace(queries[0], image=None)
    system.answer(voice, queries[:1])
    alone, _ = clock.timed(lambda: [system.answer(voice, [query]) for query in queries[:ALONE]])
    chosen, _ = clock.timed(lambda: system.answer(voice, queries))
    said, _ = clock.timed(lambda: system.answer(voice, exam.questions))
    begun, _ = clock.timed(lambda: voice.say([first], 1))
    return Answering(chosen / len(queries), said / max(1, len(exam.questions)), alone / len(queries[:ALONE]), begun)


def _longest(model: Model, lessons: Course, *, chain: bool) -> int:
    """Tokens of the longest answer of the lessons, its chain before it or not, and its end."""
    questions = (question for n in range(len(lessons)) for question in lessons.lesson(n).asked)
    answers = (f"{each.chain}; so {each.answer}" if chain else each.answer for each in questions)
    return 1 + max(len(model.tokens(answer)) for answer in answers)


def _looking(model: Model, exam: Exam, recipe: Recipe, wanted: AbstractSet[str]) -> Looking:
    """Time what looks into a model, as far as it is wanted and the model allows it."""
    texts, choices = exam.language.texts[:READ], exam.language.choices[:READ]
    number = len(exam.language.choices) if recipe.mmlu else CHOICES
    read = chosen = looked = changing = 0.0
    changes = 0
    if "language" in wanted:
        read, _ = clock.timed(lambda: language.measure(model, texts, ()))
        chosen, _ = clock.timed(lambda: language.measure(model, (), choices))
    if "attention" in wanted:
        with suppress(Unavailable):
            looked, _ = clock.timed(lambda: attention.measure(model, exam.rows[:LOOKED_INTO]))
    if "robustness" in wanted:
        robustness.measure(Mute(), Speaker(model), exam.rows[:1])  # it warms up
        changing, scores = clock.timed(lambda: robustness.measure(Mute(), Speaker(model), exam.rows[:CHANGED]))
        changes = len(scores.figures)
    return Looking(
        language=read / max(1, len(texts)) * TEXTS + chosen / max(1, len(choices)) * number,
        attention=looked / len(exam.rows[:LOOKED_INTO]),
        changing=changing / len(exam.rows[:CHANGED]),
        changes=changes,
    )
