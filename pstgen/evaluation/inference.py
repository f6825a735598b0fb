"""One system answers everything that is asked, and what is expensive to measure is measured where its model is loaded."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec
from more_itertools import batched

from pstgen.core import plugins, scratch
from pstgen.core.records import Item, Unavailable
from pstgen.core.report import Refusals
from pstgen.dataset import sampling, store
from pstgen.dataset.rows import Row
from pstgen.evaluation import metrics
from pstgen.evaluation.data import BENCHMARKS, DataPaths
from pstgen.evaluation.metrics import CHAIN_ITEMS, Answers, Evaluation, Language, Latency, Scores
from pstgen.models.answerer import Answerer, Query
from pstgen.models.huggingface import Model
from pstgen.models.router import Router
from pstgen.questions.benchmarks.files import Example
from pstgen.scenes import pixels
from pstgen.training import systems
from pstgen.training.examples import Examples
from pstgen.training.recipe import Recipe
from pstgen.training.systems import System

ANSWERS, EXPENSIVE_SCORES = "answers.json", "looked.json"
BATCH = 64
ROUTED = 2000  # examples that a router learns from
MAX_TOKENS = 96  # of a chain, where the system does not say


class Weights(NamedTuple):
    """One model of several: its folder, and the families that it has learnt."""

    folder: Path
    families: tuple[str, ...]


@dataclass(frozen=True)
class EvalJob:
    """A system under a seed. folder: of its answers; model: of the weights that answer; detector: for its tools.

    parts: by name, the models of a system that has several; `model` is then the first of them, or another system's beside them.
    """

    system: str
    seed: int
    folder: Path
    model: Path
    detector: Path | None
    data: DataPaths
    recipe: Recipe
    parts: Mapping[str, Weights] = field(default_factory=dict)


def load_system(name: str) -> System:
    """The system of that name; with another lambda it is called NAME@LAMBDA."""
    return systems.load(name.partition("@")[0])


def load_answerer(job: EvalJob, load: Callable[[Path], Model] = lambda folder: Model(str(folder), "auto")) -> Answerer:
    """The system's model, loaded, and its tools; of a system with several models all of them, and a router where they share the families."""
    answerer = Answerer(load(job.model), str(job.detector or ""), job.recipe.ocr)
    if not job.parts:
        return answerer
    models = {
        name: answerer.model if weights.folder == job.model else load(weights.folder)
        for name, weights in job.parts.items()
    }
    names = {family: name for name, weights in job.parts.items() for family in weights.families}
    return with_parts(answerer, models, names, Examples(job.data.examples))


def with_parts(
    answerer: Answerer, models: Mapping[str, Model], names: Mapping[str, str], examples: Examples
) -> Answerer:
    """An answerer with several models. names: by family, the model that has learnt it; examples: what the router learns from.

    Where no model has families of its own, there is nothing to be routed.
    """
    parts = {name: replace(answerer, model=model) for name, model in models.items()}
    if not names:
        return replace(answerer, parts=parts)
    asked = [question for example in islice(examples, ROUTED) for question in example.questions]
    router = Router([question.text for question in asked], [names[question.family] for question in asked])
    return replace(answerer, parts=parts, router=router)


@lru_cache(maxsize=1)
def _items(pst: Path) -> tuple[Item, ...]:
    """Of a stress test, which all jobs of a run share."""
    return tuple(store.open(pst).items())


