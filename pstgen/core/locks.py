"""Locks between processes. The system takes a lock back when its process ends, however it ends."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder for the length of the block, against whoever holds it too; it is not waited for.

    Raises BlockingIOError where another process, or another block, has it, FileNotFoundError where it is gone, OSError where
    it is none, a link, or on a file system without locks.
    """
    if sys.platform == "win32":
        raise OSError(errno.ENOLCK, "a folder cannot be locked here")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(descriptor), os.lstat(folder)):  # removed before it was locked
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
        yield
    finally:
        os.close(descriptor)


def open_lines(file: Path) -> BinaryIO:
    """A file of lines, for reading and for `append`; it is made where it is not there.

    Raises OSError where it is a link, or no regular file: neither is written through.
    """
    if file.is_symlink() or (file.exists() and not file.is_file()):
        raise OSError(errno.EINVAL, "is a link or no regular file", str(file))
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    return os.fdopen(descriptor, "a+b")


@contextmanager
def locked(file: BinaryIO) -> Iterator[None]:
    """Hold an open file for the length of the block; another process that has it is waited for."""
    if sys.platform == "win32":
        yield
        return
    with suppress(OSError):  # a file system without locks
        fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)


def append(file: BinaryIO, lines: bytes) -> None:
    """Add whole lines to what `open_lines` opened, whoever else does; half a line that a killed process left is cut off."""
    with locked(file):
        end = file.seek(0, os.SEEK_END)
        if end and (file.seek(end - 1), file.read(1))[1] != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
        file.write(lines)
        file.flush()
