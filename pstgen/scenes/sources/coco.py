"""Photographs in COCO's own layout, or any COCO-format file: instances, person keypoints, captions."""

import mmap
import os
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import msgspec
import numpy as np
import platformdirs
from numpy.typing import NDArray

from pstgen.core.config import BuildConfig
from pstgen.core.records import BadInput, Instance, Keypoint, Refusals, Region, Scene
from pstgen.scenes import masks, pixels
from pstgen.scenes.sources import PRIOR, Entry

T = TypeVar("T")
BOX = msgspec.json.Decoder(tuple[float, float, float, float])
NUMBERS = msgspec.json.Decoder(list[float])


class Picture(msgspec.Struct, gc=False):
    """One row of `images`."""

    id: int
    file_name: str
    width: int
    height: int
    license: int | None = None
    depth_file: str = ""


class Annotation(msgspec.Struct, gc=False):
    """One row of `annotations`; what may be malformed stays raw until it is asked for."""

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
    """One row of `categories`."""

    id: int
    name: str
    keypoints: list[str] = []


class Licence(msgspec.Struct, gc=False):
    """One row of `licenses`."""

    id: int
    name: str = ""
    url: str = ""


class Info(msgspec.Struct, gc=False):
    """`info`; `complete` is ours: all that the images show is annotated."""

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
    """One row of person_keypoints_*.json."""

    id: int
    keypoints: msgspec.Raw


class Poses(msgspec.Struct, gc=False):
    """person_keypoints_*.json."""

    annotations: list[Pose]
    categories: list[Category]


class Caption(msgspec.Struct, gc=False):
    """One row of captions_*.json."""

    image_id: int
    id: int = 0
    caption: str = ""


class Captions(msgspec.Struct, gc=False):
    """captions_*.json."""

    annotations: list[Caption]


class Rows:
    """Rows of a file by a number of theirs, found by binary search: an index of two arrays instead of a dict of lists."""

    def __init__(self, rows: list[Any], number: str) -> None:
        numbers: NDArray[np.int64] = np.fromiter((getattr(row, number) for row in rows), np.int64, len(rows))
        self.rows = rows
        self.order = np.argsort(numbers, kind="stable")
        self.numbers = numbers[self.order]

    def of(self, number: int) -> list[Any]:
        """Every row with that number, in the file's order."""
        low, high = np.searchsorted(self.numbers, [number, number + 1])
        return [self.rows[n] for n in self.order[low:high]]


class Annotated(msgspec.Struct):
    """A split in memory: its files decoded, segmentations still raw."""

    file: Path
    folder: Path
    split: str
    instances: Instances
    by_image: Rows
    poses: Rows | None
    joints: list[str]
    captions: Rows | None
    strays: list[tuple[str, str]]  # annotations that belong to nothing: record and reason


def cache_folder() -> Path:
    """Where `pstgen fetch coco` keeps photographs."""
    return Path(platformdirs.user_cache_dir("pstgen")) / "coco"


class Listed(msgspec.Struct):
    """The images of instances_*.json alone: what an index needs."""

    images: list[Picture]


def found(config: BuildConfig) -> Path | None:
    """The annotation file to read, or None where nobody named one and none was fetched."""
    if config.source.annotations:
        return config.source.annotations
    named = config.source.root or (Path(root) if (root := os.environ.get("PSTGEN_COCO_ROOT")) else None)
    fetched = cache_folder() / "annotations" / f"instances_{config.source.split}.json"
    if named:
        return named / "annotations" / f"instances_{config.source.split}.json"
    return fetched if fetched.is_file() else None


def has_train(config: BuildConfig) -> bool:
    """Do train2017's annotations stand beside those of the split that is read, so that the prior can be fitted on them?"""
    file = found(config)
    beside = file and not config.source.annotations and file.with_name("instances_train2017.json")
    return bool(beside and beside != file and beside.is_file())