class JobEvaluation:
    """What metrics measure of one job, each part loaded when it is first used."""

    def __init__(self, job: EvalJob, latency: Callable[[], Latency] | None = None) -> None:
        self.job = job
        self._latency = latency

    @cached_property
    def system(self) -> System:
        """The system, with its plan."""
        return load_system(self.job.system)

    @cached_property
    def answerer(self) -> Answerer:
        """Its model, loaded, and its tools."""
        return load_answerer(self.job)

    @cached_property
    def answers(self) -> Answers:
        """What it answered."""
        return msgspec.json.decode((self.job.folder / ANSWERS).read_bytes(), type=Answers)

    @property
    def items(self) -> tuple[Item, ...]:
        """Of the whole stress test, without pixels."""
        return _items(self.job.data.pst)

    def rows(self, most: int, /) -> list[Row]:
        """About so many items: whole pairs, some of every family by a hash of their names, the same for every system."""
        return [row for pair in sampling.pick(store.open(self.job.data.pst), most // 2) for row in pair.rows]

    @property
    def benchmarks(self) -> Mapping[str, Path]:
        """Where the official files of every benchmark are that is asked."""
        return self.job.data.benchmarks

    @cached_property
    def language(self) -> Language:
        """What measures language without images."""
        return msgspec.json.decode(self.job.data.language.read_bytes(), type=Language)

    @property
    def latency(self) -> Latency:
        """Of its answers, in turn with other systems'. Raises Unavailable before that was measured."""
        if self._latency is None:
            raise Unavailable("latency is measured after all systems have answered")
        return self._latency()

    @property
    def price(self) -> float:
        """Of an hour of the device."""
        return self.job.recipe.price

    @property
    def deadline(self) -> float:
        """Milliseconds in which an answer should be there."""
        return self.job.recipe.deadline

    @property
    def disturbed(self) -> int:
        """Items that are shown in bad weather, under noise and under attack."""
        return self.job.recipe.disturbed


# ---------------------------------------------------------------------------------------------------------- answers


def evaluate(job: EvalJob) -> None:
    """Answer everything, and measure what is expensive; what is there already is not done again."""
    job.folder.mkdir(parents=True, exist_ok=True)
    evaluation = JobEvaluation(job)
    if not (job.folder / ANSWERS).is_file():
        scratch.put(job.folder / ANSWERS, msgspec.json.encode(answer_all(evaluation)))
    if not (job.folder / EXPENSIVE_SCORES).is_file():
        scores = {name: measure(name, evaluation) for name in expensive_metrics(job.recipe, evaluation.system)}
        scratch.put(job.folder / EXPENSIVE_SCORES, msgspec.json.encode(scores))


def answer_all(evaluation: JobEvaluation) -> Answers:
    """The system's answers to the stress test and to all benchmarks, and its chains."""
    pst: dict[str, str] = {}
    neutral: dict[str, str] = {}
    for rows in batched(store.open(evaluation.job.data.pst).rows(), BATCH):
        queries = [as_query(row) for row in rows]
        plain = [replace(query, question=row.item.neutral) for query, row in zip(queries, rows, strict=True)]
        pst |= _answer(evaluation, queries)
        neutral |= _answer(evaluation, plain)
    return Answers(pst, neutral, **_answer_benchmarks(evaluation), chains=_chains(evaluation))


def as_query(row: Row) -> Query:
    """An item as a question."""
    return Query(row.item.item_id, row.item.question, row.item.options, pixels.decode(row.image))


def _answer(evaluation: Evaluation, queries: Sequence[Query]) -> dict[str, str]:
    """The system's answer to each query, by the query's name."""
    answers = evaluation.system.answer(evaluation.answerer, queries)
    return {query.name: answer for query, answer in zip(queries, answers, strict=True)}


def _answer_benchmarks(evaluation: JobEvaluation) -> dict[str, dict[str, str]]:
    """By benchmark and question id. The world asks the same questions in both formats: they are answered once."""
    answers: dict[str, dict[str, str]] = {name: {} for name in BENCHMARKS}
    known: dict[tuple[str, str], str] = {}
    for name, folder in evaluation.benchmarks.items():
        for batch in batched(BENCHMARKS[name].examples(folder, Refusals()), BATCH):
            new = [example for example in batch if _key(example) not in known]
            queries = [
                Query(example.question_id, example.question, (), pixels.read(str(example.image))) for example in new
            ]
            texts = evaluation.system.answer(evaluation.answerer, queries)
            known |= dict(zip(map(_key, new), texts, strict=True))
            answers[name] |= {example.question_id: known[_key(example)] for example in batch}
    return answers


def _key(example: Example) -> tuple[str, str]:
    return example.question_id, example.question


def _chains(evaluation: JobEvaluation) -> dict[str, str]:
    """The whole text of a system that generates a chain before its answer; nothing of any other."""
    if evaluation.system.PLAN.preamble != "chain":
        return {}
    queries = [as_query(row) for row in evaluation.rows(CHAIN_ITEMS)]
    texts = evaluation.answerer.generate(queries, getattr(evaluation.system, "MAX_TOKENS", MAX_TOKENS))
    return {query.name: text for query, text in zip(queries, texts, strict=True)}


# ---------------------------------------------------------------------------------------------------------- metrics


def expensive_metrics(recipe: Recipe, system: System) -> Iterator[str]:
    """The metrics that are measured beside the model, are wanted by the recipe, and say something of the system."""
    for name in recipe.evaluations or plugins.names("metrics"):
        if metrics.is_expensive(name) and not metrics.inapplicable(name, system.PLAN):
            yield name


def measure(name: str, evaluation: Evaluation) -> Scores:
    """A metric's scores; where it is unavailable, no figures, and the reason."""
    try:
        return metrics.load(name).measure(evaluation)
    except Unavailable as error:
        return Scores(figures={}, absent={"overall": str(error)})
