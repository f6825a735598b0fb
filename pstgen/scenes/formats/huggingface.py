"""A data set of the Hugging Face hub's kind on this disk: parquet files, or what `save_to_disk` wrote, with `image` and `objects`.

`objects` holds, for each picture, lists: `bbox` (x, y, width, height) and `category` or `label`, perhaps `segmentation`, `iscrowd`.
Nothing is downloaded: `hf download --repo-type dataset NAME --local-dir DIR` does that. Source: the documentation of `datasets`.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import platformdirs

from pstgen.core import reading, scratch
from pstgen.core.records import BadInput, Unavailable
from pstgen.scenes import pixels
from pstgen.scenes.formats import Annotated, Row, pick

CATEGORY = ("category", "categories", "category_id", "label", "labels", "class", "classes")
BOX = ("bbox", "bboxes", "boxes", "box")
TAKEN = ("segmentation", "iscrowd", "area", "keypoints")  # as they stand


def recognizes(path: Path) -> bool:
    """A parquet file, or a folder that holds some, or what `save_to_disk` writes."""
    if path.suffix == ".parquet":
        return True
    marks = ("dataset_dict.json", "state.json", "*.parquet", "data/*.parquet")
    return path.is_dir() and any(next(path.glob(mark), None) for mark in marks)


def read(path: Path, split: str, images: Path | None) -> Annotated:  # noqa: ARG001 (the pictures are in the file)
    """One split: the one that is named, else validation, else test, else the first. The pictures are kept in the cache."""
    data = _load(path, split)
    features = data.features
    if "image" not in features or "objects" not in features:
        raise BadInput(f"{path}: has the columns {', '.join(features)}; `image` and `objects` are needed")
    inner = _inner(features["objects"])
    category, box = _first(CATEGORY, inner, path), _first(BOX, inner, path)
    named = getattr(_element(inner[category]), "names", None)
    folder = Path(platformdirs.user_cache_dir("pstgen")) / "pictures"
    found = Annotated([], [], [{"id": n, "name": name} for n, name in enumerate(named or ())], folder, [])
    for place, row in _rows(data, path):
        try:
            picture, (width, height) = _keep(row["image"], folder)
            things = list(_things(row["objects"]))
        except (OSError, ValueError) as reason:
            found.faults.append((f"row {place}", str(reason)))
            continue
        found.images.append({"id": place, "file_name": picture, "width": width, "height": height})
        for number, thing in enumerate(things):
            own = {key: thing[key] for key in TAKEN if key in thing}
            found.annotations.append(
                {
                    "id": f"{place}:{number}",
                    "image_id": place,
                    "category_id": thing[category],
                    "bbox": thing[box],
                    **own,
                }
            )
    names = {} if named else dict.fromkeys(str(row["category_id"]) for row in found.annotations)
    found.categories.extend({"id": name, "name": name} for name in names)
    return found


def _load(path: Path, split: str) -> Any:
    """A `datasets.Dataset` whose pictures stay as they are stored."""
    if odd := next((file for file in _files(path) if not file.is_file()), None):
        raise BadInput(f"{odd}: not a regular file")
    try:
        import datasets
    except ImportError:
        raise Unavailable(f"{path}: needs `pip install 'pstgen[huggingface]'`") from None
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)  # what is wrong is said below, in one line
    try:
        if path.is_file():
            data = datasets.Dataset.from_parquet(str(path))
        elif next(path.glob("*.arrow"), None) or (path / "dataset_dict.json").is_file():
            data = datasets.load_from_disk(str(path))
        else:
            data = datasets.load_dataset("parquet", data_files=_splits(path))
        data = data[pick(split, list(data))] if isinstance(data, dict) else data
        return data.cast_column("image", datasets.Image(decode=False)) if "image" in data.features else data
    except Exception as error:  # noqa: BLE001 (it raises of all kinds)
        raise BadInput(f"{path}: not a data set that `datasets` reads: {' '.join(str(error).split())}") from None


def _files(path: Path) -> Iterator[Path]:
    """Whatever is there that is no folder: `datasets` opens what it finds."""
    return (file for file in (path.rglob("*") if path.is_dir() else [path]) if not file.is_dir())


def _rows(data: Any, path: Path) -> Iterator[tuple[int, Row]]:
    """Every row with its place."""
    try:
        yield from enumerate(data)
    except Exception as error:  # noqa: BLE001 (as above)
        raise BadInput(f"{path}: a row cannot be read: {' '.join(str(error).split())}") from None


def _splits(path: Path) -> dict[str, list[str]]:
    """Parquet files by split: what their names begin with."""
    found: dict[str, list[str]] = {}
    for file in sorted([*path.glob("*.parquet"), *path.glob("data/*.parquet")]):
        found.setdefault(file.stem.split("-")[0], []).append(str(file))
    return found


def _inner(objects: Any) -> Mapping[str, Any]:
    """What is known of each object: `objects` is a list of records, or a record of lists."""
    inner = _element(objects)
    return inner if isinstance(inner, Mapping) else {}


def _element(feature: Any) -> Any:
    """Of a list, what it is a list of."""
    return _element(feature.feature) if hasattr(feature, "feature") else feature


def _first(names: tuple[str, ...], inner: Mapping[str, Any], path: Path) -> str:
    found = next((name for name in names if name in inner), None)
    if not found:
        raise BadInput(f"{path}: `objects` holds {', '.join(inner) or 'nothing'}; {' or '.join(names[:4])} is needed")
    return found


def _things(objects: Any) -> Iterator[Row]:
    """The objects of a picture, from a list of records or a record of lists. Raises ValueError where lists differ in length."""
    if isinstance(objects, Mapping):
        yield from (dict(zip(objects, values, strict=True)) for values in zip(*objects.values(), strict=True))
    else:
        yield from objects or ()


def _keep(image: Any, folder: Path) -> tuple[str, tuple[int, int]]:
    """The picture's file name in the folder, by its content, and its size; it is written there once.

    Raises ValueError where there is none, OSError where it cannot be read.
    """
    stored = image or {}
    source = Path(stored.get("path") or "")
    code = stored.get("bytes") or (reading.content(source) if source.is_file() else b"")
    if not code:
        raise ValueError("has no picture")
    with pixels.opened(code) as opened:
        size, suffix = opened.size, str(opened.format).lower()
    name = f"{sha256(code).hexdigest()}.{suffix}"
    file = folder / name[:2] / name
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch.put(file, code)
    return f"{name[:2]}/{name}", size
