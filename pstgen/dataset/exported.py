"""What exporters have in common: pictures as files beside the rows, an item as a chat model is given it, parquet, and pages."""

import inspect
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from more_itertools import chunked

from pstgen.core import pages
from pstgen.core.records import BadInput, Item
from pstgen.dataset import evidence, schema
from pstgen.dataset.rows import Row
from pstgen.dataset.store import BATCH_ROWS, Dataset
from pstgen.models import parsing
from pstgen.models.asking import lettered
from pstgen.models.parsing import LETTERS

IMAGES = "images"  # the folder of the pictures
KINDS = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".png": "png",
    ".webp": "webp",
    ".bmp": "bmp",
    ".tif": "tiff",
    ".tiff": "tiff",
}
NAME = re.compile(r"[\w+-]+")  # of an item, where a file is to be called by it; no dot, which begins an extension


def image_path(row: Row) -> str:
    """Where the row's picture stands, from the exported folder: images/<item_id>.png or .jpg. Raises what `checked` raises."""
    return f"{IMAGES}/{checked(row).item.item_id}{row.suffix}"


def checked(row: Row) -> Row:
    """The row, if its item and picture can give a file its name. Raises BadInput where they cannot: it may lead elsewhere."""
    if not NAME.fullmatch(row.item.item_id) or row.suffix.lower() not in KINDS:
        name = f"{row.item.item_id}{row.suffix}"
        raise BadInput(
            f"item {name!r}: no file can be called so: letters, digits, + and -, and one of {', '.join(KINDS)}"
        )
    return row


def write_image(row: Row, folder: Path) -> str:
    """Write the row's picture, the very bytes of the set; returns `image_path`."""
    file = folder / image_path(row)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(row.image)
    return image_path(row)


def data_uri(row: Row) -> str:
    """The row's picture as text: data:image/png;base64,… Raises what `checked` raises."""
    return pages.data_uri(row.image, KINDS[checked(row).suffix.lower()])


def image_cell(row: Row) -> dict[str, Any]:
    """The picture, the very bytes of the set, and the name of its file, as `datasets` writes an image."""
    return {"bytes": row.image, "path": f"{row.item.item_id}{row.suffix}"}


def prompt(item: Item) -> str:
    """The question, its options by letter in their order, and how to answer."""
    return lettered(item.question, item.options)


def letter(item: Item) -> str:
    """The letter of the right option, as in `prompt`."""
    return LETTERS[item.answer_index]


def boxes(row: Row) -> list[tuple[float, float, float, float]]:
    """Of what shows the answer, in pixels: left, top, right, bottom. Empty where the whole picture shows it (an absence)."""
    regions = [thing.region for thing in evidence.things(row)]
    return [(box.x, box.y, box.x + box.width, box.y + box.height) for box in regions]


def write_lines(file: Path, records: Iterable[Any]) -> None:
    """Write one JSON document a line, in UTF-8."""
    with file.open("w", encoding="utf-8") as lines:
        for record in records:
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")


def twins(dataset: Dataset) -> Counter[str]:
    """By pair id, how many items a pair has."""
    return Counter(item.pair_id for item in dataset.items())


def chat_cells(item: Item, columns: Iterable[str], twins: Mapping[str, int]) -> dict[str, Any]:
    """The item's own fields among the columns, and `prompt`, `letter` and `twins`: how many items its pair has."""
    own = {name: getattr(item, name) for name in columns if hasattr(item, name)}
    return {**own, "prompt": prompt(item), "letter": letter(item), "twins": twins[item.pair_id]}


def write_parquet(file: Path, columns: Mapping[str, pa.DataType], records: Iterable[dict[str, Any]]) -> None:
    """Write the records, BATCH_ROWS in memory; images are images to Hugging Face's `datasets`."""
    table = schema.described(columns)
    with pq.ParquetWriter(file, table, compression="zstd") as writer:
        for batch in chunked(records, BATCH_ROWS):
            writer.write_table(pa.Table.from_pylist(batch, table))


def write_task(folder: Path, harness: str, templates: Mapping[str, str], dataset: Dataset, /, **values: Any) -> None:
    """Write a harness's files, by name, each from the template HARNESS.TEMPLATE.jinja beside the exporters.

    A template is given `values`, and `items`, `pairs`, `seal`, and `parser`: the source of `models.parsing`, for a harness that
    has no pstgen.
    """
    given = {
        "items": dataset.manifest.items,
        "pairs": len(twins(dataset)),
        "seal": dataset.manifest.seal,
        "parser": inspect.getsource(parsing),
        **values,
    }
    for name, template in templates.items():
        text = pages.render(f"dataset/exporters/{harness}.{template}.jinja", **given)
        (folder / name).write_text(text, encoding="utf-8")
