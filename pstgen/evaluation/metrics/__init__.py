"""One file, one metric. A metric *measures*."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from pstgen.core import plugins

if TYPE_CHECKING:
    from pstgen.core.records import Item
    from pstgen.dataset.rows import Row
    from pstgen.models.answerer import Answerer
    from pstgen.training.systems import Plan, System

CHAIN_ITEMS = 96  # of the stress test, to which a system that generates chains says its chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a metric made of a system's answers.

    figures: by name; in percent, unless the metric says otherwise.
    per_question: score of each question that counts, 0 to 1, to compare systems question by question.
    absent: figures that could not be measured, and why. What could not be measured is never 0.
    """

    figures: Mapping[str, float]
    per_question: Mapping[str, float] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure that tables and plots show.

    name: as in `Scores.figures`. label: what it is called; heading: the same in the table that the command prints, which is
    narrow, if it differs. digits: after the decimal point. in_table: is it a column of that table? Model cards and the
    report show every headline.
    place: columns stand in this order.
    compared: what one observation is when systems are compared by McNemar's test: a question of `Scores.per_question`; or
    a pair of the stress test, which counts as its worst item there. "" where systems are not compared by this figure.
    """

    name: str
    label: str
    unit: str = "%"
    higher_is_better: bool = True
    digits: int = 1
    in_table: bool = True
    place: int = 50
    compared: Literal["", "question", "pair"] = ""
    heading: str = ""


class Answers(msgspec.Struct, frozen=True):
    """What a system answered, by the question's id.

    pst, neutral: to the stress test's questions in their frames, and to their neutral questions. vqa, gqa: to those of
    VQA v2 and GQA. chains: the whole text of a system that generates a chain, on about CHAIN_ITEMS items.
    """

    pst: dict[str, str]
    neutral: dict[str, str]
    vqa: dict[str, str]
    gqa: dict[str, str]
    chains: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Choice:
    """A multiple-choice question about no image. answer: one of the options."""

    question: str
    options: tuple[str, ...]
    answer: str


class Language(msgspec.Struct, frozen=True):
    """language.json: sentences that were not learnt, and questions on words alone."""

    texts: tuple[str, ...]
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds of one answer: median and 95th percentile. first: median until the first token; joules: mean.

    each: of every answer that was timed.

    first is None where the answer is not generated token by token, joules where no device measures its energy.
    """

    p50: float
    p95: float
    each: tuple[float, ...]
    first: float | None = None
    joules: float | None = None


class Evaluation(Protocol):
    """One system's evaluation: what a metric can measure. Whatever takes long is loaded when it is first used."""

    @property
    def system(self) -> System:
        """The system, with its plan."""
        ...

    @property
    def answerer(self) -> Answerer:
        """Its model, loaded, and its tools."""
        ...

    @property
    def answers(self) -> Answers:
        """What it answered."""
        ...

    @property
    def items(self) -> Sequence[Item]:
        """Of the whole stress test, without pixels."""
        ...

    def rows(self, most: int, /) -> Sequence[Row]:
        """About so many items of the stress test with their pixels: whole pairs of every family, the same for every system."""
        ...

    @property
    def benchmarks(self) -> Mapping[str, Path]:
        """Where the official files of "vqa" and of "gqa" are; a benchmark that is not asked is missing."""
        ...

    @property
    def language(self) -> Language:
        """What measures language without images."""
        ...

    @property
    def latency(self) -> Latency:
        """Of its answers, one at a time, in turn with all other systems of the run.

        Raises Unavailable to an expensive metric: latency is measured last.
        """
        ...

    @property
    def price(self) -> float:
        """Of an hour of the device, in any currency."""
        ...

    @property
    def deadline(self) -> float:
        """Milliseconds in which an answer should be there."""
        ...

    @property
    def disturbed(self) -> int:
        """Items of the stress test that are shown in bad weather, under noise and under attack."""
        ...


class Metric(Protocol):
    """What a module in this folder defines.

    It may define more: `HEADLINES`, the figures that tables and plots show; `EXPENSIVE = True`, if its scores are to be
    measured once, in the process that has the model loaded, and kept in the run's folder: only such a metric can be left
    out by the recipe's `evaluations`; `inapplicable(plan)`, why a system with that plan has no such figures ("" if it has).
    """

    def measure(self, evaluation: Evaluation, /) -> Scores:
        """Measure one system.

        A figure that cannot be measured is in `absent`, with the reason; a metric that can measure nothing may raise
        Unavailable instead.
        """
        ...


def load(name: str) -> Metric:
    """The metric of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Metric = plugins.load("metrics", name)
    return plugin


def headlines(name: str) -> tuple[Headline, ...]:
    """The figures of a metric that tables and plots show."""
    shown: tuple[Headline, ...] = getattr(load(name), "HEADLINES", ())
    return shown


def is_expensive(name: str) -> bool:
    """Is it measured in the process that has the model loaded, if the recipe does not leave it out?"""
    return bool(getattr(load(name), "EXPENSIVE", False))


def inapplicable(name: str, plan: Plan) -> str:
    """Why a system with that plan has no figures of this metric; "" if it has."""
    reason: Callable[[Plan], str] | None = getattr(load(name), "inapplicable", None)
    return reason(plan) if reason else ""


def plain(answer: str) -> str:
    """An answer as it is compared: case, spaces and a final full stop do not count.

    >>> plain("  Dark  Red. ")
    'dark red'
    """
    return " ".join(answer.lower().split()).removesuffix(".").rstrip()
