"""samples.json, metadata.json and data/ for FiftyOne: of each item a sample with its answer, its lure and its evidence.

    fiftyone.Dataset.from_dir(dataset_dir="export", dataset_type=fiftyone.types.LegacyFiftyOneDataset)

Source: `LegacyFiftyOneDatasetImporter` of fiftyone 1.22: of the two layouts of its own that FiftyOne reads, this one depends on no version
of its database, and the types of fields are inferred. Places are shares of the picture's width and height.
"""

import json
from pathlib import Path
from typing import Any

from pstgen.core.records import Instance, Keypoint, Scene
from pstgen.dataset import evidence, exported
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Dataset

SAMPLES, METADATA, MEDIA = "samples.json", "metadata.json", "data"
TEXTS = ("item_id", "pair_id", "role", "question", "family", "frame", "twin")  # fields of an item, as they are
Entry = dict[str, Any]  # of the file


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write samples.json, metadata.json and data/, the pictures as they are in the set."""
    (folder / MEDIA).mkdir()
    samples = list[Entry]()
    for row in map(exported.checked, dataset.rows()):
        file = f"{MEDIA}/{row.item.item_id}{row.suffix}"
        (folder / file).write_bytes(row.image)
        samples.append(_sample(row, file))
    about = {"media_type": "image", "info": {"origin": dataset.manifest.origin, "pstgen": dataset.manifest.pstgen}}
    for name, document in ((SAMPLES, {"samples": samples}), (METADATA, about)):
        (folder / name).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def _sample(row: Row, file: str) -> Entry:
    item, scene = row.item, row.scene
    return {
        "filepath": file,
        "tags": [item.role, item.family],
        **{name: getattr(item, name) for name in TEXTS},
        "options": list(item.options),
        "chain": row.chain,
        "licence": scene.licence,
        "answer": {"_cls": "Classification", "label": item.answer},
        "lure": {"_cls": "Classification", "label": item.lure},
        "evidence": {"_cls": "Polylines", "polylines": [_outline(thing, scene) for thing in evidence.things(row)]},
        "joints": {"_cls": "Keypoints", "keypoints": [_joint(joint, scene) for joint in evidence.joints(row)]},
    }


def _outline(thing: Instance, scene: Scene) -> Entry:
    """Through the middles of the outermost pixels of each part of a thing; not filled, so that its colours stay to be seen."""
    parts = [((part + 0.5) / (scene.width, scene.height)).round(6).tolist() for part in evidence.polygons(thing, scene)]
    return {"_cls": "Polyline", "label": thing.category, "points": parts, "closed": True, "filled": False}


def _joint(joint: Keypoint, scene: Scene) -> Entry:
    place = [joint.x / scene.width, joint.y / scene.height]
    return {"_cls": "Keypoint", "label": joint.name, "points": [place], "visibility": joint.visibility}
