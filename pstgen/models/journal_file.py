"""The file that the journal is kept in: SQLite, shared by all processes of one machine; a damaged file is set aside.

Write-ahead logging lets several processes read while another writes, but not over a network (sqlite.org/wal.html: all processes
must be on the same host). A file on a network file system therefore gets SQLite's older rollback journal, which needs locks alone.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import platformdirs

from pstgen.core import file_systems, locks

LOG = logging.getLogger("pstgen")
WAIT = 60.0  # seconds that a process waits for another's write
CHECKPOINT = 16_000  # pages of 4 KiB that the write-ahead log holds before they are moved into the file
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
SCHEMA = """
CREATE TABLE IF NOT EXISTS judges (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, revision TEXT NOT NULL, used REAL NOT NULL,
    UNIQUE (name, revision));
CREATE TABLE IF NOT EXISTS verdicts (
    judge INTEGER NOT NULL, key TEXT NOT NULL, logprobs BLOB NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (judge, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (
    judge INTEGER NOT NULL, key TEXT NOT NULL, question TEXT NOT NULL, reason TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (judge, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (configuration TEXT PRIMARY KEY, settings TEXT NOT NULL, at REAL NOT NULL);
"""


def path() -> Path:
    """The file, in the user's cache; a version of pstgen with other tables takes another name."""
    return Path(platformdirs.user_cache_dir("pstgen")) / "verdicts" / "journal-1.sqlite"


def open(file: Path) -> sqlite3.Connection:  # noqa: A001 (read as journal_file.open)
    """Open the file, or make it; a damaged one is set aside first. Every statement commits by itself, unless BEGIN precedes it.

    Raises OSError or sqlite3.Error where the folder cannot be written, or the file is a link or no regular file.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with _alone(file):
        if file.is_symlink() or (file.exists() and not file.is_file()):
            raise OSError(f"{file}: is a link or no regular file")
        try:
            return _connect(file)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
        _set_aside(file)
        return _connect(file)


def in_memory() -> sqlite3.Connection:
    """An empty journal that ends with the run, for where no file can be written."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.executescript(SCHEMA)
    return connection


def is_damage(error: sqlite3.Error) -> bool:
    """Does SQLite say that the file's content is not what it wrote?"""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED


def heal(file: Path) -> None:
    """Set a file aside in which damage was found, unless another process has done so; raises OSError where that is not possible."""
    with _alone(file):
        with suppress(sqlite3.DatabaseError), closing(_connect(file)) as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",):
                return
        _set_aside(file)


def beside(file: Path) -> list[Path]:
    """The files of a journal: itself and what SQLite keeps beside it."""
    return [path for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm"), Path(f"{file}-journal")) if path.exists()]


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=WAIT, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA journal_mode={'DELETE' if file_systems.is_networked(file.parent) else 'WAL'}")
        connection.execute(
            "PRAGMA synchronous=NORMAL"
        )  # a crash of the machine may lose the last batches, and harms nothing
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT}")
        if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'runs'").fetchone() == (0,):
            connection.executescript(SCHEMA)
        connection.execute("SELECT count(*) FROM judges").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _set_aside(file: Path) -> None:
    moved = f"{file}.damaged-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    for path in beside(file):
        path.rename(moved + str(path).removeprefix(str(file)))
    LOG.warning("%s: is damaged and was set aside as %s; its questions are asked again", file, Path(moved).name)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Only one process opens, makes or sets aside the file at a time."""
    with closing(locks.open_lines(file.with_suffix(".lock"))) as lock, locks.locked(lock):
        yield
