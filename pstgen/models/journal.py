"""Verdicts of models, kept in the user's cache, so that asking again needs no model: one file for all judges and processes.

A verdict is found by the judge, its revision and a key, a hash of all that it depends on. What failed is noted with the
reason, and asked again by the next run. SQLite's format is documented at sqlite.org/fileformat2.html.
"""

import logging
import sqlite3
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self, TypeVar

from more_itertools import batched

from pstgen.models import journal_file, resume

LOG = logging.getLogger("pstgen")
T = TypeVar("T")
KEYS = 500  # that are looked up by one statement
RECENT = 3600.0  # seconds within which a judge's use is not noted again
JUDGE = "(SELECT id FROM judges WHERE name = ? AND revision = ?)"

Logprobs = tuple[float, ...]  # of every option, nats; () where the answer was invalid
Name = tuple[str, str]  # of a judge, and its revision


class Journal:
    """What one judge at one revision said. Where the cache cannot be written, the run goes on without a file.

    file: the journal's, or None for the one in the user's cache.
    """

    def __init__(self, judge: str, revision: str, file: Path | None = None) -> None:
        self.name: Name = (judge, revision)
        self.file = file or journal_file.path()
        self._connection = self._opened()
        self._do(self._note_use)

    def known(self, keys: Sequence[str]) -> dict[str, Logprobs]:
        """The verdicts there are, by key; under `--resume never` only those of this run."""
        return self._do(lambda connection: dict(_found(connection, self.name, keys)))

    def keep(self, verdicts: Mapping[str, Logprobs], failed: Mapping[str, tuple[str, str]] | None = None) -> None:
        """Add verdicts, in the place of older ones, and what failed: by key, the question and the reason. All of it, or nothing."""
        if verdicts or failed:
            self._do(lambda connection: _keep(connection, self.name, verdicts, failed or {}))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> sqlite3.Connection:
        try:
            return journal_file.open(self.file)
        except (OSError, sqlite3.Error) as error:
            LOG.info("no journal at %s: %s", self.file, error)
            return journal_file.in_memory()

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do it once more with the file opened anew, healed if it was damaged; if that does not help, without a file."""
        for _ in range(2):
            try:
                return work(self._connection)
            except sqlite3.Error as error:
                self._connection.close()
                self._recover(error)
        self._connection = journal_file.in_memory()
        return work(self._connection)

    def _recover(self, error: sqlite3.Error) -> None:
        try:
            if journal_file.is_damage(error):
                journal_file.heal(self.file)
            else:
                LOG.warning("%s: %s", self.file, error)
            self._connection = journal_file.open(self.file)
        except (OSError, sqlite3.Error) as failure:
            LOG.warning("%s: %s; this run goes on without it", self.file, failure)
            self._connection = journal_file.in_memory()

    def _note_use(self, connection: sqlite3.Connection) -> None:
        now = time.time()
        row = connection.execute("SELECT used FROM judges WHERE name = ? AND revision = ?", self.name).fetchone()
        if row is None or row[0] < now - RECENT:
            _register(connection, self.name, now)


def _found(connection: sqlite3.Connection, name: Name, keys: Sequence[str]) -> Iterable[tuple[str, Logprobs]]:
    for some in batched(dict.fromkeys(keys), KEYS):
        marks = ", ".join("?" * len(some))
        rows = connection.execute(
            f"SELECT key, logprobs FROM verdicts WHERE judge = {JUDGE} AND at >= ? AND key IN ({marks})",  # noqa: S608 (marks alone)
            (*name, resume.RUN.began, *some),
        )
        for key, packed in rows:
            if len(packed) % 8 == 0:
                yield key, struct.unpack(f"<{len(packed) // 8}d", packed)


def _keep(
    connection: sqlite3.Connection,
    name: Name,
    verdicts: Mapping[str, Logprobs],
    failed: Mapping[str, tuple[str, str]],
) -> None:
    now = time.time()
    with _together(connection):
        judge = _register(connection, name, now)
        rows = [(judge, key, struct.pack(f"<{len(of)}d", *of), now) for key, of in verdicts.items()]
        connection.executemany("REPLACE INTO verdicts VALUES (?, ?, ?, ?)", rows)
        connection.executemany("DELETE FROM failures WHERE judge = ? AND key = ?", [row[:2] for row in rows])
        lines = [(judge, key, *why, now) for key, why in failed.items()]
        connection.executemany("REPLACE INTO failures VALUES (?, ?, ?, ?, ?)", lines)
        resume.note(connection, now)


@contextmanager
def _together(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction, which waits for its turn to write before it begins; taken back where the block raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _register(connection: sqlite3.Connection, name: Name, now: float) -> int:
    """The judge's number; its use is noted."""
    found: tuple[int] = connection.execute(
        "INSERT INTO judges (name, revision, used) VALUES (?, ?, ?) "
        "ON CONFLICT (name, revision) DO UPDATE SET used = excluded.used RETURNING id",
        (*name, now),
    ).fetchone()
    return found[0]
