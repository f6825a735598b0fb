"""The dataset on disk: rows in parquet, scores, manifest, hashes (docs/dataset.md)."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass, replace
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pstgen import __version__
from pstgen.core import scratch
from pstgen.core.records import BadInput, Item, Region, Report, Scene, Target, Unavailable
from pstgen.dataset.schema import COLUMNS, IMAGE, SCHEMA, SCORES, TARGETS

Cells = dict[str, Any]  # column → value

FORMAT = 1
PACKED = {  # column → compression: images are compressed already
    name: "NONE" if kind == IMAGE else "ZSTD" for name, kind in COLUMNS.items()
}
SHARD_BYTES = 256 * 2**20
BATCH_ROWS = 64
LIBRARIES = ("numpy", "pillow", "opencv-python-headless", "pycocotools", "pyarrow", "scikit-learn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One item with all that it shows. image: the original file's bytes; suffix: ".jpg" or ".png".

    depth_kind: "exact", "estimated" or "". chain: what is to be seen, in words.
    """

    item: Item
    scene: Scene
    image: bytes
    suffix: str
    targets: tuple[Target, ...] = ()
    depth_kind: str = ""
    chain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One judge's answer to one wording.

    item_id: the twin whose image was seen; "" where the judge got only the words, which twins share.

    kept: is this wording of this pair in the dataset?
    """

    pair_id: str
    item_id: str
    frame: str
    question: str
    options: tuple[str, ...]
    lure: str
    judge: str
    logprobs: tuple[float, ...]
    choice: str
    kept: bool


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file must be."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was built, of what, by what.

    unknown: facts that were not asked, unmade: edits, dropped: pairs that misled and were not kept, each by reason. notes:
    what the user should know of the run. seal: sha256 of the canonical JSON of all the rest.
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
    notes: list[str] = []
    files: dict[str, File] = {}
    seal: str = ""


# ---------------------------------------------------------------------------------------------------------- writing


@contextmanager
def create(out: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `out` that takes its place at a clean end and leaves nothing otherwise.

    Raises BadInput where `out` holds something, Unavailable where there is no room or no right to write.
    """
    refuse_taken(out)
    out = out.absolute()
    with ExitStack() as stack:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(scratch.folder(f".{out.name}.partial-", out.parent))
        except OSError as error:
            raise Unavailable(f"{out.parent}: cannot be written: {error.strerror}") from error
        try:
            yield folder
            folder.chmod(0o755)
            folder.replace(out)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                free = shutil.disk_usage(out.parent).free / 2**20
                raise Unavailable(f"{out.parent}: the disk is full ({free:,.0f} MiB free); nothing was left") from error
            raise


