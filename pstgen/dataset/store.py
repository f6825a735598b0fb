"""The dataset on disk: rows in parquet, scores, manifest, hashes (docs/dataset.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from importlib import metadata
from inspect import signature
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from more_itertools import constrained_batches

from pstgen.core import __version__, reading
from pstgen.core.records import BadInput, Item, Pair, Score
from pstgen.core.report import Report
from pstgen.dataset import rows as row_cells
from pstgen.dataset import schema
from pstgen.dataset.rows import Cells, Row
from pstgen.dataset.sealing import File, canonical, hashed

FORMAT = 1
SHARD_BYTES = 256 * 2**20
BATCH_ROWS = 64
GROUP_BYTES = 64 * 2**20  # of pictures in a row group, at most, unless a single row has more: viewers load up to 100 MB
CHUNKED = "use_content_defined_chunking"  # since pyarrow 21: of a new version, a hub stores and sends only what differs
LIBRARIES = ("numpy", "pillow", "opencv-python-headless", "pycocotools", "pyarrow", "scikit-learn")


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was built, of what, by what.

    unknown: facts that were not asked, unmade: edits, dropped: pairs that misled and were not kept, each by reason. models:
    of judges that are models, how they are asked, what their checks found, and whether they decide. notes: what the user should know of the run. seal: sha256 of the canonical JSON of all the rest.
    """

    format: int
    pstgen: str
    libraries: dict[str, str]
    settings: dict[str, Any]
    origin: dict[str, str]
    judges: dict[str, str]
    items: int
    funnel: dict[str, dict[str, int]]
    unknown: dict[str, dict[str, int]]
    unmade: dict[str, dict[str, int]]
    refused: list[dict[str, str]]
    dropped: dict[str, dict[str, int]] = {}
    models: dict[str, dict[str, Any]] = {}
    notes: list[str] = []
    files: dict[str, File] = {}
    seal: str = ""


def write_rows(folder: Path, rows: Iterable[Row]) -> int:
    """Stream rows, sorted by item_id, to data/test-*.parquet; returns how many."""
    return write_cells(folder, map(row_cells.cells, rows))


def write_cells(folder: Path, rows: Iterable[Cells]) -> int:
    """Stream rows as `cells` makes them, sorted by item_id, to data/test-*.parquet; returns how many."""
    (folder / "data").mkdir()
    shards: list[Path] = []
    columns = schema.schema(schema.targets())
    compression = {
        field.name: "NONE" if field.type == schema.IMAGE else "ZSTD" for field in columns
    }  # images are packed
    writer, written, total = None, 0, 0
    for batch in constrained_batches(_in_order(rows), GROUP_BYTES, BATCH_ROWS, get_len=_bytes, strict=False):
        if writer is None or written > SHARD_BYTES:
            if writer:
                writer.close()
            shards.append(folder / "data" / f"{len(shards)}.parquet")
            writer, written = pq.ParquetWriter(shards[-1], columns, compression=compression, **_indexed()), 0
        table = pa.Table.from_pylist(list(batch), schema=columns)
        writer.write_table(table)
        written += table.nbytes
        total += len(batch)
    if writer:
        writer.close()
    for n, shard in enumerate(shards):
        shard.rename(shard.with_name(f"test-{n:05}-of-{len(shards):05}.parquet"))
    return total


def write_scores(folder: Path, scores: Iterable[Score]) -> None:
    """Write scores.parquet."""
    columns = [{name: getattr(score, name) for name in schema.SCORES.names} for score in scores]
    table = pa.Table.from_pylist(columns, schema=schema.SCORES)
    pq.write_table(table, folder / "scores.parquet", compression="zstd", **_indexed())


def _bytes(row: Cells) -> int:
    """How large the pictures of a row are."""
    return sum(len(cell["bytes"]) for cell in row.values() if isinstance(cell, dict) and cell.get("bytes"))


def _indexed() -> dict[str, bool]:
    """How parquet is written: where each page begins, so that a reader can fetch some rows alone; in chunks, where pyarrow can."""
    known = signature(pq.ParquetWriter.__init__).parameters
    return {"write_page_index": True} | ({CHUNKED: True} if CHUNKED in known else {})


def manifest(
    settings: dict[str, Any], origin: dict[str, str], judges: dict[str, str], report: Report, items: int
) -> Manifest:
    """What is known before the files are hashed. No time, no path, no host: same inputs, same bytes."""
    libraries = LIBRARIES + (("torch", "transformers") if any(name.startswith("vlm") for name in judges) else ())
    draft = Manifest(
        format=FORMAT,
        pstgen=__version__,
        libraries={name: metadata.version(name) for name in libraries},
        settings=settings,
        origin=origin,
        judges=judges,
        models=report.models,
        items=items,
        funnel={station: dict(by) for station, by in report.stations.items()},
        unknown=_by_reason(report.refused.facts),
        unmade=_by_reason(report.refused.edits),
        refused=[msgspec.to_builtins(refusal) for refusal in sorted(report.refused.records, key=astuple)],
        dropped=_by_reason(report.dropped),
        notes=report.notes,
    )
    return msgspec.json.decode(msgspec.json.encode(draft, order="sorted"), type=Manifest)  # as it will be read


