"""What the eye sees, family by family, and the card that says so."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from pstgen.models.huggingface import Image, Model
from pstgen.training.eye.lessons import Question, tests
from pstgen.training.eye.model import prompt
from pstgen.training.eye.recipe import Recipe

T = TypeVar("T")
BATCH = 32
CONFIDENCE = 0.95
WAYS = ("neutral", "lured", "blinded")
CARD = """---
library_name: transformers
pipeline_tag: image-text-to-text
license: cc0-1.0
tags: [llava, synthetic, perception]
---
# {name}

A LLaVA of {parameters:.1f} million parameters that sees pstgen's built-in world, and nothing else: it was trained from
random weights on drawings alone. It is the VLM in the loop where there is nothing to download; never use it on photographs.

```python
from transformers import AutoModelForImageTextToText, AutoProcessor

model = AutoModelForImageTextToText.from_pretrained("{name}", dtype="float32")
processor = AutoProcessor.from_pretrained("{name}")
```

## What it sees

Questions on scenes it never looked at, of a world in which nothing is typical. They come in twos, one question over two
scenes with two answers, so without the image **half is the ceiling**, however many options there are. *Neutral*: asked
plainly. *Lured*: asked in words that suggest a wrong answer. *Blinded*: asked plainly, without the image. Share of right
answers with its 95 % Clopper-Pearson interval; *chance* is the mean of one over the number of options.

{table}

Printed by `{command}`.

## How it was trained

{training}

Recipe: `recipe.json`. On images it learnt from scenes in which nothing is typical, with questions of every family, each
answer as likely as any other and the lure drawn at random. Without images it learnt what is usual in the world
({told:.0%} typical), so that it expects what people expect when it cannot look.
"""


class Figure(msgspec.Struct, frozen=True):
    """One sentence of one family: right answers out of `questions`, asked in three ways; `chance` is a share."""

    family: str
    form: str
    questions: int
    chance: float
    neutral: int
    lured: int
    blinded: int


def measure(model: Model, recipe: Recipe, questions: int) -> list[Figure]:
    """Ask `questions` of every sentence it was taught, plainly, with a lure and without the image."""
    right: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(WAYS, 0))
    chances: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for batch in _batches(tests(recipe.size, questions, recipe.families)):
        plain, lured, images = zip(*batch, strict=True)
        blind: list[Image | None] = [None] * len(batch)
        for way, asked, seen in (("neutral", plain, images), ("lured", lured, images), ("blinded", plain, blind)):
            for question, correct in zip(asked, _right(model, asked, seen), strict=True):
                right[question.form][way] += correct
        for question in plain:
            chances[question.form].append(1 / len(question.options))
    return [
        Figure(
            family=form[0],
            form=form[1],
            questions=len(chances[form]),
            chance=float(np.mean(chances[form])),
            **right[form],
        )
        for form in sorted(right)
    ]


def _right(model: Model, questions: Iterable[Question], images: Iterable[Image | None]) -> Iterator[bool]:
    asked = list(questions)
    told = model.score([prompt(question) for question in asked], [question.options for question in asked], list(images))
    for question, logprobs in zip(asked, told, strict=True):
        yield question.options[int(np.argmax(logprobs))] == question.answer


def _batches(things: Iterable[T]) -> Iterator[list[T]]:
    left = iter(things)
    while batch := list(islice(left, BATCH)):
        yield batch


def families(figures: Iterable[Figure]) -> list[Figure]:
    """The sentences of each family together."""
    by: defaultdict[str, list[Figure]] = defaultdict(list)
    for figure in figures:
        by[figure.family].append(figure)
    return [
        Figure(
            family=family,
            form="",
            questions=sum(one.questions for one in some),
            chance=sum(one.chance * one.questions for one in some) / sum(one.questions for one in some),
            **{way: sum(getattr(one, way) for one in some) for way in WAYS},
        )
        for family, some in sorted(by.items())
    ]


def interval(right: int, questions: int) -> tuple[float, float]:
    """Clopper-Pearson's 95 % bounds of a share."""
    from scipy.stats import binomtest

    found = binomtest(right, questions).proportion_ci(CONFIDENCE)
    return float(found.low), float(found.high)


def rows(figures: Iterable[Figure]) -> list[Figure]:
    """Every family, and its sentences below it; a family's own figure has no form."""
    return sorted([*figures, *families(figures)], key=lambda figure: (figure.family, figure.form))


def table(figures: Iterable[Figure]) -> str:
    """Markdown: families, and the sentences of each below it."""
    lines = [
        "| family | sentence | questions | chance | neutral | lured | blinded |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows(figures):
        cells = [_share(getattr(row, way), row.questions) for way in WAYS]
        name = f"**{row.family}**" if not row.form else ""
        lines.append(f"| {name} | {row.form} | {row.questions} | {row.chance:.0%} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _share(right: int, questions: int) -> str:
    low, high = interval(right, questions)
    return f"{right / questions:.1%} [{low:.0%}, {high:.0%}]"


def card(folder: Path, recipe: Recipe, figures: list[Figure], parameters: int, command: str) -> None:
    """Write README.md and measured.json beside the weights; `training.md` there, if any, tells how it was trained."""
    note = folder / "training.md"
    text = CARD.format(
        name=folder.name,
        parameters=parameters / 1e6,
        table=table(figures),
        command=command,
        told=recipe.told_typicality,
        training=note.read_text(encoding="utf-8").strip() if note.is_file() else "",
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    told: dict[str, Any] = {"command": command, "figures": msgspec.to_builtins(figures)}
    (folder / "measured.json").write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
