"""Can the rows of a set be read: no empty cell, numbers that are finite, annotations and pictures that are what they must be?

What this lets pass, every other check can take apart without another look.
"""

import io
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from pstgen.core import workers
from pstgen.core.records import Instance, Scene
from pstgen.dataset import schema
from pstgen.dataset.rows import Cells
from pstgen.dataset.store import BATCH_ROWS, Dataset
from pstgen.pairs.context import MOST_OPTIONS
from pstgen.scenes import masks, pixels

NULLABLE = frozenset({"mark", "pull_counts", "pull_lm", "pull_vlm"})  # and the targets
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
LONGEST = 2**24  # letters of a text: the annotations of a crowded picture
FAR = 3  # a box or a joint may lie so many times the picture's side away from it


def problems(dataset: Dataset, processes: int = 1) -> Iterator[str]:
    """What is wrong, with the row that it is wrong of; pictures are decoded in that many processes."""
    groups = ((shard, n) for shard in dataset.shards for n in range(pq.read_metadata(shard).num_row_groups))
    for found in workers.parallel_map(_group, groups, processes, batch=1):
        yield from found
    scores = pq.ParquetFile(dataset.folder / "scores.parquet")
    for batch in scores.iter_batches():
        for row in batch.to_pylist():
            yield from (f"scores.parquet: {row['pair_id']!r}: {problem}" for problem in _cells(row, set()))


def _group(group: tuple[Path, int]) -> list[str]:
    """What is wrong in one row group of a file."""
    shard, n = group
    batches = pq.ParquetFile(shard).iter_batches(batch_size=BATCH_ROWS, row_groups=[n])
    rows = (row for batch in batches for row in batch.to_pylist())
    return [f"item {row['item_id']!r}: {problem}" for row in rows for problem in _row(row)]


def _row(row: Cells) -> Iterator[str]:
    targets = {f"{schema.TARGET}{name}" for name in schema.targets_of(row)}
    wrong = list(_cells(row, NULLABLE | targets))
    yield from wrong
    if wrong:
        return
    reason, size = _scene(row["scene"])
    if reason:
        yield f"scene: {reason}"
        return
    for name in ("image", *sorted(targets)):
        if row[name] is not None:
            yield from (f"{name}: {problem}" for problem in _picture(row[name], size, whole=name == "image"))
    path = row["image"]["path"]
    if not path.lower().endswith(SUFFIXES) or set(path) & {"\0", "/", "\\"}:
        yield f"image: is called {path[:80]!r}"
    if not 2 <= len(row["options"]) <= MOST_OPTIONS:
        yield f"options: are {len(row['options'])}, not 2 to {MOST_OPTIONS}"
    if row["answer"] not in row["options"] or row["lure"] not in row["options"]:
        yield f"options {row['options'][:8]} do not hold answer and lure"
    if row["role"] not in {"stress", "control"}:
        yield f"role: is {row['role']!r}"


def _cells(row: Mapping[str, Any], nullable: set[str] | frozenset[str]) -> Iterator[str]:
    for name, cell in row.items():
        if cell is None and name in nullable:
            continue
        if wrong := next(_wrong(cell), ""):
            yield f"{name}: {wrong}"


def _wrong(cell: Any) -> Iterator[str]:
    """Somewhere in a cell nothing, or a number that is none."""
    if cell is None:
        yield "is empty"
    elif isinstance(cell, float) and not math.isfinite(cell):
        yield f"is {cell}"
    elif isinstance(cell, str) and len(cell) > LONGEST:
        yield f"is {len(cell):,} letters long"
    elif isinstance(cell, dict):
        for value in cell.values():
            yield from _wrong(value)
    elif isinstance(cell, list):
        for value in cell:
            yield from _wrong(value)


@lru_cache(maxsize=1024)
def _scene(code: str) -> tuple[str, tuple[int, int]]:
    """What is wrong with the annotations of a picture, "" where nothing is, and the picture's width and height."""
    try:
        scene = msgspec.json.decode(code, type=Scene)
    except (msgspec.DecodeError, RecursionError) as error:
        return f"is not the record of a scene: {error}", (0, 0)
    size = scene.width, scene.height
    if not (scene.width > 0 and scene.height > 0 and scene.width * scene.height <= pixels.MAX_PIXELS):
        return f"is {scene.width}x{scene.height} pixels", size
    for thing in scene.instances:
        with suppress(StopIteration):
            return f"instance {thing.id} {next(_thing(thing, *size))}", size
    return "", size


def _thing(thing: Instance, width: int, height: int) -> Iterator[str]:
    box, joints = thing.region, thing.keypoints
    numbers = (box.x, box.y, box.width, box.height, *(n for joint in joints for n in (joint.x, joint.y)))
    if any(not abs(n) <= FAR * max(width, height) for n in numbers) or min(box.width, box.height) < 0:
        yield "has a box or a joint far outside of the picture"
    if not (math.isfinite(thing.area) and 0 <= thing.area <= width * height):
        yield f"has an area of {thing.area}"
    if thing.depth is not None and not math.isfinite(thing.depth):
        yield f"has a depth of {thing.depth}"
    for code in filter(None, (thing.rle, thing.full_rle)):
        try:
            counts = masks.decompress(code.decode("ascii"))
        except (UnicodeDecodeError, ValueError) as error:
            yield f"has a mask that is none: {error}"
        else:
            if min(counts, default=0) < 0 or sum(counts) != width * height:
                yield f"has a mask of {sum(counts)} pixels; the picture has {width * height}"


def _picture(picture: Mapping[str, Any], size: tuple[int, int], *, whole: bool) -> Iterator[str]:
    """whole: decode all of it; targets are rendered anew, and compared, by a check of their own."""
    try:
        with Image.open(io.BytesIO(picture["bytes"]), formats=pixels.FORMATS) as image:
            if image.size != size:
                yield f"is {image.width}x{image.height}, annotated as {size[0]}x{size[1]}"
            elif whole:
                image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        yield f"cannot be read: {error}"


def columns(dataset: Dataset) -> Iterator[str]:
    """Are the tables those of this format, with as many rows as the manifest says?"""
    if not dataset.shards:
        yield "data/: holds no test-*.parquet"
    rows = 0
    for path in (*dataset.shards, dataset.folder / "scores.parquet"):
        name = path.relative_to(dataset.folder).as_posix()
        try:
            found = pq.read_schema(path)
            rows += pq.read_metadata(path).num_rows if path in dataset.shards else 0
        except (OSError, pa.ArrowInvalid) as error:
            yield f"{name}: is no parquet file: {error}"
            continue
        wanted = schema.schema(schema.targets_of(found.names)) if path in dataset.shards else schema.SCORES
        if not found.equals(wanted):
            yield f"{name}: has other columns than this format's"
    if rows != dataset.manifest.items or not rows:
        yield f"data/: holds {rows} items; the manifest says {dataset.manifest.items}"
