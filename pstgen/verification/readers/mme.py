"""MME as it was released: a folder a task, with a text file an image: question and answer, parted by a tab."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pstgen.core import reading
from pstgen.core.records import BadInput
from pstgen.verification import choices
from pstgen.verification.choices import YES_NO
from pstgen.verification.samples import Sample


def recognizes(path: Path, columns: frozenset[str], /) -> bool:  # noqa: ARG001
    """A folder whose first text file has such lines."""
    first = next(iter(_files(path)), None) if path.is_dir() else None
    return first is not None and b"\t" in reading.content(first).partition(b"\n")[0]


def read(path: Path, names: Mapping[str, str], /) -> Iterator[Sample | str]:  # noqa: ARG001
    """The file names the image, its folder the task."""
    for file in _files(path):
        try:
            lines = reading.text(file).splitlines()
        except UnicodeDecodeError as error:
            raise BadInput(f"{file}: not text: {error}") from None
        scene = str(file.relative_to(path).with_suffix(""))
        for n, line in enumerate(filter(str.strip, lines), 1):
            question, _, label = line.rpartition("\t")
            place = choices.answer(label, YES_NO)
            if question and place >= 0:
                task = file.relative_to(path).parts[0]
                yield Sample(f"{scene}-{n}", f"{scene}-{n}", scene, question, YES_NO, place, category=task)
            else:
                yield "a line is no question and answer"


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*.txt") if file.is_file())
