"""Parquet, as Hugging Face's datasets publish: question, options or choices, answer or answer_index; pair_id if there is one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pstgen.core.records import BadInput
from pstgen.verification.samples import Case

KNOWN = (
    "question",
    "options",
    "choices",
    "answer",
    "answer_index",
    "pair_id",
    "item_id",
    "lure",
    "role",
    "source_image_id",
    "image_id",
)
BESIDE = {"scores.parquet", "vulnerability.parquet"}  # of our own sets, no questions


def read(path: Path, /) -> list[Case]:
    """One file, or every *.parquet below a folder; images stay unread."""
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    files = [file for file in files if file.name not in BESIDE]
    if not files or not files[0].is_file():
        raise BadInput(f"{path}: no parquet file here")
    return [case for file in files for case in _cases(file)]


def _cases(file: Path) -> Iterator[Case]:
    try:
        told = pq.ParquetFile(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(f"{file}: not parquet: {error}") from None
    columns = [name for name in told.schema_arrow.names if name in KNOWN]
    if "question" not in columns or not {"answer", "answer_index"} & set(columns):
        raise BadInput(
            f"{file}: has columns {', '.join(told.schema_arrow.names)}; it takes question and answer at least"
        )
    rows = (row for batch in told.iter_batches(columns=columns) for row in batch.to_pylist())
    for n, row in enumerate(rows):
        yield _case(file, n, row)


def _case(file: Path, n: int, row: dict[str, Any]) -> Case:
    options = tuple(str(option) for option in row.get("options") or row.get("choices") or ("yes", "no"))
    told = row.get("answer_index", row.get("answer"))
    answer = told if isinstance(told, int) else options.index(str(told)) if str(told) in options else -1
    if not 0 <= answer < len(options):
        raise BadInput(f"{file}: row {n}: the answer {told!r} is none of {options}")
    name = str(row.get("item_id") or f"{file.name}-{n}")
    scene = str(row.get("source_image_id") or row.get("image_id") or name).partition("+")[0]
    lure = options.index(row["lure"]) if row.get("lure") in options else -1
    return Case(
        name,
        str(row.get("pair_id") or name),
        scene,
        str(row["question"]),
        options,
        answer,
        lure,
        str(row.get("role") or ""),
    )
