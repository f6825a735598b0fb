"""AMBER: the folder of its queries and annotations; its discriminative questions, which are answered yes or no."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pstgen.core import reading
from pstgen.core.records import BadInput
from pstgen.verification.choices import YES_NO
from pstgen.verification.samples import Sample

TRUTH = "annotations.json"


def recognizes(path: Path, columns: frozenset[str], /) -> bool:  # noqa: ARG001
    """A folder that holds both of its files."""
    return path.is_dir() and bool(list(path.rglob(TRUTH))) and bool(list(path.rglob("query_*.json")))


def read(path: Path, names: Mapping[str, str], /) -> Iterator[Sample | str]:  # noqa: ARG001
    """Every query, with the truth of its id; images to be described have none."""
    truths = {str(row.get("id")): row for file in sorted(path.rglob(TRUTH)) for row in _list(file)}
    every = sorted(path.rglob("query_all.json")) or sorted(path.rglob("query_*.json"))
    for query in (row for file in every for row in _list(file)):
        name = str(query.get("id"))
        truth = truths.get(name, {})
        answer = str(truth.get("truth", "")).lower()
        if answer in YES_NO:
            kind, text = str(truth.get("type", "")), str(query.get("query", ""))
            yield Sample(name, name, str(query.get("image") or name), text, YES_NO, YES_NO.index(answer), category=kind)
        else:
            yield "its truth is neither yes nor no"


def _list(file: Path) -> list[dict[str, Any]]:
    try:
        return reading.json(reading.content(file), list[dict[str, Any]])
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise BadInput(f"{file}: not AMBER's JSON: {error}") from None
