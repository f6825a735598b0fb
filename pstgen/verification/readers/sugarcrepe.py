"""SugarCrepe, and its like: which of two captions fits the picture, one of them changed by a word or two."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from pstgen.verification import tables
from pstgen.verification.samples import Sample

QUESTION = "Which caption fits the picture?"


def recognizes(path: Path, columns: frozenset[str], /) -> bool:  # noqa: ARG001
    """By its columns."""
    return {"caption", "negative_caption"} <= columns


def read(path: Path, names: Mapping[str, str], /) -> Iterator[Sample | str]:  # noqa: ARG001
    """The right caption comes first in half of them, drawn by a hash of its row."""
    for n, row in enumerate(tables.rows(path)):
        right, wrong = str(row.get("caption") or ""), str(row.get("negative_caption") or "")
        if not right or not wrong or right == wrong:
            yield "has no caption, or no other one"
            continue
        name = str(row.get(tables.KEY) or n)
        place = sha256(f"{path.stem}/{name}".encode()).digest()[0] % 2
        options = (wrong, right) if place else (right, wrong)
        yield Sample(name, name, str(row.get("filename") or name), QUESTION, options, place, category=path.stem)
