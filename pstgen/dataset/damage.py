"""Sets whose files are damaged, or are other than what pstgen writes: an error that names the set."""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from pstgen.core.records import BadInput

T = TypeVar("T")


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Raise BadInput where the block finds a set's files damaged, or other than what pstgen writes."""
    import pyarrow as pa

    try:
        yield
    except (
        pa.ArrowException,
        msgspec.MsgspecError,
        ValueError,
        TypeError,
        LookupError,
        RecursionError,
        OSError,
    ) as error:
        if isinstance(error, OSError) and error.errno not in {None, errno.ENOENT}:
            raise  # it is the machine's
        said = str(error).partition(". Detail")[0]
        raise BadInput(
            f"{folder}: is damaged, or no set of this format: {said}; pstgen verify {folder} examines it"
        ) from error


def guarded(rows: Iterable[T], folder: Path) -> Iterator[T]:
    """Pass on what is read of a set; only reading is guarded so, not what becomes of the rows. Raises what `readable` does."""
    reading = iter(rows)
    while True:
        with readable(folder):
            try:
                row = next(reading)
            except StopIteration:
                return
        yield row
