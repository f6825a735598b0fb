"""Reading a set by its Croissant metadata, with mlcroissant, the format's own reader."""

import importlib.util
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from pstgen.core import reading, scratch
from pstgen.core.records import BadInput
from pstgen.dataset import responsible

RECORDS = 10  # of each record set that are read
PROVENANCE = ("prov:wasDerivedFrom", "prov:wasGeneratedBy")
FOLDER = "data"


def installed() -> bool:
    """Is mlcroissant there?"""
    return importlib.util.find_spec("mlcroissant") is not None


def read(file: Path) -> str:
    """Validate the metadata, read records by it, and say what was read. file: it stands beside the folder of the data.

    Raises BadInput where the metadata is invalid, lacks a field about responsible use, or does not give the records.
    """
    try:
        record = reading.json(reading.content(file), dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"{file.name}: cannot be read: {error}") from None
    wanted = (*(f"rai:{name}" for name in responsible.REQUIRED), *PROVENANCE)
    if missing := [name for name in wanted if name not in record]:
        raise BadInput(f"{file.name}: says nothing of {', '.join(missing)}")
    with scratch.folder("pstgen-croissant-") as folder, _quietly():
        try:
            counts = dict(_records(_first_shard(file, folder)))
        except Exception as error:
            raise BadInput(f"{file.name}: mlcroissant: {_reason(error)}") from error
    if empty := [name for name, n in counts.items() if not n]:
        raise BadInput(f"{file.name}: mlcroissant reads no record of {', '.join(empty)}")
    return f"{file.name} is valid; " + ", ".join(f"{n} records of {name} read" for name, n in counts.items())


def _reason(error: BaseException) -> str:
    """The first of what is wrong: it stands below a heading, or in the error that is behind all others."""
    while error.__cause__:
        error = error.__cause__
    said = str(error) or type(error).__name__
    return " ".join([line.strip(" -") for line in said.splitlines() if line.strip()][:2])


def _first_shard(file: Path, folder: Path) -> Path:
    """The metadata beside the first of its data files alone: mlcroissant loads all files of a set before the first record."""
    (folder / FOLDER).mkdir()
    for shard in sorted((file.parent / FOLDER).glob("*.parquet"))[:1]:
        (folder / FOLDER / shard.name).symlink_to(shard.resolve())
    copy = folder / file.name
    copy.write_bytes(file.read_bytes())
    return copy


def _records(file: Path) -> Iterator[tuple[str, int]]:
    """How many records of each record set were read, up to RECORDS."""
    import mlcroissant  # type: ignore[import-untyped]

    described = mlcroissant.Dataset(str(file))
    for record_set in described.metadata.record_sets:
        yield record_set.id, sum(1 for _ in islice(described.records(record_set.id), RECORDS))


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the warnings that its reader prints of properties that are recommended."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
