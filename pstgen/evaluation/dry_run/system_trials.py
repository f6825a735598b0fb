"""A few answers of every kind of system, and every expensive metric on a small sample, timed; what is alike is tried once."""

import math
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from pstgen.core import plugins
from pstgen.core.records import Item, Unavailable
from pstgen.dataset.rows import Row
from pstgen.evaluation import inference, latency, metrics
from pstgen.evaluation.arms import Arm
from pstgen.evaluation.data import CHOICES, TEXTS, DataPaths
from pstgen.evaluation.dry_run import clock
from pstgen.evaluation.dry_run.samples import QuestionSample
from pstgen.evaluation.dry_run.stage_trials import ToolSample, untrained_model
from pstgen.evaluation.metrics import CHAIN_ITEMS, Answers, Language, Latency
from pstgen.models.answerer import MAX_TOKENS, Answerer, Query
from pstgen.models.chat import Image
from pstgen.models.huggingface import Model
from pstgen.training.examples import Examples
from pstgen.training.recipe import Recipe
from pstgen.training.systems import Plan, System

ROUND_ROBIN = latency.WARM_UP + latency.ROUNDS  # answers of every system, whose latency is measured
SINGLE = 2  # answers, one at a time
METRIC_ITEMS = 4  # that a metric is tried on
TEXT_ITEMS = 8  # texts, or questions on words alone, for each of those


@dataclass(frozen=True)
class AnswerTimes:
    """Seconds of one answer: an option, in a batch and alone; a few words; and of the first token alone."""

    option: float
    words: float
    single: float
    first_token: float


class EvaluationCost(NamedTuple):
    """One system's evaluation. latency: seconds in which its latency is measured."""

    answers: int
    seconds: float
    latency: float


class MetricCost(NamedTuple):
    """A metric, measured of one system in full. answers: how many it asks of the system; seconds: of all the rest."""

    answers: int
    seconds: float


class UntrainedModel(Model):
    """Generates as many tokens as a trained model would at most: `longest`."""

    longest = MAX_TOKENS

    def generate(self, questions: Sequence[str], images: Sequence[Image | None], max_tokens: int) -> list[str]:
        """Generate just so many, unless `max_tokens` is fewer."""
        tokens = min(max_tokens, self.longest)
        self.model.generation_config.min_new_tokens = tokens
        return super().generate(questions, images, tokens)


@dataclass(frozen=True)
class TrialAnswerer(Answerer):
    """An answerer with an untrained detector that says `text` of every image; "" leaves what it says."""

    text: str = ""

    def describe(self, images: Sequence[Image | None]) -> list[str]:
        """Run the tools, and say what trained ones would."""
        return [self.text or text for text in super().describe(images)]


