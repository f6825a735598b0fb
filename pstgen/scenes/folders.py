"""Where the pictures are that an annotation file names: tools lay them out in many ways."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pstgen.core.records import BadInput

LOOKED_AT = 50  # names, by which the folder is chosen
BESIDE = ("images", "data", "input_images", "img", "imgs")  # folders of pictures, beside an annotation file or above it
PLAIN = re.compile(r"\w[\w.-]*")  # a file's name that leads nowhere else, as nearly all are
ABSENT = "no such image file"


class Folder(NamedTuple):
    """A folder of pictures. bare: names are looked up without the folders that stand before them."""

    path: Path
    bare: bool = False

    def file(self, name: str) -> str:
        """The file's path. Raises ValueError, with the reason, where the name leads out of the folder, or is none."""
        if PLAIN.fullmatch(name):
            return f"{self.path.absolute()}/{name}"
        inner = PurePosixPath(name.replace("\\", "/"))
        if not name.strip() or "\0" in name:
            raise ValueError("has no file name")
        if self.bare:
            inner = PurePosixPath(inner.name)
        if not inner.parts or inner.is_absolute() or ".." in inner.parts or ":" in inner.parts[0]:
            raise ValueError("its file name leads out of the folder of the pictures")
        return str(self.path.absolute() / inner)

    def fault(self, name: str) -> str:
        """Why that picture is not at hand, or ""."""
        try:
            return "" if Path(self.file(name)).is_file() else ABSENT
        except OSError as error:
            return f"{ABSENT} ({error.strerror})"
        except ValueError as reason:
            return str(reason)

    def absent(self, name: str) -> str:
        """The same where the folder itself holds no file, without a look for each."""
        return ABSENT if PLAIN.fullmatch(name) else self.fault(name)


def find(file: Path, names: Sequence[str], given: Path | None = None) -> Folder:
    """The folder that holds most of the named pictures; the first that is looked at, where none holds any.

    given: by the user, who knows. Raises BadInput where that is no folder.
    """
    if given and not given.is_dir():
        raise BadInput(f"--images {given}: no such folder")
    some = names[:: max(1, len(names) // LOOKED_AT)]
    folders = list(candidates(file, given))
    return max(folders, key=lambda folder: sum(not folder.fault(name) for name in some))


def candidates(file: Path, given: Path | None = None) -> Iterator[Folder]:
    """Where pictures may be, the likeliest first."""
    near, above = file.parent, file.parent.parent
    split = file.stem.removeprefix("instances_")
    if given:
        paths = [given]
    else:
        inner = [path / split for path in (near, above)]
        inner += [root / name / split for root in (near, above) for name in BESIDE]
        inner += [root / name for root in (near, above) for name in BESIDE]
        paths = [path for path in inner if path.is_dir()] + [near, above]
    yield from map(Folder, paths)
    yield from (Folder(path, bare=True) for path in paths)
