"""annotations.json in COCO's format and images/: of each item its picture, and what shows the answer as annotations.

Source: cocodataset.org/#format-data, and `pycocotools.coco`: `segmentation` is compressed run-length code, `bbox` x, y, width and height
in pixels. An image holds further fields that readers of COCO pass over: question, options, answer, lure and on. Where the whole
picture shows the answer (an absence), an image has no annotation.
"""

import json
from pathlib import Path
from typing import Any

from pstgen.core.records import Instance, Item, Scene
from pstgen.dataset import evidence, exported
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Dataset

FILE = "annotations.json"
FIELDS = (
    "item_id",
    "pair_id",
    "role",
    "question",
    "options",
    "answer",
    "lure",
    "family",
    "frame",
    "twin",
)  # of an item
Entry = dict[str, Any]  # of the file


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write annotations.json and images/. Names of files are relative to images/."""
    images, annotations, licences = list[Entry](), list[Entry](), dict[str, int]()
    categories: dict[str, Entry] = {}
    for number, row in enumerate(dataset.rows(), start=1):
        exported.write_image(row, folder)
        licence = licences.setdefault(row.scene.licence, len(licences) + 1)
        images.append(_image(number, row, licence))
        for thing in evidence.things(row):
            joints = _joints(thing, row)
            category = categories.setdefault(thing.category, {"id": len(categories) + 1, "name": thing.category})
            category.update({"keypoints": joints[0], "skeleton": []} if joints else {})
            ids = {"id": len(annotations) + 1, "image_id": number, "category_id": category["id"]}
            annotations.append({**ids, **_shape(thing, row.scene), **(_pose(joints[1]) if joints else {})})
    document = {
        "info": {"description": dataset.manifest.origin.get("name", ""), "version": dataset.manifest.pstgen},
        "licenses": [_licence(number, name) for name, number in licences.items()],
        "images": images,
        "annotations": annotations,
        "categories": list(categories.values()),
    }
    (folder / FILE).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def _image(number: int, row: Row, licence: int) -> Entry:
    size = {"width": row.scene.width, "height": row.scene.height}
    known = {"id": number, "file_name": f"{row.item.item_id}{row.suffix}", **size, "license": licence}
    return {**known, **_fields(row.item), "chain": row.chain, "source_image_id": row.scene.id}


def _fields(item: Item) -> Entry:
    return {name: getattr(item, name) for name in FIELDS}


def _licence(number: int, name: str) -> Entry:
    return {"id": number, "name": name, "url": name if name.startswith(("http://", "https://")) else ""}


def _joints(thing: Instance, row: Row) -> tuple[list[str], list[float]] | None:
    """All joints that are annotated of it, by name, and COCO's numbers: x, y and v of each, zeros for one not in question."""
    whole = next(instance for instance in row.scene.instances if instance.id == thing.id)
    if not whole.keypoints:
        return None
    found = {joint.name: (joint.x, joint.y, joint.visibility) for joint in thing.keypoints if joint.visibility}
    names = [joint.name for joint in whole.keypoints]
    return names, [number for name in names for number in found.get(name, (0, 0, 0))]


def _shape(thing: Instance, scene: Scene) -> Entry:
    """Its box and mask; one without a mask has no segmentation."""
    box = thing.region
    mask = {"size": [scene.height, scene.width], "counts": thing.rle.decode()} if thing.rle else []
    place = {"bbox": [box.x, box.y, box.width, box.height], "area": thing.area}
    return {**place, "segmentation": mask, "iscrowd": int(thing.crowd)}


def _pose(numbers: list[float]) -> Entry:
    return {"keypoints": numbers, "num_keypoints": sum(visibility > 0 for visibility in numbers[2::3])}
