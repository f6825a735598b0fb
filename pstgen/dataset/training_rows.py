"""What exporters for trainers have in common: question and answer in words, what rewards need, and parquet for `datasets`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pycocotools import mask as coco_mask

from pstgen.core import pages
from pstgen.core.records import Item
from pstgen.dataset import exported, schema
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Dataset
from pstgen.models import asking

PARQUET = "train.parquet"  # `datasets` takes it for the split "train"
PLACEHOLDER = "<image>"  # where trainers that take text put the picture
MASK = pa.struct([("size", pa.list_(pa.int64())), ("counts", pa.string())])
IMAGES = pa.list_(schema.IMAGE)
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
IDENTITY: dict[str, pa.DataType] = {"item_id": pa.string(), "pair_id": pa.string()}
GRADING: dict[str, pa.DataType] = {  # what pstgen.rewards needs of a row
    **IDENTITY,
    "twins": pa.int64(),
    "role": pa.string(),
    "family": pa.string(),
    "options": pa.list_(pa.string()),
    "answer": pa.string(),
    "lure": pa.string(),
    "boxes": pa.list_(pa.list_(pa.float64())),
    "mask": MASK,
    "width": pa.int64(),
    "height": pa.int64(),
    "chain": pa.string(),
}


SHOWN: dict[str, pa.DataType] = {"images": IMAGES, **IDENTITY, "chain": pa.string()}


def question(item: Item) -> str:
    """The question and its options in words, in alphabetical order; the answer to it is an option's words."""
    return asking.prompt(item.question, item.options)


def messages(role_and_text: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Turns of a conversation, as chat templates take them.

    >>> messages([("user", "Is there a dog?")])
    [{'role': 'user', 'content': 'Is there a dog?'}]
    """
    return [{"role": role, "content": text} for role, text in role_and_text]


def twins(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows of each pair, which stand beside each other; one pair in memory."""
    for _, pair in groupby(rows, key=lambda row: row.item.pair_id):
        yield list(pair)


def graded(rows: Iterable[Row]) -> Iterator[tuple[Row, dict[str, Any]]]:
    """Every row with its cells of GRADING.

    twins: how many items the pair has. boxes: of what shows the answer, in pixels: left, top, right, bottom; none for an
    absence. mask: COCO's compressed run-length code of what shows the answer, None where there is none. width, height: of
    the picture, in pixels.
    """
    for pair in twins(rows):
        for row in pair:
            item = row.item
            plain = {name: getattr(item, name) for name in GRADING if hasattr(item, name)}
            yield (
                row,
                plain
                | {
                    "options": list(item.options),
                    "twins": len(pair),
                    "boxes": [list(box) for box in exported.boxes(row)],
                    "mask": _mask(row),
                    "width": row.scene.width,
                    "height": row.scene.height,
                    "chain": row.chain,
                },
            )


def wrong_answer(row: Row, pair: Sequence[Row]) -> str:
    """What is right for a twin and wrong here: for a stress twin the lure, for the control the answer of its first stress twin.

    Over all twins of a pair that are two, each answer is right once and wrong once, so that words alone prefer neither.
    """
    others = [other.item.answer for other in pair if other.item.answer != row.item.answer]
    return row.item.lure if row.item.role == "stress" else others[0]


def shown(row: Row) -> dict[str, Any]:
    """The row's cells of SHOWN."""
    item = row.item
    return {"images": [exported.image_cell(row)], "item_id": item.item_id, "pair_id": item.pair_id, "chain": row.chain}


def write_parquet(folder: Path, columns: Mapping[str, pa.DataType], records: Iterable[dict[str, Any]]) -> None:
    """Write train.parquet, as `exported.write_parquet` does."""
    exported.write_parquet(folder / PARQUET, columns, records)


def write_readme(dataset: Dataset, folder: Path, trainer: str, command: str) -> None:
    """Write README.md: what the folder holds, and what to type there; DIR stands for the folder."""
    items, seal = dataset.manifest.items, dataset.manifest.seal
    values = {"trainer": trainer, "command": command, "items": items, "seal": seal}
    text = pages.render("dataset/exporters/trainer.md.jinja", **values)
    (folder / "README.md").write_text(text, encoding="utf-8")


def write_list(file: Path, records: Iterable[Any]) -> None:
    """Write one JSON list, a record a line, in UTF-8."""
    with file.open("w", encoding="utf-8") as out:
        before = "[\n"
        for record in records:
            out.write(before + json.dumps(record, ensure_ascii=False))
            before = ",\n"
        out.write("\n]\n" if before == ",\n" else "[]\n")


def _mask(row: Row) -> dict[str, Any] | None:
    pixels = next((target.pixels for target in row.targets if target.kind == "mask"), None)
    if pixels is None or not pixels.any():
        return None
    code = coco_mask.encode(np.asfortranarray(pixels > 0, np.uint8))
    return {"size": [int(side) for side in code["size"]], "counts": code["counts"].decode()}
