"""What exporters have in common: pictures as files beside the rows, and an item as a chat model is given it."""

import json
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pstgen.core.records import Item
from pstgen.dataset.limbs import focus
from pstgen.dataset.rows import Row
from pstgen.models.asking import lettered
from pstgen.models.parsing import LETTERS

IMAGES = "images"  # the folder of the pictures
KINDS = {".jpg": "image/jpeg", ".png": "image/png"}  # by suffix


def image_path(row: Row) -> str:
    """Where the row's picture stands, from the exported folder: images/<item_id>.png or .jpg."""
    return f"{IMAGES}/{row.item.item_id}{row.suffix}"


def write_image(row: Row, folder: Path) -> str:
    """Write the row's picture, the very bytes of the set; returns `image_path`."""
    file = folder / image_path(row)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(row.image)
    return image_path(row)


def data_uri(row: Row) -> str:
    """The row's picture as text: data:image/png;base64,…"""
    return f"data:{KINDS[row.suffix]};base64,{b64encode(row.image).decode()}"


def prompt(item: Item) -> str:
    """The question, its options by letter in their order, and how to answer."""
    return lettered(item.question, item.options)


def letter(item: Item) -> str:
    """The letter of the right option, as in `prompt`."""
    return LETTERS[item.answer_index]


def boxes(row: Row) -> list[tuple[float, float, float, float]]:
    """Of what shows the answer, in pixels: left, top, right, bottom. Empty where the whole picture shows it (an absence)."""
    shown = [thing.region for thing in focus(row.item, row.scene).instances if thing.id in row.item.evidence]
    return [(box.x, box.y, box.x + box.width, box.y + box.height) for box in shown]


def write_lines(file: Path, records: Iterable[Any]) -> None:
    """Write one JSON document a line, in UTF-8."""
    with file.open("w", encoding="utf-8") as lines:
        for record in records:
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")
