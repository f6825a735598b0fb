"""Parts of a build that was shared out: a folder each, with what its models said; several are merged into one set.

part.json          its shard, the settings, and the hash of the verdicts
verdicts.parquet   judge, revision, key (a hash of all that the verdict depends on), log-probabilities
"""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pstgen.core import __version__, reading
from pstgen.core.config import BuildConfig, build_config, flat, manifest_settings
from pstgen.core.records import BadInput
from pstgen.dataset.sealing import File, hashed
from pstgen.models.recorded import Known, Recorded

FORMAT = 1
NAME, VERDICTS = "part.json", "verdicts.parquet"
COLUMNS = pa.schema(
    [("judge", pa.string()), ("revision", pa.string()), ("key", pa.string()), ("logprobs", pa.list_(pa.float64()))]
)


class Shard(NamedTuple):
    """One of several equal shares of a build's pairs. number: from 1."""

    number: int
    of: int

    def has(self, pair_id: str) -> bool:
        """Is the pair judged in this shard? Its name's hash says it."""
        return int.from_bytes(sha256(pair_id.encode()).digest()[:8]) % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """part.json."""

    format: int
    pstgen: str
    shard: Shard
    settings: dict[str, Any]
    verdicts: File


def shard(text: str) -> Shard:
    """A shard as it is typed. Raises BadInput.

    >>> shard("2/8")
    Shard(number=2, of=8)
    """
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal() and len(text) < 20 and 1 <= int(number) <= int(of)):
        raise BadInput(f"--shard {text!r}: type which of how many, such as 2/8")
    return Shard(int(number), int(of))


def write(folder: Path, shard: Shard, config: BuildConfig, known: Known) -> int:
    """Write a part; returns how many verdicts it has."""
    rows = [(*name, key, list(logprobs)) for name, verdicts in known.items() for key, logprobs in verdicts.items()]
    columns = [list(column) for column in zip(*sorted(rows), strict=True)] or [[] for _ in COLUMNS]
    pq.write_table(pa.Table.from_arrays([pa.array(*each) for each in zip(columns, COLUMNS.types, strict=True)], schema=COLUMNS), folder / VERDICTS, compression="zstd")  # fmt: skip
    settings = flat(msgspec.to_builtins(config, enc_hook=str))
    part = Part(FORMAT, __version__, shard, settings, hashed(folder / VERDICTS))
    (folder / NAME).write_bytes(msgspec.json.format(msgspec.json.encode(part, order="sorted")))
    return len(rows)


def read(folders: Sequence[Path]) -> tuple[BuildConfig, Recorded]:
    """The settings of a build and what its models said, from all of its parts.

    Raises BadInput where one is damaged, is no part of the same build, is given twice, or is not there.
    """
    parts = [_part(folder) for folder in folders]
    first = build_config(**parts[0].settings)
    recorded = Recorded()
    for folder, part in zip(folders, parts, strict=True):
        if part.shard.of != parts[0].shard.of:
            raise BadInput(
                f"{folder}: is part {part.shard}, and {folders[0]} is part {parts[0].shard}: of other builds"
            )
        if differing := _differing(first, build_config(**part.settings)):
            raise BadInput(f"{folder}: is of another build than {folders[0]}: {', '.join(differing)} differ")
        _add(recorded, folder, part)
    _refuse_missing(folders, [part.shard for part in parts])
    return first, recorded


def _part(folder: Path) -> Part:
    try:
        part = reading.json(reading.content(folder / NAME), Part)
        if hashed(folder / VERDICTS) != part.verdicts:
            raise BadInput(f"{folder / VERDICTS}: is damaged: not the file that was written; build this part again")
    except FileNotFoundError as error:
        raise BadInput(f"{folder}: no part of a build here: no {Path(error.filename).name}") from None
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"{folder / NAME}: {error}") from None
    if (part.format, part.pstgen) != (FORMAT, __version__):
        raise BadInput(f"{folder}: written by pstgen {part.pstgen}, and this is {__version__}: build it again")
    return part


def _differing(first: BuildConfig, second: BuildConfig) -> list[str]:
    """Settings that are not the same, of those that change a set."""
    settings, others = (flat(manifest_settings(config, 0, None)) for config in (first, second))
    return sorted(name for name in settings if settings[name] != others[name])


def _add(recorded: Recorded, folder: Path, part: Part) -> None:
    try:
        file = pq.ParquetFile(folder / VERDICTS)
        if file.schema_arrow != COLUMNS:
            raise BadInput(f"{folder / VERDICTS}: has other columns than a part's")
        for batch in file.iter_batches():
            for judge, revision, key, logprobs in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                recorded.known[judge, revision][key] = tuple(logprobs)
    except (pa.ArrowException, TypeError) as error:
        raise BadInput(f"{folder / VERDICTS}: part {part.shard} cannot be read: {str(error).splitlines()[0]}") from None


def _refuse_missing(folders: Sequence[Path], shards: Sequence[Shard]) -> None:
    number, times = Counter(shard.number for shard in shards).most_common(1)[0]
    if times > 1:
        twice = [str(folder) for folder, shard in zip(folders, shards, strict=True) if shard.number == number]
        raise BadInput(f"part {number} is given {times} times: {', '.join(twice)}")
    of = shards[0].of
    if missing := sorted(set(range(1, of + 1)) - {shard.number for shard in shards}):
        named = ", ".join(map(str, missing[:8])) + (", …" if len(missing) > 8 else "")
        raise BadInput(f"of {of} parts {len(missing)} are missing: {named}")
