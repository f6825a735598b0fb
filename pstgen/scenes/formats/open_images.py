"""Open Images: CSV files of boxes, of labels that people verified, and of what classes are called. Source: storage.googleapis.com/openimages.

Of what nobody verified nothing is known; a label that was verified as absent is absent.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv

from pstgen.core import reading
from pstgen.core.records import BadInput
from pstgen.scenes import folders, pixels
from pstgen.scenes.folders import Folder
from pstgen.scenes.formats import Annotated, Row

BOXES = frozenset({"ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"})
LABELS = frozenset({"ImageID", "LabelName", "Confidence"})
LICENCES = frozenset({"ImageID", "License"})
HEADER = 2**16  # bytes of a first line, at most
UNSURE = (
    "IsGroupOf",
    "IsDepiction",
)  # several that are not told apart; a drawing, a toy: presence is all that is known


def recognizes(path: Path) -> bool:
    """The CSV file of boxes, or the folder that holds it."""
    return any(_columns(file) >= BOXES for file in _files(path))


def read(path: Path, split: str, images: Path | None) -> Annotated:
    """The boxes of every picture that they name, with the labels, names and licences that stand in the same folder.

    split: of several files of boxes, whose name begins so.
    """
    beside = _files(path if path.is_dir() else path.parent)
    boxes = path if path.is_file() else _of_split([file for file in beside if _columns(file) >= BOXES], split)
    rows = _table(boxes).to_pylist()
    names = _names(beside)
    ids = dict.fromkeys(row["ImageID"] for row in rows)
    folder = folders.find(boxes, [f"{name}.jpg" for name in ids], images)
    found = Annotated([], [], [], folder.path.absolute(), [])
    verified = _verified([file for file in beside if _columns(file) >= LABELS and not _columns(file) >= BOXES])
    licences = {row["ImageID"]: row["License"] for row in _of_columns(beside, LICENCES)}
    sizes = {name: size for name in ids if (size := _size(found, name))}
    for name, (width, height) in sizes.items():
        found.images.append({
            "id": name, "file_name": f"{name}.jpg", "width": width, "height": height, "license": licences.get(name),
            "neg_category_ids": [label for label, is_there in verified[name].items() if not is_there],
            "not_exhaustive_category_ids": [label for label, is_there in verified[name].items() if is_there],
        })  # fmt: skip
    found.annotations.extend(_boxes(rows, sizes, found))
    labels = {row["category_id"] for row in found.annotations} | {label for of in verified.values() for label in of}
    found.categories.extend({"id": label, "name": names.get(label, label)} for label in sorted(labels))
    return found


def _files(path: Path) -> list[Path]:
    files = [path] if path.suffix == ".csv" else sorted(path.glob("*.csv")) if path.is_dir() else []
    return [file for file in files if file.is_file()]


def _columns(file: Path) -> frozenset[str]:
    try:
        with reading.opened(file) as opened:
            return frozenset(opened.readline(HEADER).decode("utf-8-sig").strip().split(","))
    except (OSError, UnicodeDecodeError):
        return frozenset()


def _of_split(files: list[Path], split: str) -> Path:
    return next((file for file in files if file.name.startswith(split)), files[0])


def _table(file: Path, **options: Any) -> Any:
    """Every column of a CSV file as text. Raises BadInput where it is none."""
    try:
        columns = options.get("column_names") or sorted(_columns(file))
        types = csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()))
        return csv.read_csv(file, csv.ReadOptions(**options), convert_options=types)
    except (OSError, pa.ArrowException) as error:
        raise BadInput(f"{file}: not a CSV file of Open Images: {' '.join(str(error).split())}") from None


def _of_columns(files: list[Path], wanted: frozenset[str]) -> Iterator[Row]:
    """The rows of the files that have those columns."""
    for file in files:
        if _columns(file) >= wanted:
            yield from _table(file).select(sorted(wanted)).to_pylist()


def _names(files: list[Path]) -> dict[str, str]:
    """What classes are called: two columns, with a header in the newer files."""
    described = (file for file in files if "description" in file.name)
    tables = (_table(file, column_names=["label", "name"]) for file in described)
    return {row["label"]: row["name"] for table in tables for row in table.to_pylist()}


def _verified(files: list[Path]) -> defaultdict[str, dict[str, bool]]:
    """By picture, which labels people found there (True), and which they did not."""
    found: defaultdict[str, dict[str, bool]] = defaultdict(dict)
    for row in _of_columns(files, LABELS):
        if row["Confidence"] in {"0", "1", "0.0", "1.0"}:  # what lies between is a machine's
            found[row["ImageID"]][row["LabelName"]] = float(row["Confidence"]) > 0
    return found


def _size(found: Annotated, name: str) -> tuple[int, int] | None:
    """Boxes are in shares of the picture, whose size the file does not tell."""
    try:
        return pixels.size(Folder(found.pictures).file(f"{name}.jpg"))
    except ValueError as reason:
        found.faults.append((f"image {name}", str(reason)))
        return None


def _boxes(rows: list[Row], sizes: dict[str, tuple[int, int]], found: Annotated) -> Iterator[Row]:
    for place, row in enumerate(rows, 2):  # the first line is the header
        if row["ImageID"] not in sizes:
            continue
        width, height = sizes[row["ImageID"]]
        try:
            left, right, top, bottom = (float(row[side]) for side in ("XMin", "XMax", "YMin", "YMax"))
        except (TypeError, ValueError):
            found.faults.append((f"line {place}", "has a box that is not four numbers"))
            continue
        yield {
            "id": place, "image_id": row["ImageID"], "category_id": row["LabelName"],
            "bbox": [left * width, top * height, (right - left) * width, (bottom - top) * height],
            "iscrowd": any(row.get(mark) == "1" for mark in UNSURE),
        }  # fmt: skip