def refuse_taken(out: Path) -> None:
    """Raise BadInput where `out` holds something."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out}: holds something already; name another --out or remove it")


def write_rows(folder: Path, rows: Iterable[Row]) -> int:
    """Stream rows, sorted by item_id, to data/test-*.parquet; returns how many."""
    return write_cells(folder, map(cells, rows))


def write_cells(folder: Path, rows: Iterable[Cells]) -> int:
    """Stream rows as `cells` makes them, sorted by item_id, to data/test-*.parquet; returns how many."""
    (folder / "data").mkdir()
    shards: list[Path] = []
    writer, written, total = None, 0, 0
    for batch in _batches(rows):
        if writer is None or written > SHARD_BYTES:
            if writer:
                writer.close()
            shards.append(folder / "data" / f"{len(shards)}.parquet")
            writer, written = pq.ParquetWriter(shards[-1], SCHEMA, compression=PACKED), 0
        table = pa.Table.from_pylist(batch, schema=SCHEMA)
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
    columns = [{name: getattr(score, name) for name in SCORES.names} for score in scores]
    pq.write_table(pa.Table.from_pylist(columns, schema=SCORES), folder / "scores.parquet", compression="zstd")


def manifest(
    settings: dict[str, Any], origin: dict[str, str], judges: dict[str, str], report: Report, items: int
) -> Manifest:
    """What is known before the files are hashed. No time, no path, no host: same inputs, same bytes."""
    libraries = LIBRARIES + (("torch", "transformers") if any(name.startswith("vlm") for name in judges) else ())
    return Manifest(
        format=FORMAT,
        pstgen=__version__,
        libraries={name: metadata.version(name) for name in libraries},
        settings=settings,
        origin=origin,
        judges=judges,
        items=items,
        funnel={station: dict(by) for station, by in report.stations.items()},
        unknown=_by_reason(report.refused.facts),
        unmade=_by_reason(report.refused.edits),
        refused=[msgspec.to_builtins(refusal) for refusal in sorted(report.refused.records, key=astuple)],
        dropped=_by_reason(report.dropped),
        notes=report.notes,
    )


def _by_reason(counted: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    reasons: dict[str, dict[str, int]] = {}
    for (name, reason), n in sorted(counted.items()):
        reasons.setdefault(name, {})[reason] = n
    return reasons


def seal(folder: Path, draft: Manifest) -> None:
    """Hash every file and write manifest.json, last of all."""
    hashes = {str(path.relative_to(folder)): hashed(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    (folder / "manifest.json").write_bytes(canonical(msgspec.structs.replace(draft, files=hashes)))


def canonical(record: msgspec.Struct) -> bytes:
    """The one form in which a record with a `seal` is written: sorted, indented, sealed.

    Any other bytes, however alike, are no such file.
    """
    return _canonical(msgspec.to_builtins(record))


def sealed(path: Path) -> dict[str, Any]:
    """Read what `canonical` wrote. Raises BadInput where any byte of it is another."""
    code = path.read_bytes()
    try:
        told = msgspec.json.decode(code, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path.name}: is not JSON: {error}") from None
    if code != _canonical(told):
        raise BadInput(f"{path.name}: its bytes are not those that its seal was made of")
    return told


def _canonical(told: dict[str, Any]) -> bytes:
    bare = msgspec.json.encode(told | {"seal": ""}, order="sorted")
    full = msgspec.json.encode(told | {"seal": sha256(bare).hexdigest()}, order="sorted")
    return msgspec.json.format(full, indent=2) + b"\n"


def put(file: Path, code: bytes) -> None:
    """Write a file of a dataset that is there already, whole or not at all; the draft lies outside of the dataset.

    Raises Unavailable where it cannot be written.
    """
    draft = file.parent.parent / f".{file.parent.name}.{file.name}"
    try:
        draft.write_bytes(code)
        draft.replace(file)
    except OSError as error:
        raise Unavailable(f"{file}: cannot be written: {error.strerror}") from error


def hashed(path: Path) -> File:
    """Size and sha256 of a file, read block by block."""
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(2**20):
            digest.update(block)
        return File(bytes=file.tell(), sha256=digest.hexdigest())


def _batches(rows: Iterable[Cells]) -> Iterator[list[Cells]]:
    batch: list[Cells] = []
    last = ""
    for row in rows:
        if row["item_id"] <= last:
            raise ValueError(f"rows come in the order of their ids, each once: {row['item_id']} after {last}")
        last = row["item_id"]
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def cells(row: Row) -> Cells:
    """A row's value in every column; pictures are encoded."""
    item, scene = row.item, row.scene
    name = scene.id.replace("/", "-")
    drawn = {target.kind: {"bytes": png(target.pixels), "path": f"{name}-{target.kind}.png"} for target in row.targets}
    bare = replace(scene, path="", depth_path="")
    return {
        **{name: getattr(item, name) for name in COLUMNS if hasattr(item, name)},
        "image": {"bytes": row.image, "path": f"{name}{row.suffix}"},
        "neutral_question": item.neutral,
        "evidence": _evidence(item, scene),
        "mark": {"x": item.mark[0], "y": item.mark[1]} if item.mark else None,
        **{f"target_{kind}": drawn.get(kind) for kind in TARGETS},
        "depth_kind": row.depth_kind,
        "chain": row.chain,
        "licence": scene.licence,
        "source": scene.source,
        "source_image_id": scene.id,
        "scene": msgspec.json.encode(bare).decode(),
    }


def _evidence(item: Item, scene: Scene) -> dict[str, Any]:
    things = [thing for thing in scene.instances if thing.id in item.evidence]
    regions = [thing.region for thing in things] or [Region(x=0, y=0, width=scene.width, height=scene.height)]
    joints = [joint for thing in things for joint in thing.keypoints if joint.visibility]
    return msgspec.to_builtins({"regions": regions, "keypoints": joints, "instances": item.evidence})  # type: ignore[no-any-return]


def png(pixels: Any) -> bytes:
    """Encode (H, W) uint8 or uint16."""
    done, code = cv2.imencode(".png", np.asarray(pixels))
    if not done:
        raise ValueError(f"pixels of {pixels.dtype} {pixels.shape} cannot be a PNG")
    return code.tobytes()


