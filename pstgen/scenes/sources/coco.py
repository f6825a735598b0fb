"""Photographs in COCO's own layout, or any COCO-format file: instances, person keypoints, captions."""

import os
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path, PurePosixPath

import msgspec
import platformdirs

from pstgen.core.config import BuildConfig, with_settings
from pstgen.core.records import BadInput, Instance, Keypoint, Region, Scene
from pstgen.core.report import Refusals
from pstgen.scenes import coco_files, masks, pixels
from pstgen.scenes.coco_files import Annotation, Picture, Split
from pstgen.scenes.sources import PRIOR, Entry, Wanted, everything

BOX = msgspec.json.Decoder(tuple[float, float, float, float])
BASE = "coco-2014"  # counts of which things COCO shows together
NUMBERS = msgspec.json.Decoder(list[float])


def defaults(config: BuildConfig) -> BuildConfig:
    """The built-in world where there are no photographs; train2017 for the prior where its annotations stand beside the split's."""
    file = annotation_file(config)
    if file is None:
        return with_settings(config, source="world")
    config = _with_base(config)
    questions = config.questions
    if questions.prior_split or questions.prior_annotations or questions.prior_file or config.source.annotations:
        return config
    train = file.with_name("instances_train2017.json")
    return with_settings(config, prior_split="train2017") if train != file and train.is_file() else config


def _with_base(config: BuildConfig) -> BuildConfig:
    """With the counts of train2014, unless that is the split that gives the items."""
    base = "none" if config.source.split.startswith("train") and not config.source.annotations else BASE
    return with_settings(config, prior_base=base) if config.questions.prior_base is None else config


def annotation_file(config: BuildConfig) -> Path | None:
    """The instances file to read, or None where none is named and none was fetched."""
    source = config.source
    if source.annotations:
        return source.annotations
    root = source.root or (Path(path) if (path := os.environ.get("PSTGEN_COCO_ROOT")) else None)
    cache = Path(platformdirs.user_cache_dir("pstgen")) / "coco"  # where `pstgen fetch coco` keeps photographs
    file = (root or cache) / "annotations" / f"instances_{source.split}.json"
    return file if root or file.is_file() else None


