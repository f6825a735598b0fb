"""Rows of anybody's table: parquet, JSON, JSON lines, TSV, CSV; what is bytes stays unread."""

import csv
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pstgen.core import reading
from pstgen.core.records import BadInput

Row = dict[str, Any]
OURS = frozenset({"scores.parquet", "vulnerability.parquet"})  # in our own sets, beside the questions
BATCH = 1024  # rows of parquet that are unpacked at once: a few bytes of it may be many
LARGEST = 2**29  # bytes that they may come to
NO_NUMBER = re.compile(rb'(?P<text>"(?:[^"\\]|\\.)*+(?:"|\\?\Z))|-?\b(?:NaN|Infinity)\b', re.DOTALL)  # outside of text
KEY = "key"  # the column of a row's name, where a table is a mapping of names to rows


def rows(path: Path) -> Iterator[Row]:
    """Every row of a file, or of every parquet file below a folder. Raises BadInput where it is no table."""
    try:
        if path.is_dir() or path.suffix == ".parquet":
            yield from _parquet(path)
        elif path.suffix in {".tsv", ".csv"}:
            yield from _separated(path, "\t" if path.suffix == ".tsv" else ",")
        else:
            yield from _json(path)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None


def columns(path: Path) -> frozenset[str]:
    """Names of the columns of its first row; none where it is no table."""
    try:
        return frozenset(next(rows(path), {}))
    except BadInput:
        return frozenset()


def _parquet(path: Path) -> Iterator[Row]:
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    files = [file for file in files if file.name not in OURS]
    if not files:
        raise BadInput(f"{path}: no parquet file here")
    return (row for file in files for row in _rows_of_parquet(file))


def _rows_of_parquet(file: Path) -> Iterator[Row]:
    with reading.opened(file) as opened:
        try:
            table = pq.ParquetFile(opened)
            words = [field.name for field in table.schema_arrow if not _is_picture(field.type)]
            for batch in table.iter_batches(BATCH, columns=words):
                if batch.nbytes > LARGEST:
                    raise BadInput(
                        f"{file}: {len(batch):,} of its rows take more than {LARGEST:,} bytes, pictures left out"
                    )
                yield from batch.to_pylist()
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            raise BadInput(f"{file}: not parquet that can be read: {' '.join(str(error).split())}") from None


def _is_picture(kind: pa.DataType) -> bool:
    """Bytes, or a struct or list that holds some."""
    if pa.types.is_struct(kind):
        return any(_is_picture(kind.field(n).type) for n in range(kind.num_fields))
    if pa.types.is_list(kind):
        return _is_picture(kind.value_type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _separated(path: Path, by: str) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)
    with reading.opened(path) as opened, io.TextIOWrapper(opened, encoding="utf-8-sig", newline="") as file:
        try:
            for row in csv.DictReader(file, delimiter=by):
                row.pop(None, None)  # cells beyond the last column
                yield row
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadInput(f"{path}: is not {path.suffix[1:].upper()}: {error}") from None


def _json(path: Path) -> list[Row]:
    """A list of rows, one row a line, or a mapping whose values are rows, or hold a list of them."""
    code = reading.content(path)
    try:
        table = _table(_value(code))
    except msgspec.DecodeError as error:
        raise BadInput(f"{path}: neither JSON nor JSON lines: {error}") from None
    if not table:
        raise BadInput(f"{path}: holds no rows: a list of them, one a line, or a mapping of names to them is needed")
    return table


def _value(code: bytes) -> Any:
    """All of it is one value, or every line is one. NaN and Infinity, which Python writes into JSON, are null."""
    try:
        return _strict(code)
    except msgspec.DecodeError:
        plain = NO_NUMBER.sub(lambda match: match["text"] or b"null", code)
        if plain == code:
            raise
    return _strict(plain)


def _strict(code: bytes) -> Any:
    try:
        return reading.json(code, Any)
    except msgspec.DecodeError:
        return reading.json_lines(code)


def _table(value: Any) -> list[Row]:
    if isinstance(value, dict):
        lists = [part for part in value.values() if isinstance(part, list) and part and isinstance(part[0], dict)]
        if lists:
            return _table(lists[0])
        if value and all(isinstance(row, dict) for row in value.values()):
            return [{KEY: key, **row} for key, row in value.items()]
        return [value]
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
