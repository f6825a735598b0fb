"""MMVP: a table of questions over images that CLIP takes for alike; two rows, one after the other, are a pair."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pstgen.verification import choices, tables
from pstgen.verification.samples import Sample


def recognizes(path: Path, columns: frozenset[str], /) -> bool:  # noqa: ARG001
    """By its columns."""
    return {"Question", "Options", "Correct Answer"} <= columns


def read(path: Path, names: Mapping[str, str], /) -> Iterator[Sample | str]:  # noqa: ARG001
    """Every row is another image; two rows in the same words are a pair."""
    for n, row in enumerate(tables.rows(path)):
        question, offered = str(row.get("Question") or ""), choices.options(row.get("Options"))
        place = choices.answer(row.get("Correct Answer"), offered)
        if not question or len(offered) < 2 or place < 0:
            yield "has no question, or its answer is none of its options"
        else:
            yield Sample(str(n), f"{n // 2}-{question}", str(n), question, offered, place)