# ---------------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset on disk; rows are read as they are asked for, never all at once."""

    folder: Path
    manifest: Manifest

    @property
    def shards(self) -> list[Path]:
        """The parquet files of items, in order."""
        return sorted((self.folder / "data").glob("test-*.parquet"))

    def rows(self) -> Iterator[Row]:
        """Every item with its image, targets and annotations, in the order of ids."""
        return (_row(cells) for cells in self._read(list(COLUMNS)))

    def rows_of(self, pairs: Collection[str]) -> Iterator[Row]:
        """The items of these pairs; parts of the files that hold none of them are not read."""
        for shard in self.shards:
            file = pq.ParquetFile(shard)
            for part in range(file.num_row_groups):
                there = file.read_row_group(part, columns=["pair_id"])["pair_id"].to_pylist()
                if at := [n for n, name in enumerate(there) if name in pairs]:
                    yield from map(_row, file.read_row_group(part, columns=list(COLUMNS)).take(at).to_pylist())

    def items(self) -> Iterator[Item]:
        """Every item without its pixels (image is "")."""
        light = [name for name, kind in COLUMNS.items() if kind != IMAGE and name != "scene"]
        return (_item(cells) for cells in self._read(light))

    def scores(self) -> Iterator[Score]:
        """Every judged wording, kept or not."""
        for batch in pq.ParquetFile(self.folder / "scores.parquet").iter_batches():
            for cells in batch.to_pylist():
                yield Score(**cells | {name: tuple(cells[name]) for name in ("options", "logprobs")})

    def _read(self, columns: list[str]) -> Iterator[dict[str, Any]]:
        for shard in self.shards:
            for batch in pq.ParquetFile(shard).iter_batches(batch_size=BATCH_ROWS, columns=columns):
                yield from batch.to_pylist()


def open(folder: Path) -> Dataset:  # noqa: A001 (reads as store.open)
    """Open a dataset. Raises BadInput where the folder is none, or of another format."""
    file = folder / "manifest.json"
    try:
        manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except OSError as error:
        why = "no manifest.json" if isinstance(error, FileNotFoundError) else f"manifest.json: {error.strerror}"
        raise BadInput(f"{folder}: no stress test here ({why}); run `pstgen build --out {folder}` first") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: not a manifest of this format: {error}") from None
    if manifest.format != FORMAT:
        raise BadInput(f"{file}: format {manifest.format}; this pstgen reads format {FORMAT}")
    return Dataset(folder, manifest)


@contextmanager
def on_disk(row: Row) -> Iterator[Scene]:
    """The row's scene with its image and depth as files, as long as the context lasts, so that pixels can be asked."""
    with tempfile.TemporaryDirectory(prefix="pstgen-") as name:
        image = Path(name) / f"image{row.suffix}"
        image.write_bytes(row.image)
        depth = next((target.pixels for target in row.targets if target.kind == "depth"), None)
        depth_path = Path(name) / "depth.png"
        if depth is not None:
            depth_path.write_bytes(png(depth))
        yield replace(row.scene, path=str(image), depth_path=str(depth_path) if depth is not None else "")


def _item(cells: dict[str, Any]) -> Item:
    return Item(
        item_id=cells["item_id"],
        pair_id=cells["pair_id"],
        role=cells["role"],
        scene_id=cells["source_image_id"],
        image="",
        family=cells["family"],
        form=cells["form"],
        about=tuple(cells["about"]),
        frame=cells["frame"],
        question=cells["question"],
        neutral=cells["neutral_question"],
        options=tuple(cells["options"]),
        answer=cells["answer"],
        lure=cells["lure"],
        twin=cells["twin"],
        difficulty=cells["difficulty"],
        evidence=tuple(cells["evidence"]["instances"]),
        label=cells["label"],
        mark=(cells["mark"]["x"], cells["mark"]["y"]) if cells["mark"] else None,
    )


def _row(cells: dict[str, Any]) -> Row:
    pictures = {kind: cells[f"target_{kind}"] for kind in TARGETS}
    return Row(
        item=_item(cells),
        scene=msgspec.json.decode(cells["scene"], type=Scene),
        image=cells["image"]["bytes"],
        suffix=Path(cells["image"]["path"]).suffix,
        targets=tuple(Target(kind=kind, pixels=_pixels(p["bytes"])) for kind, p in pictures.items() if p),
        depth_kind=cells["depth_kind"],
        chain=cells["chain"],
    )


def _pixels(code: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(code, np.uint8), cv2.IMREAD_UNCHANGED)
