"""One file, one format of annotations that is not COCO's. A format *brings* what is annotated into COCO's tables."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pstgen.core import plugins
from pstgen.core.records import BadInput

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")  # of pictures
OTHERS = (".yaml", ".yml", ".csv", ".xml", ".txt")  # of files that are not COCO's
Row = dict[str, Any]


class Annotated(NamedTuple):
    """Annotations as COCO's tables. pictures: the folder that file names start from. faults: records left out, and why."""

    images: list[Row]
    annotations: list[Row]
    categories: list[Row]
    pictures: Path
    faults: list[tuple[str, str]]

    @property
    def tables(self) -> dict[str, list[Row]]:
        """What a COCO file would hold."""
        return {"images": self.images, "annotations": self.annotations, "categories": self.categories}


class Format(Protocol):
    """What a module in this folder defines; `recognizes` looks at names and first lines alone."""

    def recognizes(self, path: Path) -> bool:
        """Is that a file or folder of this format?"""
        ...

    def read(self, path: Path, split: str, images: Path | None) -> Annotated:
        """All of it, or of a split where there are several. images: where the user says the pictures are.

        Raises BadInput where nothing can be read; a record that cannot be read is a fault.
        """
        ...


def of(path: Path) -> str:
    """The name of the format of a file or folder; "" for a file that is to be read as COCO's. Raises BadInput for another folder."""
    if path.suffix == ".json":
        return ""
    for name in plugins.names("formats"):
        if plugins.load("formats", name).recognizes(path):
            return name
    if path.is_dir():
        own = ", ".join(file.name for file in sorted(path.glob("*.json"))[:3])
        raise BadInput(
            f"{path}: a folder of no known format ({', '.join(plugins.names('formats'))}); "
            + (f"a COCO file is named itself: {own}" if own else "a COCO file in it is named itself")
        )
    if path.suffix in OTHERS and path.is_file():
        raise BadInput(
            f"{path}: of no known format ({', '.join(plugins.names('formats'))}), or not readable as one; COCO's is JSON"
        )
    return ""


@lru_cache(maxsize=2)
def read(path: Path, split: str, images: Path | None) -> Annotated | None:
    """What a file or folder of another format than COCO's holds; None for one that is to be read as COCO's."""
    name = of(path)
    found: Annotated | None = plugins.load("formats", name).read(path, split, images) if name else None
    if found and not found.images:
        raise BadInput(f"{path}: no picture of it was found ({name}); --images names their folder")
    return found


def pick(split: str, there: Sequence[str]) -> str:
    """Of the splits that there are: the one of that name, else the one for validation or test, else the first."""
    likely = (name for start in ("val", "test") for name in there if name.startswith(start))
    return split if split in there else next(likely, there[0])


def find_picture(folders: Sequence[Path], stem: str) -> Path | None:
    """The picture of that name, in the first folder that has it."""
    return next((file for file in _spellings(folders, stem) if file.is_file()), None)


def _spellings(folders: Sequence[Path], stem: str) -> Iterator[Path]:
    for folder in folders:
        for suffix in SUFFIXES:
            yield folder / f"{stem}{suffix}"
            yield folder / f"{stem}{suffix.upper()}"