class SilentSystem:
    """A system that answers nothing, at no cost, and counts what it is asked."""

    PLAN = Plan()

    def __init__(self) -> None:
        self.asked = 0

    def answer(self, _answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
        """Nothing."""
        self.asked += len(queries)
        return [""] * len(queries)


class SampleEvaluation:
    """An evaluation of a few items, for a metric to be timed on. share: of the whole, which its metric was given.

    size: 1 to METRIC_ITEMS. choices: on words alone, how many a run has.
    """

    def __init__(self, answerer: Answerer, sample: QuestionSample, choices: int, size: int, disturbed: int) -> None:
        self.system, self.answerer, self.sample = SilentSystem(), answerer, sample
        self.choices, self.size, self.share = choices, size, 1.0
        self.benchmarks: dict[str, Path] = {}
        self.latency = Latency(p50=0.0, p95=0.0, each=(0.0,))
        self.price, self.deadline, self.disturbed = 0.0, 0.0, disturbed

    @cached_property
    def answers(self) -> Answers:
        """An empty answer to everything."""
        empty = dict.fromkeys((item.item_id for item in self.items), "")
        return Answers(empty, empty, {}, {}, empty)

    @property
    def items(self) -> list[Item]:
        """Of the sample."""
        return [row.item for row in self.sample.rows]

    def rows(self, most: int, /) -> Sequence[Row]:
        """A few, instead of `most`."""
        rows = self.sample.rows[: self.size]
        self.share = len(rows) / min(self.sample.items, most)
        return rows

    @property
    def language(self) -> Language:
        """The same share of the texts and of the choices."""
        texts, choices = self.sample.language.texts, self.sample.language.choices
        wanted = TEXT_ITEMS * self.size / max(TEXTS, self.choices)
        self.share = min(wanted, *(len(had) / of for had, of in ((texts, TEXTS), (choices, self.choices)) if had))
        return Language(texts[: math.ceil(self.share * TEXTS)], choices[: math.ceil(self.share * self.choices)])


class SystemTrials:
    """Estimates what a system's evaluation would cost. answer_times: of the ways to answer, each timed once."""

    def __init__(
        self, recipe: Recipe, sample: QuestionSample, paths: DataPaths, work: Path, tool_sample: ToolSample | None
    ) -> None:
        self.recipe, self.sample, self.paths, self.work, self.tool_sample = recipe, sample, paths, work, tool_sample
        self.answer_times: dict[Hashable, AnswerTimes] = {}

    @cached_property
    def model(self) -> UntrainedModel:
        """The model that all systems have, each with weights of its own."""
        return UntrainedModel(self.recipe.model or untrained_model(self.recipe, self.paths, self.work, "joint"), "auto")

    @cached_property
    def longest(self) -> dict[bool, int]:
        """Tokens of the longest answer, with the chain before it or without."""
        examples = Examples(self.paths.examples)
        return {chain: _longest_answer(self.model, examples, chain=chain) for chain in (False, True)}

    @cached_property
    def metrics(self) -> dict[str, MetricCost]:
        """What every expensive metric costs that the recipe wants."""
        wanted = self.recipe.evaluations or plugins.names("metrics")
        return {name: self._try_metric(name) for name in wanted if metrics.is_expensive(name)}

    def __call__(self, arm: Arm) -> EvaluationCost:
        """Its answers to everything, and the metrics that are measured beside its model."""
        plan, sample, times = arm.plan, self.sample, self._times(arm)
        options, seconds = 2 * sample.items, 0.0
        if plan.preamble == "chain":
            options += min(sample.items, CHAIN_ITEMS)
        for name, cost in self.metrics.items():
            if not metrics.inapplicable(name, plan):
                options += cost.answers
                seconds += cost.seconds
        seconds += options * times.option + sample.questions * times.words
        several = plan.weights_of or plan.parts or plan.uses_detector
        first_token = 0.0 if several else times.first_token
        return EvaluationCost(options + sample.questions, seconds, ROUND_ROBIN * (times.single + first_token))

    def _try_metric(self, name: str) -> MetricCost:
        """Measure a metric on one item, which warms up, and on a few, timed; nothing where it is unavailable."""
        choices = len(self.sample.language.choices) if self.recipe.mmlu else CHOICES
        seconds, evaluation = (
            0.0,
            SampleEvaluation(Answerer(self.model), self.sample, choices, METRIC_ITEMS, self.recipe.disturbed),
        )
        with suppress(Unavailable):
            metrics.load(name).measure(
                SampleEvaluation(Answerer(self.model), self.sample, choices, 1, self.recipe.disturbed)
            )
            seconds, _ = clock.timed(lambda: metrics.load(name).measure(evaluation))
        return MetricCost(round(evaluation.system.asked / evaluation.share), seconds / evaluation.share)

    def _times(self, arm: Arm) -> AnswerTimes:
        """Systems that answer by the same code, with as many words, take as long."""
        system = inference.load_system(arm.system)
        code = getattr(system.answer, "__code__", None)
        key = (code.co_code, code.co_names) if code else arm.system, arm.plan.sees, arm.plan.preamble
        if key not in self.answer_times:
            self.model.longest = self.longest[arm.plan.preamble == "chain"]
            self.answer_times[key] = _time_answers(system, self._answerer(arm), self.sample)
        return self.answer_times[key]

    def _answerer(self, arm: Arm) -> Answerer:
        if arm.parts:
            names = {family: part.out.parent.name for part in arm.parts for family in part.plan.families}
            models = {part.out.parent.name: self.model for part in arm.parts}
            return inference.with_parts(Answerer(self.model), models, names, Examples(self.paths.examples))
        if not arm.plan.uses_detector or not self.tool_sample:
            return Answerer(self.model)
        texts = sorted(self.tool_sample.texts, key=len)
        text = "" if self.recipe.detector else texts[len(texts) // 2]
        return TrialAnswerer(self.model, self.tool_sample.detector, self.recipe.ocr, text=text)


def _time_answers(system: System, answerer: Answerer, sample: QuestionSample) -> AnswerTimes:
    """Time some answers of every sort; the first warms up."""
    queries = [inference.as_query(row) for row in sample.rows]
    first = queries[0] if system.PLAN.sees else replace(queries[0], image=None)
    system.answer(answerer, queries[:1])
    single, _ = clock.timed(lambda: [system.answer(answerer, [query]) for query in queries[:SINGLE]])
    options, _ = clock.timed(lambda: system.answer(answerer, queries))
    words, _ = clock.timed(lambda: system.answer(answerer, sample.queries))
    first_token, _ = clock.timed(lambda: answerer.generate([first], 1))
    return AnswerTimes(
        option=options / len(queries),
        words=words / max(1, len(sample.queries)),
        single=single / len(queries[:SINGLE]),
        first_token=first_token,
    )


def _longest_answer(model: Model, examples: Examples, *, chain: bool) -> int:
    """Tokens of the longest answer of the examples, its chain before it or not, and its end."""
    questions = (question for example in examples for question in example.questions)
    answers = (f"{question.chain}; so {question.answer}" if chain else question.answer for question in questions)
    return 1 + max(len(model.tokens(answer)) for answer in answers)
