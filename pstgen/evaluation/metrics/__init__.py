"""One file, one metric. A metric *measures*."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a metric made of a system's answers.

    figures: by name; in percent, unless the metric says otherwise.
    per_question: score of each question that counts, 0 to 1, to compare systems question by question.
    absent: figures that there are none of, and why. What could not be measured is never 0.
    """

    figures: Mapping[str, float]
    per_question: Mapping[str, float] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)


def plain(answer: str) -> str:
    """An answer as it is compared: case, spaces and a final full stop do not count.

    >>> plain("  Dark  Red. ")
    'dark red'
    """
    return " ".join(answer.lower().split()).removesuffix(".").rstrip()


class Metric(Protocol):
    """What a module in this folder defines. What it takes differs (answers, files, models), and each says what."""

    measure: Callable[..., Scores]
