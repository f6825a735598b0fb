"""tasks.json, label_config.xml and images/ for Label Studio: of each item a task, with the answer and its evidence as a prediction.

Source: labelstud.io/guide/tasks, /guide/predictions and /tags, and `LabelInterface` of label-studio-sdk 2.1, which checks both files:
places are percents of the picture's width and height; `value="$options"` makes choices of a list of objects with `value`. Pictures are served from the disk: set
LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT to the exported folder, and add a local storage
there; then import tasks.json into a project whose labelling interface is label_config.xml.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pstgen.core import __version__
from pstgen.core.records import Instance, Scene
from pstgen.dataset import evidence, exported
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Dataset

FILE, CONFIG = "tasks.json", "label_config.xml"
SERVED = "/data/local-files/?d="  # before a file's path from the document root
FIELDS = ("item_id", "pair_id", "role", "question", "answer", "lure", "family", "frame", "twin")  # of an item
INTERFACE = """<View>
  <Header value="$question"/>
  <Image name="image" value="$image" zoom="true"/>
  <Choices name="answer" toName="image" value="$options" choice="single" showInLine="true"/>
  <PolygonLabels name="outline" toName="image"><Label value="evidence" background="#ffd600"/></PolygonLabels>
  <KeyPointLabels name="point" toName="image"><Label value="mark" background="#d500f9"/></KeyPointLabels>
  <TextArea name="note" toName="image" placeholder="What is wrong with it?" rows="2"/>
</View>
"""
Entry = dict[str, Any]  # of the file


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write tasks.json, label_config.xml and images/."""
    tasks = [_task(row, exported.write_image(row, folder)) for row in dataset.rows()]
    (folder / FILE).write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    (folder / CONFIG).write_text(INTERFACE, encoding="utf-8")


def _task(row: Row, image: str) -> Entry:
    shown = {"image": f"{SERVED}{image}", "options": [{"value": option} for option in row.item.options]}
    data = {**shown, **{name: getattr(row.item, name) for name in FIELDS}, "chain": row.chain}
    return {"data": data, "predictions": [{"model_version": f"pstgen {__version__}", "result": list(_results(row))}]}


def _results(row: Row) -> Iterator[Entry]:
    """The answer, an outline of each part of each thing in question, and the mark where there is one."""
    name, scene = row.item.item_id, row.scene
    yield {**_from("answer", "choices", f"{name}-answer"), "value": {"choices": [row.item.answer]}}
    for thing in evidence.things(row):
        for part, points in enumerate(_percents(thing, scene)):
            value = {"points": points, "closed": True, "polygonlabels": ["evidence"]}
            yield {**_from("outline", "polygonlabels", f"{name}-{thing.id}-{part}"), **_size(scene), "value": value}
    if row.item.mark:
        x, y = (100 * place / side for place, side in zip(row.item.mark, (scene.width, scene.height), strict=True))
        value = {"x": x, "y": y, "width": 1.0, "keypointlabels": ["mark"]}
        yield {**_from("point", "keypointlabels", f"{name}-mark"), **_size(scene), "value": value}


def _from(control: str, kind: str, name: str) -> Entry:
    return {"id": name, "from_name": control, "to_name": "image", "type": kind}


def _size(scene: Scene) -> Entry:
    return {"original_width": scene.width, "original_height": scene.height, "image_rotation": 0}


def _percents(thing: Instance, scene: Scene) -> Iterator[list[list[float]]]:
    """Outlines, through the middles of the outermost pixels, in per cent of the picture."""
    for outline in evidence.polygons(thing, scene):
        yield ((outline + 0.5) * (100 / scene.width, 100 / scene.height)).round(4).tolist()
