"""Parquet, as Hugging Face's datasets publish: question, options or choices, answer or answer_index; pair_id if there is one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pstgen.core.records import BadInput, origin
from pstgen.verification.samples import Sample

QUESTION, ANSWER = "question", {"answer", "answer_index"}
COLUMNS = {
    QUESTION,
    *ANSWER,
    "options",
    "choices",
    "pair_id",
    "item_id",
    "lure",
    "role",
    "frame",
    "source_image_id",
    "image_id",
}
OURS = {"scores.parquet", "vulnerability.parquet"}  # in our own sets, beside the questions


def read(path: Path, /) -> list[Sample]:
    """One file, or every *.parquet below a folder; images stay unread."""
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    files = [file for file in files if file.name not in OURS]
    if not files or not files[0].is_file():
        raise BadInput(f"{path}: no parquet file here")
    return [sample for file in files for sample in _samples(file)]


def _samples(file: Path) -> Iterator[Sample]:
    try:
        table = pq.ParquetFile(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(f"{file}: not parquet: {error}") from None
    names = table.schema_arrow.names
    if QUESTION not in names or ANSWER.isdisjoint(names):
        raise BadInput(f"{file}: has columns {', '.join(names)}; question and answer are needed at least")
    columns = [name for name in names if name in COLUMNS]
    rows = (row for batch in table.iter_batches(columns=columns) for row in batch.to_pylist())
    for n, row in enumerate(rows):
        yield _sample(file, n, row)


def _sample(file: Path, n: int, row: dict[str, Any]) -> Sample:
    options = tuple(str(option) for option in row.get("options") or row.get("choices") or ("yes", "no"))
    label = row.get("answer_index", row.get("answer"))
    answer = label if isinstance(label, int) else options.index(str(label)) if str(label) in options else -1
    if not 0 <= answer < len(options):
        raise BadInput(f"{file}: row {n}: the answer {label!r} is none of {options}")
    name = str(row.get("item_id") or f"{file.name}-{n}")
    return Sample(
        name=name,
        pair=str(row.get("pair_id") or name),
        scene=origin(str(row.get("source_image_id") or row.get("image_id") or name)),
        question=str(row["question"]),
        options=options,
        answer=answer,
        lure=options.index(row["lure"]) if row.get("lure") in options else -1,
        role=str(row.get("role") or ""),
        frame=str(row.get("frame") or ""),
    )
