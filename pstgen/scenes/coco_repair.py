"""COCO files as other tools write them: what is of another type than COCO's is taken for what it plainly means.

Numbers as text, null and booleans, one polygon as a flat list, ids that are words, licences as text, no `info`. What is needed
and means nothing costs its record, and is named; what is not needed is not looked at.
"""

import math
import re
import reprlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec

from pstgen.scenes import coco_format
from pstgen.scenes.coco_format import Annotation, Category, Info, Instances, Licence, Picture

Row = dict[str, Any]
Fault = tuple[str, str]  # a record, and why it was left out
Made = TypeVar("Made")


MOST = 2**62  # of an id
DIGITS = re.compile(r"[+-]?[0-9]{1,19}")  # of an id as text, which a float could not hold
LETTERS = 60  # of an id, that are shown
NEEDED = ("images", "annotations", "categories")
OF = {"id": "annotations", "image_id": "images", "category_id": "categories"}  # which table's ids a key holds


class BadRow(Exception):
    """A row, or a file, that means nothing; the message is the reason."""


class Numbers:
    """Ids of any kind → whole numbers. What is one, also as text or as a float, stands for itself; others are numbered after."""

    def __init__(self, ids: Iterable[Any]) -> None:
        keys = dict.fromkeys(key for value in ids if (key := _key(value)))
        whole = {key: number for key in keys if (number := _whole(key)) is not None}
        others = (key for key in keys if key not in whole)
        self.known = whole | {key: n for n, key in enumerate(others, max(whole.values(), default=0) + 1)}

    def of(self, value: Any) -> int | None:
        """The number of that id; None where there is no such id."""
        return self.known.get(_key(value))


Ids = dict[str, Numbers]  # by table


class Repaired(NamedTuple):
    """An instances file as it was meant. ids: gives what its ids became; faults: what was left out."""

    instances: Instances
    ids: Callable[[], Ids]
    faults: list[Fault]


def repair(data: Any) -> Repaired:
    """A decoded instances file as it was meant. Raises BadRow where it holds no images, annotations or categories."""
    tables = {name: _table(data, name) for name in NEEDED}
    licences = _rows(data.get("licenses"))
    texts = (row.get("license") for row in tables["images"])
    ids = {name: Numbers(row.get("id") for row in rows) for name, rows in tables.items()}
    licence_ids = Numbers([*(row.get("id") for row in licences), *texts])
    faults: list[Fault] = []
    instances = Instances(
        images=list(_made(tables["images"], "image", lambda row: _picture(row, ids, licence_ids), faults)),
        annotations=list(_made(tables["annotations"], "annotation", lambda row: _annotation(row, ids), faults)),
        categories=list(_made(tables["categories"], "category", lambda row: _category(row, ids), faults)),
        licenses=[*_licences(licences, licence_ids), *_named_by_pictures(tables["images"], licences, licence_ids)],
        info=Info(complete=_mapping(data.get("info")).get("complete") is True),
    )
    return Repaired(instances, lambda: ids, faults)


def unchanged(instances: Instances) -> Repaired:
    """A file that needs no repair."""

    def ids() -> Ids:
        return {name: Numbers(row.id for row in getattr(instances, name)) for name in NEEDED}

    return Repaired(instances, ids, [])


def captions(data: Any, known: Ids, faults: list[Fault]) -> coco_format.Captions:
    """A decoded captions file as it was meant. known: the ids of the instances file. Raises BadRow where it holds no annotations."""

    def caption(row: Row) -> coco_format.Caption:
        image = _elsewhere(row, "image_id", known["images"])
        return coco_format.Caption(image_id=image, id=_whole(row.get("id")) or 0, caption=_text(row.get("caption")))

    return coco_format.Captions(annotations=list(_made(_table(data, "annotations"), "caption", caption, faults)))


def poses(data: Any, known: Ids, faults: list[Fault]) -> coco_format.Poses:
    """A decoded file of keypoints as it was meant; otherwise as `captions`."""

    def pose(row: Row) -> coco_format.Pose:
        return coco_format.Pose(id=_elsewhere(row, "id", known["annotations"]), keypoints=_raw(row.get("keypoints")))

    return coco_format.Poses(
        annotations=list(_made(_table(data, "annotations"), "pose", pose, faults)),
        categories=list(_made(_rows(data.get("categories")), "category", lambda row: _category(row, known), faults)),
    )


def _table(data: Any, name: str) -> list[Row]:
    if not isinstance(data, dict):
        raise BadRow(f"its top level is a {type(data).__name__}; it must hold {', '.join(NEEDED)}")
    if not isinstance(data.get(name), list):
        raise BadRow(f"`{name}` is missing, or no list")
    return _rows(data[name])


