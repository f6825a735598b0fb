"""Are there near-duplicates: among the set's own scenes, or of pictures that somebody trained on?"""

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput, Finding, origin
from pstgen.dataset.store import Dataset
from pstgen.verification import probes
from pstgen.verification.checks import some

SIDE, LOW = 64, 16  # pixels of the small picture, frequencies that are kept a side
BITS = LOW * LOW
BLOCK = 1024  # pictures that are compared at a time
ENDS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
COCO = re.compile(r"(?:train|val|test)20\d\d/(\d+)")

Hashes = NDArray[np.int8]


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Hash every picture and compare those of different scenes; with `config.against`, all with that folder's, too.

    `config.alike` is half of what the nearest of unrelated scenes differ by, measured on 25 million couples of the
    built-in world, the least varied source there is (photographs differ twice as much); a copy that was saved again as
    JPEG of quality 30, or at half or four thirds of its size, differs by at most 18 bits.
    """
    hashes = _own(dataset)
    names = list(hashes)
    bits = np.stack(list(hashes.values()))
    twice = list(_twins(names, bits, config.alike))
    found, compared = _against(names, bits, config)
    problems = some((*twice, *found)) if len(twice) + len(found) > config.duplicates else ()
    origins = len({origin(name) for name in names})
    return Finding(
        check="duplicates",
        summary=f"{len(names):,} pictures of {origins:,} scenes: {_near_duplicates(len(twice))}; {compared}",
        problems=problems,
        figures={"alike": float(len(twice)), "alike/against": float(len(found))},
    )


def _near_duplicates(count: int) -> str:
    """How many there are, in words.

    >>> _near_duplicates(0), _near_duplicates(1)
    ('no near-duplicates', '1 near-duplicate')
    """
    return f"{count or 'no'} near-duplicate{'s' * (count != 1)}"


def signature(file: IO[bytes]) -> Hashes:
    """(256,) +1 or -1: the picture's low frequencies against their median (pHash; Zauner 2010), a finer one: 16 a side.

    Raises OSError where the file is no picture.
    """
    with Image.open(file) as picture:
        picture.draft("L", (2 * SIDE, 2 * SIDE))  # JPEG: decode no more than is needed
        grey = np.array(picture.convert("L"), np.float32)
    low = cv2.dct(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA))[:LOW, :LOW].ravel()
    return np.where(low > np.median(low), 1, -1).astype(np.int8)


def near(some: Hashes, others: Hashes, alike: int) -> Iterator[tuple[int, int, int]]:
    """(row of `some`, row of `others`, bits) of all that differ by `alike` bits at most.

    Of two vectors of signs the product is bits that agree less bits that differ.
    """
    right = others.T.astype(np.float32)
    for start in range(0, len(some), BLOCK):
        differ = (BITS - some[start : start + BLOCK].astype(np.float32) @ right) / 2
        for row, column in np.argwhere(differ <= alike).tolist():
            yield start + row, column, int(differ[row, column])


def _own(dataset: Dataset) -> dict[str, Hashes]:
    """Of every scene, edited ones by themselves, its first picture."""
    hashes: dict[str, Hashes] = {}
    for picture in probes.pictures(dataset):
        if picture.item.scene_id not in hashes:
            with probes.named(picture):
                hashes[picture.item.scene_id] = signature(io.BytesIO(picture.code))
    return hashes


def _twins(names: Sequence[str], bits: Hashes, alike: int) -> Iterator[str]:
    for one, other, differ in near(bits, bits, alike):
        if one < other and origin(names[one]) != origin(names[other]):
            yield f"scenes {names[one]} and {names[other]}: look alike ({differ} of {BITS} bits differ)"


def _against(names: Sequence[str], bits: Hashes, config: VerifyConfig) -> tuple[list[str], str]:
    """What is wrong, and what was compared, in words."""
    place = config.against
    if place is None:
        return [], "use --against to compare with training images"
    if place.is_dir():
        return _pictures(place, names, bits, config.alike)
    return _ids(place, names)


def _pictures(place: Path, names: Sequence[str], bits: Hashes, alike: int) -> tuple[list[str], str]:
    found, read, broken = list[str](), 0, list[str]()
    for files, hashes in _read(place, broken):
        read += len(files)
        found += [
            f"scene {names[n]}: looks like {files[m]} ({differ} of {BITS} bits differ)"
            for n, m, differ in near(bits, hashes, alike)
        ]
    if not read:
        raise BadInput(
            f"{place}: holds no picture that can be read; --against takes a folder of them, or a file of ids"
        )
    left = f", {len(broken)} of them not readable ({broken[0]} the first)" if broken else ""
    return found, f"compared with {read + len(broken):,} pictures of {place.name}{left}: {_near_duplicates(len(found))}"


def _read(place: Path, broken: list[str]) -> Iterator[tuple[list[str], Hashes]]:
    """Names and hashes of a folder's pictures, BLOCK at a time; what cannot be read is named in `broken`."""
    names, hashes = list[str](), list[Hashes]()
    for path in sorted(place.rglob("*")):
        if path.suffix.lower() in ENDS and path.is_file():
            name = path.relative_to(place).as_posix()
            try:
                with path.open("rb") as file:
                    hashes.append(signature(file))
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
                broken.append(name)
            else:
                names.append(name)
        if len(names) == BLOCK:
            yield names, np.stack(hashes)
            names, hashes = [], []
    if names:
        yield names, np.stack(hashes)


def _ids(place: Path, names: Sequence[str]) -> tuple[list[str], str]:
    """Compare COCO image ids, the last number of each line: 139, 000000000139.jpg, COCO_train2014_000000000139.jpg."""
    try:
        lines = place.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{place}: {error}; --against takes a folder of pictures, or a text file of COCO ids") from None
    ids = {int(numbers[-1]) for line in lines if (numbers := re.findall(r"\d+", line))}
    if not ids:
        raise BadInput(f"{place}: holds no COCO image id; one stands on each line")
    known = {name: int(told[1]) for name in sorted({origin(name) for name in names}) if (told := COCO.fullmatch(name))}
    found = [f"scene {name}: is in {place.name}" for name, number in known.items() if number in ids]
    return (
        found,
        f"{len(known):,} of its scenes are COCO's; {len(found)} of them are among {len(ids):,} ids of {place.name}",
    )
