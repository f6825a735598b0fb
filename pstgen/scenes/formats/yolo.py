"""YOLO: a text file a picture, in labels/ beside images/, and a YAML file that names the classes. Source: Ultralytics' dataset formats.

A line is `class x y width height` in shares of the picture, or `class x1 y1 x2 y2 …`, an outline; joints may follow the box.
"""

import os
from collections.abc import Iterable, Iterator
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec

from pstgen.core import reading
from pstgen.core.records import BadInput
from pstgen.scenes import pixels
from pstgen.scenes.formats import SUFFIXES, Annotated, Row, pick

FILES = 5_000_000  # below the folder of the pictures, at most
SPLITS = ("train", "val", "valid", "test")
TURNED = 8  # numbers of a box that is turned: four corners
JOINT = 3  # numbers: x, y, and how it is seen


def recognizes(path: Path) -> bool:
    """The YAML file, or the folder that holds it."""
    return bool(_settings(path))


def read(path: Path, split: str, images: Path | None) -> Annotated:
    """One split: the one that is named, else val, else test, else the first."""
    file, settings = _settings(path) or (path, {})
    there = {name: said for name in SPLITS if (said := _texts(settings.get(name)))}
    if not there and not images:
        raise BadInput(f"{file}: names no pictures under {', '.join(SPLITS)}")
    root = file.absolute().parent
    base = root / "".join(_texts(settings.get("path")))
    base = base if base.is_dir() else root  # `path` is where the set was made, as a rule
    pictures = sorted(_pictures([str(images.absolute())] if images else there[pick(split, list(there))], base))
    names = _names(settings.get("names"), file)
    joints = settings.get("kpt_names") or {}
    categories: list[Row] = [{"id": n, "name": name, "keypoints": _joints(joints, n)} for n, name in names.items()]
    folder = Path(os.path.commonpath([picture.parent for picture in pictures])) if pictures else base
    found = Annotated([], [], categories, folder, [])
    rows = [(picture, list(_rows(picture, found))) for picture in pictures]
    outlined = [len(row) - 1 for _, lines in rows for _, row in lines if len(row) > 6]
    turned = bool(outlined) and set(outlined) == {TURNED}
    for picture, lines in rows:
        _add(found, picture, lines, turned=turned)
    return found


def _settings(path: Path) -> tuple[Path, dict[str, Any]] | None:
    """The YAML file that names classes, and what it says."""
    files = [path] if path.suffix in {".yaml", ".yml"} else sorted(path.glob("*.y*ml")) if path.is_dir() else []
    for file in files:
        try:
            said = reading.yaml_of(reading.content(file), Any)
        except (OSError, msgspec.DecodeError):
            continue
        if isinstance(said, dict) and "names" in said:
            return file, said
    return None


def _names(said: Any, file: Path) -> dict[int, str]:
    """A list, or a mapping from numbers."""
    pairs = dict(said if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ())
    try:
        return {int(number): "".join(_texts(name)) for number, name in pairs.items()}
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{file}: `names` must be a list, or give a name to each number") from None


def _joints(said: Any, number: int) -> list[str]:
    names = said.get(number) if isinstance(said, dict) else None
    return _texts(names)


def _texts(said: Any) -> list[str]:
    """A text or number, or a list of some; what is nested deeper means nothing, and may be endless."""
    several = said if isinstance(said, list) else [said]
    return [str(one) for one in several if isinstance(one, (str, int, float)) and one != ""]


def _pictures(said: Iterable[str], base: Path) -> Iterator[Path]:
    """Folders, or lists of names in text files. Roboflow's `../train/images` stands beside the YAML file."""
    for one in said:
        place = base / one
        place = place if place.exists() else base / one.removeprefix("../")
        if place.suffix == ".txt" and place.is_file():
            names = _text(place).split("\n")
            yield from (place.parent / name.strip() for name in names if name.strip())
        else:
            yield from (file for file in _below(place) if file.suffix.lower() in SUFFIXES)


def _below(folder: Path) -> Iterator[Path]:
    """Whatever is in a folder. Raises BadInput where that is more than a data set can be: the disk."""
    for place, file in enumerate(folder.rglob("*")):
        if place == FILES:
            raise BadInput(f"{folder}: holds more than {FILES:,} files; name the folder of the pictures with --images")
        yield file


def _text(file: Path) -> str:
    return reading.content(file).decode(errors="replace")


def _labels(picture: Path) -> Path:
    """In labels/ where the picture is in images/; else beside it."""
    parts = list(picture.parts)
    if "images" in parts:
        parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    there = Path(*parts).with_suffix(".txt")
    return there if there.is_file() else picture.with_suffix(".txt")


def _rows(picture: Path, found: Annotated) -> Iterator[tuple[int, list[float]]]:
    """The numbers of each line, with the line's number; a picture without a file shows nothing that is named."""
    file = _labels(picture)
    text = _text(file) if file.is_file() else ""
    for place, line in enumerate(text.splitlines(), 1):
        try:
            row = [float(word) for word in line.split()]
        except ValueError:
            row = []
        if len(row) >= 5 and all(map(isfinite, row)):
            yield place, row
        elif line.strip():
            found.faults.append((f"{file.name}, line {place}", "is not a class and at least four numbers"))


def _add(found: Annotated, picture: Path, lines: Iterable[tuple[int, list[float]]], *, turned: bool) -> None:
    name = str(picture.relative_to(found.pictures))
    try:
        width, height = pixels.size(str(picture))
    except ValueError as reason:
        found.faults.append((name, str(reason)))
        return
    found.images.append({"id": name, "file_name": name, "width": width, "height": height})
    sizes = {row["id"]: 4 + JOINT * len(row["keypoints"]) for row in found.categories}
    for place, (number, *shares) in lines:
        code = [share * (height if n % 2 else width) for n, share in enumerate(shares)]
        pose = sizes.get(int(number)) == len(shares) > 4
        shape = _posed(shares, width, height) if pose else _shape(code, turned=turned)
        found.annotations.append({"id": f"{name}:{place}", "image_id": name, "category_id": number, **shape})


def _shape(code: list[float], *, turned: bool) -> Row:
    """A box, perhaps with a confidence behind it; or an outline, of which nothing but the box is taken where all are turned boxes."""
    if len(code) < 6:
        x, y, width, height = code[:4]
        return {"bbox": [x - width / 2, y - height / 2, width, height]}
    across, down = code[0 : len(code) // 2 * 2 : 2], code[1::2]
    box = [min(across), min(down), max(across) - min(across), max(down) - min(down)]
    return {"bbox": box} if turned else {"segmentation": [code[: len(code) // 2 * 2]]}


def _posed(shares: list[float], width: int, height: int) -> Row:
    """A box, then joints as x, y and how each is seen."""
    sides = (width, height, 1)
    return {
        **_shape([share * sides[n % 2] for n, share in enumerate(shares[:4])], turned=False),
        "keypoints": [share * sides[n % JOINT] for n, share in enumerate(shares[4:])],
    }