def _rows(table: Any) -> list[Row]:
    return [_mapping(row) for row in table] if isinstance(table, list) else []


def _mapping(value: Any) -> Row:
    return value if isinstance(value, dict) else {}


def _made(rows: list[Row], kind: str, make: Callable[[Row], Made], faults: list[Fault]) -> Iterator[Made]:
    for place, row in enumerate(rows, 1):
        try:
            yield make(row)
        except BadRow as reason:
            faults.append((f"{kind} {_key(row.get('id'))[:LETTERS] or f'in place {place}'}", str(reason)))


def _picture(row: Row, ids: Ids, licences: Numbers) -> Picture:
    number = ids["images"].of(row.get("id"))
    if number is None:
        raise BadRow("has no id, or one beyond 64 bits")
    return Picture(
        id=number,
        file_name=_text(row.get("file_name")),
        coco_url=_text(row.get("coco_url")),
        width=_side(row.get("width")),
        height=_side(row.get("height")),
        license=licences.of(row.get("license")),
        depth_file=_text(row.get("depth_file")),
        neg_category_ids=_ids(row.get("neg_category_ids"), ids["categories"]),
        not_exhaustive_category_ids=_ids(row.get("not_exhaustive_category_ids"), ids["categories"]) or [],
    )


def _annotation(row: Row, ids: Ids) -> Annotation:
    own, image, category = (_number_of(row, key, ids[table]) for key, table in OF.items())
    return Annotation(
        id=own,
        image_id=image,
        category_id=category,
        bbox=_raw(row.get("bbox")),
        segmentation=_raw(row.get("segmentation")),
        area=_number(row.get("area")),
        iscrowd=int(bool(_number(row.get("iscrowd")))),
        keypoints=_raw(row.get("keypoints")),
        color=_text(row.get("color")),
        depth=_number(row.get("depth")),
        text=_text(row.get("text")),
        full_segmentation=_raw(row.get("full_segmentation")),
    )


def _ids(values: Any, ids: Numbers) -> list[int] | None:
    """Those of a list that exist; None where there is no list."""
    return [number for value in values if (number := ids.of(value)) is not None] if isinstance(values, list) else None


def _number_of(row: Row, key: str, ids: Numbers) -> int:
    number = ids.of(row.get(key))
    if number is None:
        raise BadRow(f"has the {key} {reprlib.repr(row.get(key))}, which does not exist")
    return number


def _elsewhere(row: Row, key: str, ids: Numbers) -> int:
    """The number of an id of the instances file; one that it has not, but could have, stands for itself."""
    number = _whole(row.get(key))
    return number if number is not None and ids.of(number) is None else _number_of(row, key, ids)


def _category(row: Row, ids: Ids) -> Category:
    number, joints = ids["categories"].of(row.get("id")), row.get("keypoints")
    if number is None:
        raise BadRow("has no id, or one beyond 64 bits")
    names = [joint for joint in joints if isinstance(joint, str)] if isinstance(joints, list) else []
    return Category(id=number, name=_text(row.get("name")), keypoints=names)


def _licences(rows: list[Row], ids: Numbers) -> Iterator[Licence]:
    for row in rows:
        if (number := ids.of(row.get("id"))) is not None:
            yield Licence(id=number, name=_text(row.get("name")), url=_text(row.get("url")))


def _named_by_pictures(pictures: list[Row], rows: list[Row], ids: Numbers) -> Iterator[Licence]:
    """Licences that pictures give as text, instead of the id of one."""
    listed = {_key(row.get("id")) for row in rows}
    texts = {row["license"] for row in pictures if isinstance(row.get("license"), str)}
    yield from (
        Licence(id=ids.known[_key(text)], name=text, unlisted=True)
        for text in sorted(texts)
        if _key(text) not in listed | {""}
    )


# ------------------------------------------------------------------------------------------------------- single values


def _key(value: Any) -> str:
    """What an id is known by: 7, 7.0 and "7" are the same; "" where there is none."""
    whole = _whole(value)
    if whole is not None:
        return str(whole)
    return value.strip() if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    """What it says, as a number that is finite; None where it says none."""
    if not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return 1.0 if isinstance(value, str) and value.strip().lower() == "true" else None
    return number if math.isfinite(number) else None


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    is_written = isinstance(value, str) and DIGITS.fullmatch(value.strip())
    number = int(value) if is_written or isinstance(value, int) else _number(value)
    return int(number) if number is not None and abs(number) <= MOST and number == number // 1 else None


def _side(value: Any) -> int:
    """Pixels; 0 where the file says none that can be."""
    side = _whole(value) or 0
    return side if 0 < side <= 2**20 else 0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value) if value else b"")
