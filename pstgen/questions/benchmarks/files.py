"""What VQA v2's and GQA's official files share: decoding them, finding their images, matching predictions to questions."""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from pstgen.core import reading
from pstgen.core.records import BadInput

T = TypeVar("T")

ENDINGS = (".jpg", ".png")  # the published images are JPEG, the world's are PNG
PLAIN_NAME = re.compile(r"\w[\w.-]*")  # a name alone: no folder, no drive, no ".."


class Example(NamedTuple):
    """A question about an image file, with the answer to learn."""

    question_id: str
    image: Path
    question: str
    answer: str


def decode(file: Path, as_: type[T], kind: str) -> T:
    """The JSON file as `as_`. Raises BadInput where it cannot be read or is not a file of this `kind`."""
    try:
        return reading.json(reading.content(file), as_)
    except OSError as error:
        raise BadInput(
            f"{file}: {error.strerror or error}; name the folder of {kind}'s files, or one of them"
        ) from None
    except msgspec.DecodeError as error:
        raise BadInput(f"{file}: not a file of {kind}: {error}") from None


def only(files: Collection[Path], where: Path, kind: str) -> Path:
    """The file, where there is exactly one. Raises BadInput where there is none, or more than one."""
    if len(files) == 1:
        return next(iter(files))
    if not where.is_dir():
        raise BadInput(f"{where}: no such file or folder; name the folder of {kind}, or one of them")
    names = ": " + ", ".join(sorted(file.name for file in files)) if files else ""
    raise BadInput(f"{where}: holds {len(files)} files of {kind}{names}; it must hold one, or name the file itself")


def picture(folders: Iterable[Path], stems: Iterable[str]) -> Path | None:
    """The first image file with one of these names in one of these folders; a name that is a path is ignored."""
    names = [f"{stem}{ending}" for stem in stems if PLAIN_NAME.fullmatch(stem) for ending in ENDINGS]
    return next((file for folder in folders for name in names if (file := folder / name).is_file()), None)


def select_questions(
    predictions: Mapping[str, str], known: Collection[str], wanted: Collection[str] | None, file: Path
) -> list[str]:
    """The questions to score: the `wanted` ones, or all that are known, in the file's order.

    Raises BadInput unless each of them has a prediction, and no other question has one: the official tools refuse such
    predictions too, and counting a missing answer as wrong would hide a mistake.
    """
    chosen = set(known if wanted is None else wanted)
    _refuse(chosen - set(known), f"{file}: has no question", "take predictions and questions of the same split")
    _refuse(chosen - set(predictions), f"{file}: no prediction for question", "answer all, or say which were asked")
    _refuse(set(predictions) - chosen, f"{file}: a prediction for question", "leave out what was not asked")
    if not chosen:
        raise BadInput(f"{file}: no question was asked")
    return [name for name in known if name in chosen]


def _refuse(names: set[str], problem: str, remedy: str) -> None:
    if names:
        raise BadInput(f"{problem} {min(names)} ({len(names):,} such); {remedy}")
