"""What exporters have in common: pictures as files beside the rows, and an item as a chat model is given it."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pstgen.core.pages import data_uri as data_uri_of
from pstgen.core.records import BadInput, Item
from pstgen.dataset import evidence
from pstgen.dataset.rows import Row
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
    return data_uri_of(row.image, KINDS[checked(row).suffix.lower()])


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
