"""Are there near-duplicates: among the set's own scenes, or of pictures or of another stress test that somebody trained on?"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import imagehash
import numpy as np
from more_itertools import chunked
from numpy.typing import NDArray
from PIL import Image

from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput, origin
from pstgen.dataset import store
from pstgen.dataset.store import Dataset
from pstgen.scenes import pixels
from pstgen.verification import probes, shared_items
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding
from pstgen.verification.probes import ImageFile

SIDE = 16  # frequencies a side that are kept; pHash usually keeps 8
BITS = SIDE * SIDE
BATCH = 1024  # pictures that are compared at a time
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
COCO = re.compile(r"(?:train|val|test)20\d\d/(\d+)")

Hashes = NDArray[np.int8]


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Hash every picture and compare those of different scenes; with `config.against`, all with what stands there, too.

    That is a folder of pictures, a file of COCO image ids, or a stress test: of the latter neither the bytes of a picture, nor
    one that looks alike, nor a scene, a pair, or a question about one picture may be in both.

    A copy that was saved again as JPEG of quality 30, or at half or four thirds of its size, differs by at most 24 bits. Of
    any two of 7,072 scenes of the built-in world, the least varied source there is, one couple differs by 28 bits, and
    looks alike; all others differ by 38 or more, photographs by 94 or more. `config.alike` stands between.
    """
    hashes = _first_pictures(probes.image_files(dataset))
    names = list(hashes)
    bits = np.stack(list(hashes.values()))
    alike = list(_alike(names, bits, config.alike))
    shared, compared, figures = _against(dataset, names, bits, config)
    problems = first_problems((*alike, *shared)) if len(alike) + len(shared) > config.duplicates else ()
    scenes = len({origin(name) for name in names})
    return Finding(
        check="duplicates",
        summary=f"{len(names):,} pictures of {scenes:,} scenes: {_near_duplicates(len(alike))}; {compared}",
        problems=problems,
        figures={"alike": float(len(alike)), **figures},
    )


def _near_duplicates(count: int) -> str:
    """How many there are, in words.

    >>> _near_duplicates(0), _near_duplicates(1)
    ('no near-duplicates', '1 near-duplicate')
    """
    return f"{count or 'no'} near-duplicate{'s' * (count != 1)}"


def signature(file: IO[bytes]) -> Hashes:
    """(256,) +1 or -1: the picture's low frequencies against their median (pHash; Zauner 2010), 16 a side.

    Raises OSError where the file is not a picture.
    """
    with Image.open(file, formats=pixels.FORMATS) as picture:
        picture.draft("L", (128, 128))  # JPEG: decode no more than is needed, twice what is hashed
        bits = imagehash.phash(picture, hash_size=SIDE).hash
    return np.where(bits.ravel(), 1, -1).astype(np.int8)


def near(first: Hashes, second: Hashes, alike: int) -> Iterator[tuple[int, int, int]]:
    """(row of `first`, row of `second`, bits) of all that differ by `alike` bits at most.

    Of two vectors of signs the product is bits that agree less bits that differ.
    """
    columns = second.T.astype(np.float32)
    for start in range(0, len(first), BATCH):
        differ = (BITS - first[start : start + BATCH].astype(np.float32) @ columns) / 2
        for row, column in np.argwhere(differ <= alike).tolist():
            yield start + row, column, int(differ[row, column])


def _first_pictures(files: Iterable[ImageFile]) -> dict[str, Hashes]:
    """Of every scene, edited ones by themselves, the hash of its first picture."""
    hashes: dict[str, Hashes] = {}
    for file in files:
        if file.item.scene_id not in hashes:
            with probes.naming(file):
                hashes[file.item.scene_id] = signature(io.BytesIO(file.data))
    return hashes


def _alike(names: Sequence[str], bits: Hashes, alike: int) -> Iterator[str]:
    for a, b, differ in near(bits, bits, alike):
        if a < b and origin(names[a]) != origin(names[b]):
            yield f"scenes {names[a]} and {names[b]}: look alike ({differ} of {BITS} bits differ)"


