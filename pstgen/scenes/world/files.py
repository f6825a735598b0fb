"""The world as COCO-format files, with further keys for what COCO has none for: colour, depth, text, full masks."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Self

import msgspec

from pstgen.core.config import WorldConfig
from pstgen.core.progress import Progress, silent
from pstgen.core.records import Instance, Scene
from pstgen.scenes.world.people import JOINTS
from pstgen.scenes.world.plan import kinds, plan
from pstgen.scenes.world.scenes import LICENCE, save, scene

SPLIT = "world"
MAX_ANNOTATIONS = 100  # of a scene, so that their ids follow from its index
SKELETON = (
    *((16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9)),
    *((8, 10), (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7)),
)


def write(config: WorldConfig, folder: Path, progress: Progress = silent) -> None:
    """Write `config.n` scenes into the empty `folder`: world/ (images), depth/, annotations/ with COCO's three files.

    Scenes are drawn and written one by one, so memory does not grow with their number. Beside COCO's own keys an image
    has `depth_file` (16-bit PNG, millimetres), an annotation `color`, `depth` (metres), `text` and `full_segmentation`.
    """
    for name in (SPLIT, "depth", "annotations"):
        (folder / name).mkdir()
    with ExitStack() as stack:
        tables = {name: stack.enter_context(_Table(folder / "annotations" / name)) for name in _HEADS}
        for index in progress(range(config.n), "drawing scenes", config.n):
            name = f"{index:012}.png"
            image, depth = folder / SPLIT / name, folder / "depth" / name
            drawn, drawing = scene(plan(config.seed, index, config.typicality), config.size, image, depth)
            save(drawing, image, depth)
            rows = list(_annotations(drawn, index))
            picture = _picture(drawn, index, name)
            people = [_posed(row, thing) for row, thing in zip(rows, drawn.instances, strict=True) if thing.keypoints]
            tables["instances_world.json"].add(picture, rows)
            tables["person_keypoints_world.json"].add(picture, people)
            tables["captions_world.json"].add(picture, _captions(drawn, index))
    for name, head in _HEADS.items():
        _join(folder / "annotations" / name, head(config))


class _Table:
    """Two growing lists on disk, of images and of annotations, which are later joined into a JSON file."""

    def __init__(self, file: Path) -> None:
        self.paths = [file.with_suffix(".images"), file.with_suffix(".annotations")]

    def __enter__(self) -> Self:
        self.files: list[BinaryIO] = [path.open("wb") for path in self.paths]
        return self

    def __exit__(self, *_: object) -> None:
        for file in self.files:
            file.close()

    def add(self, picture: dict[str, Any], annotations: Iterable[dict[str, Any]]) -> None:
        for file, rows in zip(self.files, ([picture], annotations), strict=True):
            for row in rows:
                file.write((b",\n" if file.tell() else b"\n") + msgspec.json.encode(row))


def _join(file: Path, head: dict[str, Any]) -> None:
    """Join `head` and the two lists into `file`, and remove the lists' own files."""
    with file.open("wb") as out:
        out.write(msgspec.json.encode(head)[:-1])
        for name in ("images", "annotations"):
            part = file.with_suffix(f".{name}")
            out.write(f',\n"{name}":['.encode())
            with part.open("rb") as rows:
                shutil.copyfileobj(rows, out)
            out.write(b"]")
            part.unlink()
        out.write(b"}\n")


def _head(config: WorldConfig) -> dict[str, Any]:
    """`info` and `licenses`; no date, so that the same seed gives the same bytes."""
    description = (
        f"pstgen built-in world (synthetic), seed {config.seed}, typicality {config.typicality}, {config.size} px"
    )
    licence = {"id": 1, "name": LICENCE, "url": "https://creativecommons.org/publicdomain/zero/1.0/"}
    return {"info": {"description": description, "version": "1.0", "complete": True}, "licenses": [licence]}


def _instances_head(config: WorldConfig) -> dict[str, Any]:
    return _head(config) | {"categories": [{"id": kind.id, "name": name} for name, kind in kinds().items()]}


def _keypoints_head(config: WorldConfig) -> dict[str, Any]:
    person = {"id": kinds()["person"].id, "name": "person", "keypoints": JOINTS, "skeleton": SKELETON}
    return _head(config) | {"categories": [person]}


_HEADS: dict[str, Callable[[WorldConfig], dict[str, Any]]] = {
    "instances_world.json": _instances_head,
    "person_keypoints_world.json": _keypoints_head,
    "captions_world.json": _head,
}


def _picture(drawn: Scene, index: int, name: str) -> dict[str, Any]:
    size = {"width": drawn.width, "height": drawn.height}
    return {"id": index, "file_name": name, **size, "license": 1, "depth_file": f"depth/{name}"}


def _annotations(drawn: Scene, index: int) -> Iterator[dict[str, Any]]:
    size = [drawn.height, drawn.width]
    for thing in drawn.instances:
        box = thing.region
        yield {
            "id": MAX_ANNOTATIONS * index + thing.id,
            "image_id": index,
            "category_id": kinds()[thing.category].id,
            "bbox": [box.x, box.y, box.width, box.height],
            "area": thing.area,
            "iscrowd": 0,
            "segmentation": {"size": size, "counts": thing.rle.decode()},
            "full_segmentation": {"size": size, "counts": thing.full_rle.decode()},
            "color": thing.colour,
            "depth": thing.depth,
            "text": thing.text,
        }


def _posed(row: dict[str, Any], thing: Instance) -> dict[str, Any]:
    flat = [number for joint in thing.keypoints for number in (joint.x, joint.y, joint.visibility)]
    return row | {"keypoints": flat, "num_keypoints": sum(joint.visibility > 0 for joint in thing.keypoints)}


def _captions(drawn: Scene, index: int) -> Iterator[dict[str, Any]]:
    for n, caption in enumerate(drawn.captions):
        yield {"id": MAX_ANNOTATIONS * index + n + 1, "image_id": index, "caption": caption}
