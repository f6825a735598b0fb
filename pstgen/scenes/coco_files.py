"""COCO's JSON files: decoded, checked, and indexed by number."""

import mmap
import re
from bisect import bisect_left, bisect_right
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from pstgen.core import reading
from pstgen.core.records import BadInput
from pstgen.scenes import coco_repair, corners, formats, vocabulary
from pstgen.scenes.coco_format import Captions, Category, Instances, Licence, Pictures, Poses
from pstgen.scenes.coco_repair import Repaired

T = TypeVar("T")
Stray = tuple[Path, str, str]  # file, record, reason
Mend = Callable[[Any, coco_repair.Ids, list[coco_repair.Fault]], T]


class RowIndex:
    """Rows by one of their numbers, found by binary search: two arrays take less memory than a dict of lists."""

    def __init__(self, rows: list[Any], number: str) -> None:
        numbers: NDArray[np.int64] = np.fromiter(map(attrgetter(number), rows), np.int64, len(rows))
        order = np.argsort(numbers, kind="stable")
        self.rows = list(map(rows.__getitem__, order.tolist()))
        self.numbers = numbers[order]
        self.sorted = self.numbers.data  # which `bisect` searches in half the time that NumPy takes for one number

    def of(self, number: int) -> list[Any]:
        """Every row with that number, in the file's order."""
        low = bisect_left(self.sorted, number)
        return self.rows[low : bisect_right(self.sorted, number, low)]


class Given(NamedTuple):
    """What is to be read. name: of its scenes' split. split: of a data set in another format, that has several.

    images: the folder of the pictures, where the user names it. names: a YAML file with nouns for categories.
    """

    file: Path
    name: str
    split: str = ""
    images: Path | None = None
    names: Path | None = None


class Split(msgspec.Struct):
    """A split's files in memory, decoded; segmentations are still raw.

    scenes: ids of the images' scenes, in the order of the images, which is that of their ids. joints: names of the keypoints,
    by category. categories: by id, as they are spoken of. licences: address or name by id. all_crowds: was every annotation
    marked as one? strays: what belongs to nothing, occurs twice or means nothing.
    """

    file: Path
    name: str
    scenes: list[str]
    by_image: RowIndex
    instances: Instances
    categories: dict[int, str]
    poses: RowIndex | None
    licences: dict[int, str]
    joints: dict[int, list[str]]
    captions: RowIndex | None
    all_crowds: bool
    strays: list[Stray]


def pictures(given: Given) -> Pictures | Instances:
    """The images of an instances_*.json, in its order, and licences. Raises BadInput as `read` does."""
    plain = None if formats.of(given.file) else _plain(given.file, Pictures)
    listed = plain or _repaired(given).instances
    if not listed.images:
        raise BadInput(f"{given.file}: the split is empty: `images` has no row")
    return listed


def licences(rows: Iterable[Licence]) -> dict[int, str]:
    """By id, the address of each, or its name where it has none."""
    return {row.id: row.url or row.name for row in rows}


@lru_cache(maxsize=2)
def read(given: Given) -> Split:
    """Decode an instances_*.json and the files beside it, or what other formats have for them.

    Raises BadInput where it is missing, of no known format, or empty.
    """
    file, other = given.file, formats.read(given.file, given.split, given.images)
    plain = None if other else _plain(file, Instances)
    instances, ids, faults = coco_repair.unchanged(plain) if plain else _repaired(given)
    if not instances.images:
        raise BadInput(f"{file}: the split is empty: `images` has no row")
    corners.refuse(file, instances)
    all_crowds = not other and bool(instances.annotations) and all(row.iscrowd for row in instances.annotations)
    for row in instances.annotations if all_crowds else ():
        row.iscrowd = 0
    beside: list[Stray] = []
    poses = _beside(companion(file, "person_keypoints"), Poses, coco_repair.poses, ids, beside)
    captions = _beside(companion(file, "captions"), Captions, coco_repair.captions, ids, beside)
    first = {picture.id: picture for picture in reversed(instances.images)}
    beside += (
        (file, f"image {number}", "occurs twice; the first one was taken") for number in _repeated(instances, first)
    )
    instances.images = [picture for _, picture in sorted(first.items())]
    by_image = RowIndex(instances.annotations, "image_id")
    joints = [*instances.categories, *(poses.categories if poses else ())]
    return Split(
        file=file,
        name=given.name,
        scenes=[f"{given.name}/{picture.id}" for picture in instances.images],
        instances=instances,
        categories=_spoken(instances.categories, given.names, file),
        licences=licences(instances.licenses),
        by_image=by_image,
        poses=RowIndex(poses.annotations, "id") if poses else None,
        joints={category.id: category.keypoints for category in joints if category.keypoints},
        captions=RowIndex(captions.annotations, "image_id") if captions else None,
        all_crowds=all_crowds,
        strays=[*((file, *fault) for fault in (*faults, *_strays(instances, by_image))), *beside],
    )