def _against(
    dataset: Dataset, names: Sequence[str], bits: Hashes, config: VerifyConfig
) -> tuple[list[str], str, dict[str, float]]:
    """What is wrong, what was compared, in words, and how much is shared, by kind."""
    place = config.against
    if place is None:
        return (
            [],
            "use --against to compare with training images, or with a stress test to train on",
            {"alike/against": 0.0},
        )
    if (place / "manifest.json").is_file() and (place / "data").is_dir():
        return _against_set(dataset, store.open(place), names, bits, config.alike)
    lines, compared = (
        _against_folder(place, names, bits, config.alike) if place.is_dir() else _against_ids(place, names)
    )
    return lines, compared, {"alike/against": float(len(lines))}


def _against_set(
    dataset: Dataset, other: Dataset, names: Sequence[str], bits: Hashes, alike: int
) -> tuple[list[str], str, dict[str, float]]:
    """Compare with another stress test, whose pictures are read once, BATCH in memory. Raises BadInput where it was changed."""
    shared_items.refuse_changed(other)
    name = other.folder.resolve().name
    own = shared_items.Contents.of(probes.image_files(dataset))
    shared = shared_items.Shared(own, name, ids=shared_items.one_source(dataset, other))
    hashed = set[str]()
    for files in chunked(probes.image_files(other), BATCH):
        for file in files:
            shared.add(file)
        first = _first_pictures(file for file in files if file.item.scene_id not in hashed)
        hashed |= set(first)
        others = list(first)
        for n, m, differ in near(bits, np.stack(list(first.values())), alike) if first else ():
            shared.add_alike(names[n], others[m], differ, BITS)
    seal = other.manifest.seal
    return shared.lines, f"compared with {shared.read:,} items of {name} (hash {seal}): {shared.words}", shared.figures


def _against_folder(folder: Path, names: Sequence[str], bits: Hashes, alike: int) -> tuple[list[str], str]:
    shared, read, broken = list[str](), 0, list[str]()
    for files, hashes in _read(folder, broken):
        read += len(files)
        shared += [
            f"scene {names[n]}: looks like {files[m]} ({differ} of {BITS} bits differ)"
            for n, m, differ in near(bits, hashes, alike)
        ]
    if not read:
        raise BadInput(
            f"{folder}: holds no picture that can be read; --against takes a folder of them, or a file of ids"
        )
    left_out = f", {len(broken)} of them not readable ({broken[0]} the first)" if broken else ""
    total = f"{read + len(broken):,} pictures of {folder.name}{left_out}"
    return shared, f"compared with {total}: {_near_duplicates(len(shared))}"


def _read(folder: Path, broken: list[str]) -> Iterator[tuple[list[str], Hashes]]:
    """Names and hashes of a folder's pictures, BATCH at a time; what cannot be read is named in `broken`."""
    names, hashes = list[str](), list[Hashes]()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            name = path.relative_to(folder).as_posix()
            try:
                with path.open("rb") as file:
                    hashes.append(signature(file))
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
                broken.append(name)
            else:
                names.append(name)
        if len(names) == BATCH:
            yield names, np.stack(hashes)
            names, hashes = [], []
    if names:
        yield names, np.stack(hashes)


def _against_ids(file: Path, names: Sequence[str]) -> tuple[list[str], str]:
    """Compare COCO image ids, the last number of each line: 139, 000000000139.jpg, COCO_train2014_000000000139.jpg."""
    try:
        lines = file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: {error}; --against takes a folder of pictures, or a text file of COCO ids") from None
    ids = {int(numbers[-1]) for line in lines if (numbers := re.findall(r"\d+", line))}
    if not ids:
        raise BadInput(f"{file}: holds no COCO image id; write one on each line")
    scenes = sorted({origin(name) for name in names})
    coco_ids = {scene: int(match[1]) for scene in scenes if (match := COCO.fullmatch(scene))}
    shared = [f"scene {scene}: is in {file.name}" for scene, number in coco_ids.items() if number in ids]
    return (
        shared,
        f"{len(coco_ids):,} of its scenes are COCO's; {len(shared)} of them are among {len(ids):,} ids of {file.name}",
    )