def index(config: BuildConfig) -> list[Entry]:
    """Every annotated photograph, in the order of image ids, and whether its file is in the folder."""
    file, folder, split = _paths(config)
    pictures = coco_files.pictures(file)
    names = {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set[str]()
    first = {picture.id: picture.file_name for picture in reversed(pictures)}  # of two with the same id, the first
    return [
        Entry(f"{split}/{number}", name, name in names or ("/" in name and (folder / name).is_file()))
        for number, name in sorted(first.items())
    ]


def scenes(config: BuildConfig, wanted: Wanted, refused: Refusals, pictured: Wanted = everything) -> Iterator[Scene]:
    """Every wanted photograph as it is annotated, in the order of image ids."""
    split = coco_files.read(*_paths(config))
    for record, reason in split.strays:
        refused.record(split.file.name, record, reason)
    last: int | None = None
    for picture in split.instances.images:
        if picture.id == last:
            refused.record(split.file.name, f"image {picture.id}", "occurs twice; the first one was taken")
            continue
        last = picture.id
        name = f"{split.name}/{picture.id}"
        if wanted(name):
            masked = pictured(name)
            if masked and not _inside(split.folder, picture.file_name):
                refused.record(picture.file_name, f"image {picture.id}", "no such image file")
            else:
                yield _scene(split, picture, refused, masked=masked)


def origin(config: BuildConfig) -> dict[str, str]:
    """What was read: the annotation files and their sha256."""
    file, _, split = _paths(config)
    companions = (coco_files.companion(file, kind) for kind in ("person_keypoints", "captions"))
    hashes = {f"sha256 of {f.name}": _sha256(f) for f in (file, *companions) if f and f.is_file()}
    licence = "annotations CC BY 4.0 (COCO Consortium) if they are COCO's; images under their own terms, see each item"
    return {"name": f"COCO-format files, split {split}", "licence": licence, **hashes}


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def _paths(config: BuildConfig) -> tuple[Path, Path, str]:
    """Annotation file, folder of images, and the split's name."""
    file = annotation_file(config)
    if file is None:
        raise BadInput(
            "no photographs: name --root or --annotations, set $PSTGEN_COCO_ROOT, or run `pstgen fetch coco`"
        )
    if not config.source.annotations:
        return file, file.parents[1] / config.source.split, config.source.split
    stem = file.stem.removeprefix("instances_")
    split = PRIOR if config.source.split == PRIOR else stem
    folders = (file.parent / stem, file.parent.parent / stem, file.parent / "images", file.parent.parent / "images")
    return file, next((folder for folder in folders if folder.is_dir()), file.parent), split


def _scene(split: Split, picture: Picture, refused: Refusals, *, masked: bool) -> Scene:
    """masked: with its image's path and masks; else with its annotations alone."""
    first: dict[int, Annotation] = {}  # of two annotations with the same id
    for annotation in split.by_image.of(picture.id):
        if annotation.category_id in split.categories:
            first.setdefault(annotation.id, annotation)
    instances = (_instance(split, picture, row, refused, masked=masked) for row in first.values())
    return Scene(
        id=f"{split.name}/{picture.id}",
        source="coco",
        path=_inside(split.folder, picture.file_name) if masked else "",
        width=picture.width,
        height=picture.height,
        categories=tuple(split.categories.values()),
        instances=tuple(instances),
        captions=tuple(_captions(split, picture, refused)),
        depth_path=_inside(split.folder.parent, picture.depth_file) if picture.depth_file else "",
        licence=split.licences.get(picture.license or -1, ""),
        complete=split.instances.info.complete,
    )


def _captions(split: Split, picture: Picture, refused: Refusals) -> Iterator[str]:
    for row in split.captions.of(picture.id) if split.captions else ():
        if caption := row.caption.strip():
            yield caption
        else:
            refused.record(split.file.name.replace("instances", "captions"), f"caption {row.id}", "is empty")


def _inside(folder: Path, name: str) -> str:
    """The file's path, or "" where the name leads out of the folder: no file has that path."""
    if not name or "\\" in name or "\0" in name or ":" in name or PurePosixPath(name).is_absolute():
        return ""
    path, root = os.path.realpath(folder / name), os.path.realpath(folder)
    return path if os.path.commonpath([path, root]) == root else ""


def _instance(split: Split, picture: Picture, row: Annotation, refused: Refusals, *, masked: bool) -> Instance:
    """A malformed annotation becomes a crowd without a mask: something is there, so absence and count are unknown."""
    category = split.categories[row.category_id]
    try:
        region = _region(row.bbox)
        codes = (row.segmentation, row.full_segmentation) if masked else (b"", b"")
        rle, full = (masks.encode(bytes(c), picture.width, picture.height) if c else b"" for c in codes)
        joints = _joints(split, row)
    except ValueError as reason:
        refused.record(split.file.name, f"annotation {row.id}", f"{reason}; it was left out")
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
    """Pixels of the mask, for annotations without an area."""
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


def _joints(split: Split, row: Annotation) -> tuple[Keypoint, ...]:
    """The person's joints, from the keypoints file or the annotation itself; empty where none is labelled."""
    poses = split.poses.of(row.id) if split.poses else []
    raw = poses[0].keypoints if poses else row.keypoints
    if not raw:
        return ()
    try:
        numbers = NUMBERS.decode(raw)
    except (msgspec.ValidationError, msgspec.DecodeError):
        raise ValueError("has keypoints that are not numbers") from None
    names = split.joints
    if len(numbers) != 3 * len(names):
        raise ValueError(f"has {len(numbers)} keypoint numbers; {len(names)} joints need {3 * len(names)}")
    if any(v not in (0, 1, 2) for v in numbers[2::3]):
        raise ValueError("has a keypoint whose visibility is not 0, 1 or 2")
    if not any(numbers[2::3]):
        return ()
    triples = zip(names, numbers[0::3], numbers[1::3], numbers[2::3], strict=True)
    return tuple(Keypoint(name=name, x=x, y=y, visibility=int(v)) for name, x, y, v in triples)