def _spoken(categories: Sequence[Category], names: Path | None, file: Path) -> dict[int, str]:
    """By id, what questions call them."""
    given = _nouns(names) if names else {}
    known = {category.name for category in categories}
    if unknown := sorted(given.keys() - known):
        raise BadInput(f"{names}: {file.name} has no category {unknown[0]!r}; it has {', '.join(sorted(known)[:8])}, …")
    return {category.id: vocabulary.canonical(given.get(category.name, category.name)) for category in categories}


def _nouns(file: Path) -> dict[str, str]:
    """A file that gives nouns to categories."""
    try:
        return reading.yaml_of(reading.content(file), dict[str, str])
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise BadInput(f"{file}: not a file of names (YAML, category: noun): {error}") from None


@lru_cache(maxsize=1)
def _repaired(given: Given) -> Repaired:
    """The file as it was meant. Raises BadInput where that is nothing of COCO's."""
    file, other = given.file, formats.read(given.file, given.split, given.images)
    repaired = _meaning(file, lambda: coco_repair.repair(other.tables if other else _decode(file, Any)))
    return repaired._replace(faults=[*(other.faults if other else ()), *repaired.faults])


def companion(file: Path, kind: str) -> Path | None:
    """The path of the person_keypoints_*.json or captions_*.json beside an instances_*.json."""
    return file.with_name(file.name.replace("instances", kind, 1)) if "instances" in file.name else None


def _plain(file: Path, as_: type[T]) -> T | None:
    """The file, decoded in place: what stays raw is read from the disk again when it is needed. None where rows are of another type."""
    try:
        return _decode(file, as_)
    except msgspec.ValidationError:
        return None


def _decode(file: Path, as_: type[T]) -> T:
    """Raises BadInput where it is no JSON, and lets msgspec.ValidationError pass, where rows are of another type."""
    try:
        return reading.json(_mapped(file), as_, float_hook=float)  # 1e999 is infinite: it costs its row, not the file
    except OSError as error:
        ours = file.parent.name == "annotations" and file.name.startswith("instances_")
        remedy = "; COCO's folder, named by --root or $PSTGEN_COCO_ROOT, holds annotations/" if ours else ""
        raise BadInput(f"{file}: {error.strerror or error}{remedy}") from None
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        hint = "; NaN and Infinity are not JSON" if re.search(rb"\b(NaN|Infinity)\b", _mapped(file)) else ""
        raise BadInput(f"{file}: not a COCO file of this kind: {error}{hint}") from None


def _mapped(file: Path) -> bytes | mmap.mmap:
    """The file's bytes, mapped into memory; an empty file cannot be mapped."""
    with reading.opened(file) as opened:
        mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) if file.stat().st_size else b""
    return mapped[len(BOM_UTF8) :] if mapped[: len(BOM_UTF8)] == BOM_UTF8 else mapped


def _beside(
    file: Path | None, as_: type[T], mend: Mend[T], ids: Callable[[], coco_repair.Ids], strays: list[Stray]
) -> T | None:
    """A file beside an instances file, where there is one; as it was meant, where rows are of another type."""
    if not file or not file.exists():
        return None
    if plain := _plain(file, as_):
        return plain
    faults: list[coco_repair.Fault] = []
    mended = _meaning(file, lambda: mend(_decode(file, Any), ids(), faults))
    strays += ((file, *fault) for fault in faults)
    return mended


def _meaning(file: Path, mend: Callable[[], T]) -> T:
    """What was meant. Raises BadInput where that is nothing of COCO's."""
    try:
        return mend()
    except RecursionError:
        raise BadInput(f"{file}: not a COCO file: {reading.TOO_DEEP}") from None
    except (coco_repair.BadRow, msgspec.ValidationError) as reason:
        raise BadInput(f"{file}: not a COCO file: {reason}") from None


def _repeated(instances: Instances, first: Collection[int]) -> Iterator[int]:
    """Ids of images that occur twice."""
    if len(first) < len(instances.images):
        yield from (number for number, n in Counter(picture.id for picture in instances.images).items() if n > 1)


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
