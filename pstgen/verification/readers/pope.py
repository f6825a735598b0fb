"""POPE: rows of question_id, image, text and label (yes or no), one a line or in a list."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pstgen.verification import tables
from pstgen.verification.choices import YES_NO
from pstgen.verification.samples import Sample


def recognizes(path: Path, columns: frozenset[str], /) -> bool:  # noqa: ARG001
    """By its columns."""
    return {"text", "label", "image"} <= columns


def read(path: Path, names: Mapping[str, str], /) -> Iterator[Sample | str]:  # noqa: ARG001
    """The image names the scene. Questions in the same words are no pair: POPE has none."""
    for n, row in enumerate(tables.rows(path), 1):
        label, name = str(row.get("label", "")).strip().lower(), f"{n:06}"
        if label in YES_NO and row.get("text"):
            image = str(row.get("image") or name)
            yield Sample(name, name, image, str(row["text"]), YES_NO, YES_NO.index(label))
        else:
            yield "has no text, or its label is neither yes nor no"
