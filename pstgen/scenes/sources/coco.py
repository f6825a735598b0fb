"""Photographs in COCO's own layout, or any COCO-format file: instances, person keypoints, captions."""

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import file_digest, sha256
from pathlib import Path

import msgspec
import platformdirs

from pstgen.core.config import BuildConfig, with_settings
from pstgen.core.records import BadInput, Instance, Region, Scene
from pstgen.core.report import Refusals
from pstgen.scenes import coco_files, coco_things, folders, formats, pixels, vocabulary
from pstgen.scenes.coco_files import Given, Split
from pstgen.scenes.coco_format import Annotation, Picture
from pstgen.scenes.folders import Folder
from pstgen.scenes.licences import Licence
from pstgen.scenes.sources import PRIOR, Entry, Wanted, everything

BASE = "coco-2014"  # counts of which things COCO shows together


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
    given = _given(config)
    tables = coco_files.pictures(given)
    first = {picture.id: picture for picture in reversed(tables.images)}  # of two with one id
    folder = _folder(config, given, first.values())
    named = coco_files.licences(tables.licenses)
    listed = (
        {entry.name for entry in os.scandir(folder.path) if entry.is_file()} if folder.path.is_dir() else set[str]()
    )
    fault = folder.fault if listed else folder.absent
    return [
        Entry(
            f"{given.name}/{number}",
            picture.file,
            "" if picture.file in listed else fault(picture.file),
            _licence(named, picture),
        )
        for number, picture in sorted(first.items())
    ]


def licences(config: BuildConfig) -> list[Licence]:
    """Those that the annotations list, in their order."""
    rows = coco_files.pictures(_given(config)).licenses
    return [Licence("" if row.unlisted else str(row.id), row.name, row.url) for row in rows]


def _licence(named: Mapping[int, str], picture: Picture) -> str:
    return "" if picture.license is None else named.get(picture.license, "")


def searched(config: BuildConfig) -> list[Path]:
    """Where the pictures were looked for."""
    file = _given(config).file
    if not config.source.annotations:
        return [file.parents[1] / config.source.split]
    return list(dict.fromkeys(folder.path for folder in folders.candidates(file, config.source.images)))


def notes(config: BuildConfig) -> Iterator[str]:
    """Categories whose names no question can use; marks that are a tool's habit."""
    split = coco_files.read(_given(config))
    if split.all_crowds:
        yield "every annotation is marked as a crowd (iscrowd: 1), as some tools write all masks: they are taken for single things"
    categories = split.instances.categories
    odd = sorted({repr(row.name) for row in categories if not vocabulary.is_speakable(split.categories[row.id])})
    if odd:
        yield (
            f"{', '.join(odd[:5])}{', …' * (len(odd) > 5)}: no {'names' if len(odd) > 1 else 'name'} that a question can use; "
            "--names FILE gives them, in YAML: NAME: noun"
        )


def scenes(config: BuildConfig, wanted: Wanted, refused: Refusals, pictured: Wanted = everything) -> Iterator[Scene]:
    """Every wanted photograph as it is annotated, in the order of image ids."""
    given = _given(config)
    split = coco_files.read(given)
    folder = _folder(config, given, split.instances.images)
    for file, record, reason in split.strays:
        refused.record(file.name, record, reason)
    for n in [n for n, name in enumerate(split.scenes) if wanted(name)]:
        picture = split.instances.images[n]
        try:
            path = _path(folder, picture) if pictured(split.scenes[n]) else ""
            sized = _with_size(picture, path)
        except ValueError as reason:
            refused.record(picture.file, f"image {picture.id}", str(reason))
        else:
            yield _scene(split, sized, path, refused)


def origin(config: BuildConfig) -> dict[str, str]:
    """What was read: the annotation files and their sha256."""
    given = _given(config)
    licence = "annotations CC BY 4.0 (COCO Consortium) if they are COCO's; images under their own terms, see each item"
    if other := formats.read(given.file, given.split, given.images):
        tables, form = msgspec.json.encode(other.tables), formats.of(given.file)
        name = f"{given.file.name} ({form})"
        return {"name": name, "licence": "see each item", f"sha256 of {given.file.name}": sha256(tables).hexdigest()}
    companions = (coco_files.companion(given.file, kind) for kind in ("person_keypoints", "captions"))
    there = [file for file in (given.file, *companions) if file and file.is_file()]
    with ThreadPoolExecutor() as threads:
        digests = threads.map(_sha256, there)
    hashes = {f"sha256 of {file.name}": digest for file, digest in zip(there, digests, strict=True)}
    return {"name": f"COCO-format files, split {given.name}", "licence": licence, **hashes}


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def _given(config: BuildConfig) -> Given:
    """What is to be read."""
    source, file = config.source, annotation_file(config)
    if file is None:
        raise BadInput(
            "no photographs: name --root or --annotations, set $PSTGEN_COCO_ROOT, or run `pstgen fetch coco`"
        )
    if not source.annotations:
        return Given(file, source.split, names=source.names)
    if source.split == PRIOR:
        return Given(file, PRIOR, names=source.names)
    return Given(file, file.stem.removeprefix("instances_"), source.split, source.images, source.names)


