"""What the journal holds, judge by judge, and how it is made smaller."""

import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pstgen.core.records import Unavailable
from pstgen.models import journal_file

DAY = 86_400.0  # seconds
OVERHEAD = 12  # bytes of a row beside its content, about
LEFT_BEHIND = re.compile(
    r"[0-9a-f]{32}\.jsonl"
)  # journals as pstgen kept them before, a file a judge: nothing reads them


@dataclass(frozen=True)
class Held:
    """What is held of a judge at a revision. size: bytes, about; used: Unix time of the last use."""

    judge: str
    revision: str
    verdicts: int
    failed: int
    size: int
    used: float


@dataclass(frozen=True)
class Failed:
    """A question without a verdict, which the next run that needs it asks again. at: Unix time."""

    judge: str
    question: str
    reason: str
    at: float


@dataclass(frozen=True)
class Pruned:
    """What was removed: verdicts, judges without any left, and bytes on the disk. reclaimed: was the file made smaller too?"""

    verdicts: int
    judges: int
    freed: int
    reclaimed: bool


def held() -> list[Held]:
    """All judges, the last used first. Raises Unavailable where the journal cannot be read."""
    with _opened() as connection:
        rows = connection.execute(
            "SELECT name, revision, (SELECT count(*) FROM verdicts WHERE judge = id), "
            "(SELECT count(*) FROM failures WHERE judge = id), "
            "(SELECT coalesce(sum(length(key) + length(logprobs) + ?), 0) FROM verdicts WHERE judge = id), used "
            "FROM judges ORDER BY used DESC, name",
            (OVERHEAD,),
        )
        return [Held(*row) for row in rows]


def failed() -> list[Failed]:
    """All questions that failed and have not been answered since, the latest first. Raises Unavailable like `held`."""
    with _opened() as connection:
        rows = connection.execute(
            "SELECT name, question, reason, at FROM failures JOIN judges ON id = judge ORDER BY at DESC, question"
        )
        return [Failed(*row) for row in rows]


def size() -> int:
    """Bytes on the disk, those of older and of damaged files too."""
    return sum(file.stat().st_size for file in [*journal_file.beside(journal_file.path()), *_leftovers()])


def prune(days: float, judge: str = "") -> Pruned:
    """Remove what judges said that were not used for so many days, or one alone, by its name, and files that nothing reads.

    The name before a slash stands for all its views: "vlm" for "vlm/seeing" too. Raises Unavailable where the journal cannot
    be written.
    """
    before = size()
    for file in _leftovers():
        file.unlink(missing_ok=True)
    with _opened() as connection:
        connection.execute("BEGIN IMMEDIATE")
        found = connection.execute(
            "SELECT id, name FROM judges WHERE used <= ?", (time.time() - days * DAY,)
        ).fetchall()
        numbers = [number for number, name in found if judge in {"", name, name.partition("/")[0]}]
        removed = sum(_remove(connection, number) for number in numbers)
        connection.execute("DELETE FROM runs WHERE at <= ?", (time.time() - days * DAY,))
        connection.execute("COMMIT")
        reclaimed = _reclaim(connection)
    return Pruned(removed, len(numbers), max(0, before - size()), reclaimed)


def _remove(connection: sqlite3.Connection, number: int) -> int:
    """Remove a judge; returns how many verdicts it had."""
    connection.execute("DELETE FROM failures WHERE judge = ?", (number,))
    removed = connection.execute("DELETE FROM verdicts WHERE judge = ?", (number,)).rowcount
    connection.execute("DELETE FROM judges WHERE id = ?", (number,))
    return removed


def _reclaim(connection: sqlite3.Connection) -> bool:
    """Give the room back to the disk; False where another process uses the journal, and then the file keeps it for later."""
    try:
        connection.execute("PRAGMA busy_timeout=2000")
        connection.execute("VACUUM")
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError:
        return False
    return not busy


@contextmanager
def _opened() -> Iterator[sqlite3.Connection]:
    file = journal_file.path()
    try:
        with closing(journal_file.open(file) if file.exists() else journal_file.in_memory()) as connection:
            yield connection
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(f"{file}: the journal cannot be used: {error}") from None


def _leftovers() -> Sequence[Path]:
    """Damaged files that were set aside, and the journals of an older pstgen."""
    folder = journal_file.path().parent
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [file for file in files if ".damaged-" in file.name or LEFT_BEHIND.fullmatch(file.name)]