def _by_reason(counted: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    reasons: dict[str, dict[str, int]] = {}
    for (name, reason), n in sorted(counted.items()):
        reasons.setdefault(name, {})[reason] = n
    return reasons


def seal(folder: Path, draft: Manifest) -> None:
    """Hash every file and write manifest.json, last of all."""
    hashes = {str(path.relative_to(folder)): hashed(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    (folder / "manifest.json").write_bytes(canonical(msgspec.structs.replace(draft, files=hashes)))


def _in_order(rows: Iterable[Cells]) -> Iterator[Cells]:
    """Pass rows on. Raises ValueError where they do not come in the order of their ids, each once."""
    last = ""
    for row in rows:
        if row["item_id"] <= last:
            raise ValueError(f"rows come in the order of their ids, each once: {row['item_id']} after {last}")
        last = row["item_id"]
        yield row


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset on disk; rows are read as they are asked for, never all at once."""

    folder: Path
    manifest: Manifest

    @property
    def shards(self) -> list[Path]:
        """The parquet files of items, in order."""
        return sorted((self.folder / "data").glob("test-*.parquet"))

    def rows(self, targets: Collection[str] | None = None) -> Iterator[Row]:
        """Every item with its image, targets and annotations, in the order of ids.

        targets: the kinds that are read and decoded; all where none are named.
        """
        names = pq.read_schema(self.shards[0]).names
        left_out = {f"{schema.TARGET}{kind}" for kind in schema.targets_of(names) if kind not in (targets or ())}
        return map(row_cells.row, self._read(None if targets is None else [n for n in names if n not in left_out]))

    def rows_of(self, pairs: Collection[str]) -> Iterator[Row]:
        """The items of these pairs; parts of the files that hold none of them are not read."""
        for shard in self.shards:
            file = pq.ParquetFile(shard)
            for part in range(file.num_row_groups):
                names = file.read_row_group(part, columns=["pair_id"])["pair_id"].to_pylist()
                if wanted := [n for n, name in enumerate(names) if name in pairs]:
                    yield from map(row_cells.row, file.read_row_group(part).take(wanted).to_pylist())

    def items(self) -> Iterator[Item]:
        """Every item without its pixels (image is "")."""
        return map(row_cells.item, self._read(schema.LIGHT))

    def cells(self) -> Iterator[Cells]:
        """Every row as its file has it; of pictures the names alone."""
        columns = schema.schema(schema.targets_of(pq.read_schema(self.shards[0]).names))
        return self._read([f"{field.name}.path" if field.type == schema.IMAGE else field.name for field in columns])

    def pairs(self) -> Iterator[Pair]:
        """Every pair, without pixels; twins stand beside each other, as items are in the order of their ids."""
        for _, twins in groupby(self.items(), key=lambda item: item.pair_id):
            *stress, control = sorted(twins, key=lambda item: item.role == "control")
            yield Pair(tuple(stress), control)

    def scores(self) -> Iterator[Score]:
        """Every judged wording, kept or not."""
        for batch in pq.ParquetFile(self.folder / "scores.parquet").iter_batches():
            for cells in batch.to_pylist():
                yield Score(**cells | {name: tuple(cells[name]) for name in ("options", "logprobs", "calibrated")})

    def _read(self, columns: Sequence[str] | None = None) -> Iterator[Cells]:
        for shard in self.shards:
            for batch in pq.ParquetFile(shard).iter_batches(batch_size=BATCH_ROWS, columns=columns):
                yield from batch.to_pylist()


def open(folder: Path) -> Dataset:  # noqa: A001 (reads as store.open)
    """Open a dataset. Raises BadInput where the folder is none, or of another format."""
    file = folder / "manifest.json"
    try:
        manifest = reading.json(reading.content(file), Manifest)
    except OSError as error:
        why = "no manifest.json" if isinstance(error, FileNotFoundError) else f"manifest.json: {error.strerror}"
        raise BadInput(f"{folder}: no stress test here ({why}); run `pstgen build --out {folder}` first") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: not a manifest of this format: {error}") from None
    if manifest.format != FORMAT:
        raise BadInput(f"{file}: format {manifest.format}; this pstgen reads format {FORMAT}")
    return Dataset(folder, manifest)