def index(config: BuildConfig) -> list[Entry]:
    """Every photograph that is annotated, in the order of image ids, and whether its file is in the folder."""
    file, folder, split = _where(config)
    pictures = _decode(file, Listed).images
    if not pictures:
        raise BadInput(f"{file}: the split is empty: `images` has no row")
    there = {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set[str]()
    first = {picture.id: picture.file_name for picture in reversed(pictures)}  # where an id stands twice, the first
    return [
        Entry(f"{split}/{number}", name, name in there or ("/" in name and (folder / name).is_file()))
        for number, name in sorted(first.items())
    ]


def scenes(
    config: BuildConfig,
    wanted: Callable[[str], bool],
    refused: Refusals,
    pictured: Callable[[str], bool] = lambda _: True,
) -> Iterator[Scene]:
    """Every wanted photograph as it is annotated, in the order of image ids."""
    read = load(*_where(config))
    licences = {licence.id: licence.url or licence.name for licence in read.instances.licenses}
    categories = {category.id: category.name for category in read.instances.categories}
    for record, reason in read.strays:
        refused.record(read.file.name, record, reason)
    seen: int | None = None
    for picture in read.instances.images:
        if picture.id == seen:
            refused.record(read.file.name, f"image {picture.id}", "stands there twice; the first one was taken")
            continue
        seen = picture.id
        name = f"{read.split}/{picture.id}"
        if wanted(name):
            masked, licence = pictured(name), licences.get(picture.license or -1, "")
            if masked and not _inside(read.folder, picture.file_name):
                refused.record(picture.file_name, f"image {picture.id}", "no such image file")
            else:
                yield _scene(read, picture, categories, licence, refused, masked=masked)


def origin(config: BuildConfig) -> dict[str, str]:
    """What was read: the annotation files and their sha256."""
    file, _, split = _where(config)
    companions = (_companion(file, kind) for kind in ("person_keypoints", "captions"))
    hashes = {f"sha256 of {f.name}": _sha256(f) for f in (file, *companions) if f and f.is_file()}
    licence = "annotations CC BY 4.0 (COCO Consortium) if they are COCO's; images under their own terms, see each item"
    return {"name": f"COCO-format files, split {split}", "licence": licence, **hashes}


def _sha256(file: Path) -> str:
    with file.open("rb") as read:
        return file_digest(read, "sha256").hexdigest()


@lru_cache(maxsize=2)
def load(file: Path, folder: Path, split: str) -> Annotated:
    """Decode a split's files. Raises BadInput where they are missing, not JSON, not COCO, or empty."""
    instances = _decode(file, Instances)
    if not instances.images:
        raise BadInput(f"{file}: the split is empty: `images` has no row")
    poses = _optional(_companion(file, "person_keypoints"), Poses)
    captions = _optional(_companion(file, "captions"), Captions)
    instances.images.sort(key=lambda picture: picture.id)
    by_image = Rows(instances.annotations, "image_id")
    joints = next((c.keypoints for c in (poses or instances).categories if c.keypoints), [])
    return Annotated(
        file=file,
        folder=folder,
        split=split,
        instances=instances,
        by_image=by_image,
        poses=Rows(poses.annotations, "id") if poses else None,
        joints=joints,
        captions=Rows(captions.annotations, "image_id") if captions else None,
        strays=list(_strays(instances, by_image)),
    )


def _where(config: BuildConfig) -> tuple[Path, Path, str]:
    """Annotation file, folder of images, and the split's name."""
    file = found(config)
    if file is None:
        raise BadInput(
            "no photographs: name --root or --annotations, set $PSTGEN_COCO_ROOT, or run `pstgen fetch coco`"
        )
    if not config.source.annotations:
        return file, file.parents[1] / config.source.split, config.source.split
    named = file.stem.removeprefix("instances_")
    split = PRIOR if config.source.split == PRIOR else named
    folders = (file.parent / named, file.parent.parent / named, file.parent / "images", file.parent.parent / "images")
    return file, next((folder for folder in folders if folder.is_dir()), file.parent), split


def _companion(file: Path, kind: str) -> Path | None:
    """The file of keypoints or captions beside an instances_*.json."""
    return file.with_name(file.name.replace("instances", kind, 1)) if "instances" in file.name else None


def _decode(file: Path, as_: type[T]) -> T:
    """Decode a file in place: what stays raw of it is read from the disk again when it is asked for."""
    try:
        return msgspec.json.decode(_mapped(file), type=as_)
    except OSError as error:
        ours = file.parent.name == "annotations" and file.name.startswith("instances_")
        remedy = "; COCO's folder, named by --root or $PSTGEN_COCO_ROOT, holds annotations/" if ours else ""
        raise BadInput(f"{file}: {error.strerror or error}{remedy}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "; NaN and Infinity are no JSON" if re.search(rb"\b(NaN|Infinity)\b", file.read_bytes()) else ""
        raise BadInput(f"{file}: not a COCO file of this kind: {error}{hint}") from None


def _mapped(file: Path) -> bytes | mmap.mmap:
    """The file's bytes, mapped into memory where it has any."""
    with file.open("rb") as read:
        return mmap.mmap(read.fileno(), 0, access=mmap.ACCESS_READ) if file.stat().st_size else b""


def _optional(file: Path | None, as_: type[T]) -> T | None:
    return _decode(file, as_) if file and file.is_file() else None


def _strays(instances: Instances, by_image: Rows) -> Iterator[tuple[str, str]]:
    """Annotations of unknown categories or images, and annotation ids that stand twice."""
    categories = {category.id for category in instances.categories}
    for annotation in instances.annotations:
        if annotation.category_id not in categories:
            yield f"annotation {annotation.id}", f"has category {annotation.category_id}, which is none"
    images = np.fromiter((picture.id for picture in instances.images), np.int64)
    for stray in np.setdiff1d(by_image.numbers, images):
        for annotation in by_image.of(int(stray)):
            yield f"annotation {annotation.id}", f"is of image {stray}, which is none"
    ids = np.fromiter((annotation.id for annotation in instances.annotations), np.int64)
    numbers, times = np.unique(ids, return_counts=True)
    for number in numbers[times > 1]:
        yield f"annotation {number}", "stands there twice; the first one of an image was taken"


def _scene(  # noqa: PLR0913 (a row and what it refers to)
    read: Annotated,
    picture: Picture,
    categories: dict[int, str],
    licence: str,
    refused: Refusals,
    *,
    masked: bool,
) -> Scene:
    """masked: with its image's path and masks; else as annotated alone."""
    seen: dict[int, Annotation] = {}
    for annotation in read.by_image.of(picture.id):
        if annotation.category_id in categories:
            seen.setdefault(annotation.id, annotation)
    instances = (
        _instance(read, picture, row, categories[row.category_id], refused, masked=masked) for row in seen.values()
    )
    told = read.captions.of(picture.id) if read.captions else []
    for caption in told:
        if not caption.caption.strip():
            refused.record(read.file.name.replace("instances", "captions"), f"caption {caption.id}", "is empty")
    return Scene(
        id=f"{read.split}/{picture.id}",
        source="coco",
        path=_inside(read.folder, picture.file_name) if masked else "",
        width=picture.width,
        height=picture.height,
        categories=tuple(categories.values()),
        instances=tuple(instances),
        captions=tuple(caption.caption.strip() for caption in told if caption.caption.strip()),
        depth_path=_inside(read.folder.parent, picture.depth_file) if picture.depth_file else "",
        licence=licence,
        complete=read.instances.info.complete,
    )


def _inside(folder: Path, name: str) -> str:
    """The file's path, or "" where the name climbs out of the folder: no file has that path."""
    if not name or "\\" in name or "\0" in name or ":" in name or PurePosixPath(name).is_absolute():
        return ""
    path, root = os.path.realpath(folder / name), os.path.realpath(folder)
    return path if os.path.commonpath([path, root]) == root else ""


def _instance(  # noqa: PLR0913 (a row and what it refers to)
    read: Annotated, picture: Picture, row: Annotation, category: str, refused: Refusals, *, masked: bool
) -> Instance:
    """One thing. A malformed one becomes a crowd without a mask: something is there, so absence and count are unknown."""
    try:
        region = _region(row.bbox)
        codes = (row.segmentation, row.full_segmentation) if masked else (b"", b"")
        rle, full = (masks.encode(bytes(c), picture.width, picture.height) if c else b"" for c in codes)
        joints = _joints(read, row)
    except ValueError as reason:
        refused.record(read.file.name, f"annotation {row.id}", f"{reason}; it was left out")
        whole = Region(x=0, y=0, width=picture.width, height=picture.height)
        return Instance(id=row.id, category=category, region=whole, area=0, crowd=True)
    return Instance(
        id=row.id,
        category=category,
        region=region,
        area=row.area if row.area is not None else _area(row, picture),
        rle=rle,
        full_rle=full,
        crowd=bool(row.iscrowd),
        keypoints=joints,
        colour=row.color,
        depth=row.depth,
        text=row.text,
    )


def _area(row: Annotation, picture: Picture) -> float:
    """Pixels of the mask, where nobody wrote them down."""
    rle = masks.encode(bytes(row.segmentation), picture.width, picture.height)
    return pixels.area(rle, picture.width, picture.height)


def _region(bbox: msgspec.Raw) -> Region:
    try:
        x, y, width, height = BOX.decode(bbox)
    except (msgspec.ValidationError, msgspec.DecodeError):
        raise ValueError(f"has the box {bytes(bbox).decode(errors='replace')}; a box is four numbers") from None
    if width <= 0 or height <= 0:
        raise ValueError(f"has a box of {width} by {height} pixels")
    return Region(x=x, y=y, width=width, height=height)


def _joints(read: Annotated, row: Annotation) -> tuple[Keypoint, ...]:
    """The person's joints, from the keypoints file or the annotation itself; none where none is labelled."""
    told = read.poses.of(row.id) if read.poses else []
    raw = told[0].keypoints if told else row.keypoints
    if not raw:
        return ()
    try:
        numbers = NUMBERS.decode(raw)
    except (msgspec.ValidationError, msgspec.DecodeError):
        raise ValueError("has keypoints that are not numbers") from None
    if len(numbers) != 3 * len(read.joints):
        raise ValueError(f"has {len(numbers)} keypoint numbers; {len(read.joints)} joints need {3 * len(read.joints)}")
    if any(v not in (0, 1, 2) for v in numbers[2::3]):
        raise ValueError("has a keypoint whose visibility is not 0, 1 or 2")
    if not any(numbers[2::3]):
        return ()
    triples = zip(read.joints, numbers[0::3], numbers[1::3], numbers[2::3], strict=True)
    return tuple(Keypoint(name=name, x=x, y=y, visibility=int(v)) for name, x, y, v in triples)