def _folder(config: BuildConfig, given: Given, pictures: Iterable[Picture]) -> Folder:
    """Of the pictures: COCO's own, or where an annotation file's are found."""
    if not config.source.annotations:
        return Folder(given.file.parents[1] / config.source.split)
    if other := formats.read(given.file, given.split, given.images):
        return Folder(other.pictures)
    return folders.find(given.file, [picture.file for picture in pictures], given.images)


def _path(folder: Folder, picture: Picture) -> str:
    """Of the picture's file. Raises ValueError, with the reason, where there is none."""
    if fault := folder.fault(picture.file):
        raise ValueError(fault)
    return folder.file(picture.file)


def _with_size(picture: Picture, path: str) -> Picture:
    """With the size of the file where the annotations give none. Raises ValueError, with the reason, where neither tells."""
    if picture.width * picture.height > pixels.MAX_PIXELS:
        raise ValueError(f"is annotated as {picture.width}x{picture.height}, more than {pixels.MAX_PIXELS:,} pixels")
    if picture.width and picture.height:
        return picture
    if not path:
        raise ValueError("has no width and height, and its picture is not looked at")
    width, height = pixels.size(path)
    return msgspec.structs.replace(picture, width=width, height=height)


def _scene(split: Split, picture: Picture, path: str, refused: Refusals) -> Scene:
    """path: of its image, "" for its annotations alone, without masks."""
    first: dict[int, Annotation] = {}  # of two annotations with the same id
    for annotation in split.by_image.of(picture.id):
        if annotation.category_id in split.categories:
            first.setdefault(annotation.id, annotation)

    def complain(row: Annotation) -> coco_things.Complain:
        return lambda reason: refused.record(split.file.name, f"annotation {row.id}", reason)

    things = (coco_things.thing(split, picture, row, complain(row), masked=bool(path)) for row in first.values())
    return Scene(
        id=f"{split.name}/{picture.id}",
        source="coco",
        path=path,
        width=picture.width,
        height=picture.height,
        categories=tuple(_annotated(split, picture, first.values())),
        instances=(*things, *_unlisted(split, picture)),
        captions=tuple(_captions(split, picture, refused)),
        depth_path=_depth_file(split, picture, refused),
        licence=_licence(split.licences, picture),
        complete=split.instances.info.complete,
    )


def _annotated(split: Split, picture: Picture, rows: Iterable[Annotation]) -> dict[str, None]:
    """The categories that would have been annotated in that picture: of LVIS those that are, and those that certainly are not."""
    if picture.neg_category_ids is None:
        return dict.fromkeys(split.categories.values())
    known = {*picture.neg_category_ids, *(row.category_id for row in rows)}
    return dict.fromkeys(name for number, name in split.categories.items() if number in known)


def _unlisted(split: Split, picture: Picture) -> Iterator[Instance]:
    """Of categories of which LVIS annotates some instances alone, a crowd for the others, whose place is unknown."""
    whole = Region(x=0, y=0, width=picture.width, height=picture.height)
    for number in picture.not_exhaustive_category_ids:
        if number in split.categories:
            yield Instance(id=-number, category=split.categories[number], region=whole, area=0, crowd=True)


def _depth_file(split: Split, picture: Picture, refused: Refusals) -> str:
    """Of the world's own files: beside the annotations' folder."""
    if not picture.depth_file:
        return ""
    try:
        path = Folder(split.file.parent.parent).file(picture.depth_file)
        with pixels.opened(path) as file:
            if pixels.is_depth(file, picture.width, picture.height):
                return path
        reason = "is not 16 bits a pixel, or not of the picture's size"
    except ValueError as error:
        reason = str(error)
    refused.record(split.file.name, f"depth of image {picture.id}", reason)
    return ""


def _captions(split: Split, picture: Picture, refused: Refusals) -> Iterator[str]:
    for row in split.captions.of(picture.id) if split.captions else ():
        if caption := row.caption.strip():
            yield caption
        else:
            refused.record(split.file.name.replace("instances", "captions"), f"caption {row.id}", "is empty")
