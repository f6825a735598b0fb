"""VQA v2's official files: questions and the answers of ten people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from pstgen.records import BadInput


class Question(msgspec.Struct, gc=False):
    """One row of v2_OpenEnded_*_questions.json."""

    question_id: int
    image_id: int
    question: str


class Questions(msgspec.Struct, gc=False):
    """v2_OpenEnded_*_questions.json."""

    questions: list[Question]


class Annotation(msgspec.Struct, gc=False):
    """One row of v2_*_annotations.json."""

    question_id: int
    multiple_choice_answer: str


class Annotations(msgspec.Struct, gc=False):
    """v2_*_annotations.json."""

    annotations: list[Annotation]


def rows(folder: Path) -> Iterator[tuple[Question, str]]:
    """Every question with its most common answer. Raises BadInput where the files are missing or do not fit."""
    said = {
        row.question_id: row.multiple_choice_answer
        for row in _read(folder, "*annotations.json", Annotations).annotations
    }
    asked = [row for row in _read(folder, "*questions.json", Questions).questions if row.question_id in said]
    if not asked:
        raise BadInput(f"{folder}: no annotation is of any of the questions")
    for row in asked:
        yield row, said[row.question_id]


def _read(folder: Path, pattern: str, as_: type[Any]) -> Any:
    files = sorted(folder.glob(pattern))
    if len(files) != 1:
        raise BadInput(f"{folder}: holds {len(files)} files {pattern}; it takes one, as VQA v2 publishes it")
    try:
        return msgspec.json.decode(files[0].read_bytes(), type=as_)
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"{files[0]}: not a file of VQA v2: {error}") from None
