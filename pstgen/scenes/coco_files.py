"""COCO's JSON files: decoded, checked, and indexed by number."""

import mmap
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import BadInput

T = TypeVar("T")


class Picture(msgspec.Struct, gc=False):
    """A row of `images`."""

    id: int
    file_name: str
    width: int
    height: int
    license: int | None = None
    depth_file: str = ""


class Annotation(msgspec.Struct, gc=False):
    """A row of `annotations`; what may be malformed stays raw until it is needed."""

    id: int
    image_id: int
    category_id: int
    bbox: msgspec.Raw = msgspec.Raw(b"[]")
    segmentation: msgspec.Raw = msgspec.Raw(b"[]")
    area: float | None = None
    iscrowd: int = 0
    keypoints: msgspec.Raw = msgspec.Raw(b"")
    color: str = ""
    depth: float | None = None
    text: str = ""
    full_segmentation: msgspec.Raw = msgspec.Raw(b"")


class Category(msgspec.Struct, gc=False):
    """A row of `categories`."""

    id: int
    name: str
    keypoints: list[str] = []


class Licence(msgspec.Struct, gc=False):
    """A row of `licenses`."""

    id: int
    name: str = ""
    url: str = ""


class Info(msgspec.Struct, gc=False):
    """`info`; `complete` is ours: everything that the images show is annotated."""

    complete: bool = False
    description: str = ""


class Instances(msgspec.Struct, gc=False):
    """instances_*.json."""

    images: list[Picture]
    annotations: list[Annotation]
    categories: list[Category]
    licenses: list[Licence] = []
    info: Info = msgspec.field(default_factory=Info)


class Pose(msgspec.Struct, gc=False):
    """A row of person_keypoints_*.json."""

    id: int
    keypoints: msgspec.Raw


class Poses(msgspec.Struct, gc=False):
    """person_keypoints_*.json."""

    annotations: list[Pose]
    categories: list[Category]


class Caption(msgspec.Struct, gc=False):
    """A row of captions_*.json."""

    image_id: int
    id: int = 0
    caption: str = ""


class Captions(msgspec.Struct, gc=False):
    """captions_*.json."""

    annotations: list[Caption]


class Pictures(msgspec.Struct):
    """The images of instances_*.json alone: what an index needs."""

    images: list[Picture]


class RowIndex:
    """Rows by one of their numbers, found by binary search: two arrays take less memory than a dict of lists."""

    def __init__(self, rows: list[Any], number: str) -> None:
        numbers: NDArray[np.int64] = np.fromiter((getattr(row, number) for row in rows), np.int64, len(rows))
        self.rows = rows
        self.order = np.argsort(numbers, kind="stable")
        self.numbers = numbers[self.order]

    def of(self, number: int) -> list[Any]:
        """Every row with that number, in the file's order."""
        low, high = np.searchsorted(self.numbers, [number, number + 1])
        return [self.rows[n] for n in self.order[low:high]]


class Split(msgspec.Struct):
    """A split's files in memory, decoded; segmentations are still raw.

    folder: of the images. joints: names of the keypoints. categories: names by id. licences: address or name by id.
    strays: annotations that belong to nothing, as (record, reason).
    """

    file: Path
    folder: Path
    name: str
    by_image: RowIndex
    instances: Instances
    categories: dict[int, str]
    poses: RowIndex | None
    licences: dict[int, str]
    joints: list[str]
    captions: RowIndex | None
    strays: list[tuple[str, str]]


def pictures(file: Path) -> list[Picture]:
    """The images of an instances_*.json, in its order. Raises BadInput as `read` does."""
    images = _decode(file, Pictures).images
    if not images:
        raise BadInput(f"{file}: the split is empty: `images` has no row")
    return images


@lru_cache(maxsize=2)
def read(file: Path, folder: Path, name: str) -> Split:
    """Decode an instances_*.json and the files beside it. Raises BadInput where it is missing, not JSON, not COCO, or empty."""
    instances = _decode(file, Instances)
    if not instances.images:
        raise BadInput(f"{file}: the split is empty: `images` has no row")
    poses = _optional(companion(file, "person_keypoints"), Poses)
    captions = _optional(companion(file, "captions"), Captions)
    instances.images.sort(key=lambda picture: picture.id)
    by_image = RowIndex(instances.annotations, "image_id")
    joints = next((c.keypoints for c in (poses or instances).categories if c.keypoints), [])
    return Split(
        file=file,
        folder=folder,
        name=name,
        instances=instances,
        categories={category.id: category.name for category in instances.categories},
        licences={licence.id: licence.url or licence.name for licence in instances.licenses},
        by_image=by_image,
        poses=RowIndex(poses.annotations, "id") if poses else None,
        joints=joints,
        captions=RowIndex(captions.annotations, "image_id") if captions else None,
        strays=list(_strays(instances, by_image)),
    )


def companion(file: Path, kind: str) -> Path | None:
    """The path of the person_keypoints_*.json or captions_*.json beside an instances_*.json."""
    return file.with_name(file.name.replace("instances", kind, 1)) if "instances" in file.name else None


def _decode(file: Path, as_: type[T]) -> T:
    """Decode a file in place: what stays raw is read from the disk again when it is needed."""
    try:
        return msgspec.json.decode(_mapped(file), type=as_)
    except OSError as error:
        ours = file.parent.name == "annotations" and file.name.startswith("instances_")
        remedy = "; COCO's folder, named by --root or $PSTGEN_COCO_ROOT, holds annotations/" if ours else ""
        raise BadInput(f"{file}: {error.strerror or error}{remedy}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "; NaN and Infinity are not JSON" if re.search(rb"\b(NaN|Infinity)\b", file.read_bytes()) else ""
        raise BadInput(f"{file}: not a COCO file of this kind: {error}{hint}") from None


def _mapped(file: Path) -> bytes | mmap.mmap:
    """The file's bytes, mapped into memory; an empty file cannot be mapped."""
    with file.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) if file.stat().st_size else b""


def _optional(file: Path | None, as_: type[T]) -> T | None:
    return _decode(file, as_) if file and file.is_file() else None


def _strays(instances: Instances, by_image: RowIndex) -> Iterator[tuple[str, str]]:
    """Annotations of unknown categories or images, and annotation ids that occur twice."""
    categories = {category.id for category in instances.categories}
    for annotation in instances.annotations:
        if annotation.category_id not in categories:
            yield f"annotation {annotation.id}", f"has category {annotation.category_id}, which does not exist"
    images = np.fromiter((picture.id for picture in instances.images), np.int64)
    for stray in np.setdiff1d(by_image.numbers, images):
        for annotation in by_image.of(int(stray)):
            yield f"annotation {annotation.id}", f"is of image {stray}, which does not exist"
    ids = np.fromiter((annotation.id for annotation in instances.annotations), np.int64)
    numbers, times = np.unique(ids, return_counts=True)
    for number in numbers[times > 1]:
        yield f"annotation {number}", "occurs twice; the first one of an image was taken"
