"""One file, one format of other people's benchmarks. A reader *reads* their words."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from pstgen.core import plugins, reading
from pstgen.core.records import BadInput
from pstgen.verification import tables
from pstgen.verification.samples import Sample

AUTO, ANY = "auto", "columns"  # the format is recognized; the reader of any table
LONGEST = 2**29  # letters of all questions and options


class Reader(Protocol):
    """What a module in this folder defines.

    It may define `recognizes(path, columns) -> bool`: is that file or folder, whose table has those columns, of this format?
    """

    def read(self, path: Path, names: Mapping[str, str], /) -> Iterator[Sample | str]:
        """Every question with its options and answer; of what gives none the reason, in words that are the same for its like.

        names: columns that the user named, by what they hold. No image is opened. Raises BadInput naming the file.
        """
        ...


class Words(NamedTuple):
    """What was read. left_out: the places, from 1, of what gives no question with options, by reason. format: the reader's name."""

    samples: list[Sample]
    left_out: dict[str, list[int]]
    format: str

    @property
    def refusals(self) -> list[str]:
        """What was left out and why, a line a reason, the commonest first."""
        ranked = sorted(self.left_out.items(), key=lambda row: -len(row[1]))
        return [f"{len(places):,} left out ({_first(places)}): {reason}" for reason, places in ranked]


def load(name: str) -> Reader:
    """The reader of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Reader = plugins.load("readers", name)
    return plugin


def read(path: Path, form: str = AUTO, names: Mapping[str, str] | None = None) -> Words:
    """The words of a benchmark. Raises BadInput where it holds no question with options, with what it holds instead."""
    chosen = (ANY if names else recognize(path)) if form == AUTO else form
    words = Words([], defaultdict(list), chosen)
    length = 0
    for place, found in enumerate(_found(chosen, path, names or {}), 1):
        if isinstance(found, Sample):
            words.samples.append(found)
            length += len(found.words)
        else:
            words.left_out[found].append(place)
        if length > LONGEST:
            raise BadInput(f"{path}: its questions and options are longer than {LONGEST:,} letters")
    if not words.samples:
        why = "; ".join(words.refusals[:3]) or "it has no row"
        held = ", ".join(sorted(tables.columns(path))) or "none"
        raise BadInput(
            f"{path}: no question with options was read as {chosen}: {why}. Its columns are: {held}; "
            "--question-column, --options-column and --answer-column name others"
        )
    return words


def _found(form: str, path: Path, names: Mapping[str, str]) -> Iterator[Sample | str]:
    try:
        yield from load(form).read(path, names)
    except RecursionError:
        raise BadInput(f"{path}: a row of it is {reading.TOO_DEEP}") from None
    except OSError as error:
        raise BadInput(f"{error.filename or path}: {error.strerror or error}") from None


def _first(places: list[int]) -> str:
    return f"row {places[0]:,}" if len(places) == 1 else f"the first is row {places[0]:,}"


def recognize(path: Path) -> str:
    """The name of the reader whose format that is; a table of any other is read by its columns."""
    try:
        path.stat()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    held = tables.columns(path)
    for name in plugins.names("readers"):
        recognizes = getattr(load(name), "recognizes", None)
        if recognizes and recognizes(path, held):
            return name
    return ANY
