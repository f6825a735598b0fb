"""Rows of anybody's table: parquet, JSON, JSON lines, TSV, CSV; what is bytes stays unread."""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pstgen.core.records import BadInput

Row = dict[str, Any]
OURS = frozenset({"scores.parquet", "vulnerability.parquet"})  # in our own sets, beside the questions
KEY = "key"  # the column of a row's name, where a table is a mapping of names to rows


def rows(path: Path) -> Iterator[Row]:
    """Every row of a file, or of every parquet file below a folder. Raises BadInput where it is no table."""
    try:
        if path.is_dir() or path.suffix == ".parquet":
            return _parquet(path)
        if path.suffix in {".tsv", ".csv"}:
            return _separated(path, "\t" if path.suffix == ".tsv" else ",")
        return iter(_json(path))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None


def columns(path: Path) -> frozenset[str]:
    """Names of the columns of its first row; none where it is no table."""
    try:
        return frozenset(next(rows(path), {}))
    except BadInput:
        return frozenset()


def _parquet(path: Path) -> Iterator[Row]:
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    files = [file for file in files if file.name not in OURS]
    if not files or not files[0].is_file():
        raise BadInput(f"{path}: no parquet file here")
    return (row for file in files for row in _rows_of_parquet(file))


def _rows_of_parquet(file: Path) -> Iterator[Row]:
    try:
        table = pq.ParquetFile(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(f"{file}: not parquet: {error}") from None
    words = [field.name for field in table.schema_arrow if not _is_picture(field.type)]
    for batch in table.iter_batches(columns=words):
        yield from batch.to_pylist()


def _is_picture(kind: pa.DataType) -> bool:
    """Bytes, or a struct or list that holds some."""
    if pa.types.is_struct(kind):
        return any(_is_picture(kind.field(n).type) for n in range(kind.num_fields))
    if pa.types.is_list(kind):
        return _is_picture(kind.value_type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _separated(path: Path, by: str) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            yield from csv.DictReader(file, delimiter=by)
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadInput(f"{path}: is not {path.suffix[1:].upper()}: {error}") from None


def _json(path: Path) -> list[Row]:
    """A list of rows, one row a line, or a mapping whose values are rows, or hold a list of them."""
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        try:
            value = msgspec.json.decode(data)
        except msgspec.DecodeError:
            value = msgspec.json.Decoder().decode_lines(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: neither JSON nor JSON lines: {error}") from None
    table = _table(value)
    if not table:
        raise BadInput(f"{path}: holds no rows: a list of them, one a line, or a mapping of names to them is needed")
    return table


def _table(value: Any) -> list[Row]:
    if isinstance(value, dict):
        lists = [part for part in value.values() if isinstance(part, list) and part and isinstance(part[0], dict)]
        if lists:
            return _table(lists[0])
        if value and all(isinstance(row, dict) for row in value.values()):
            return [{KEY: key, **row} for key, row in value.items()]
        return [value]
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
