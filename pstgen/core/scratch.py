"""Drafts: temporary folders that vanish with the process that made them, however it ends, and files that are written in one."""

import atexit
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, cast

from pstgen.core import locks
from pstgen.core.records import Unavailable

RANDOM = r"[a-z0-9_]{8}"  # what a new folder's name ends in
WATCH = """
import os, shutil, sys
for path in sys.stdin.buffer.read().split(b"\\0"):  # the input ends when the watched process does
    try:
        if path[:1] == b"a":  # all of it
            shutil.rmtree(path[1:])
        elif path:
            os.rmdir(path[1:])
    except OSError:
        pass
"""


@contextmanager
def folder(prefix: str, inside: Path | None = None) -> Iterator[Path]:
    """Yield a new folder, in `inside` or where the system keeps temporary files; nobody can foresee its name.

    It is removed at the end of the block, and also where the process is killed. What earlier processes left in `inside` under
    that prefix, killed together with their watchers, is removed first. Raises OSError where it cannot be made.
    """
    if inside:
        sweep(prefix, inside)
    with ExitStack() as stack:
        temporary = _new(prefix, inside, stack)
        try:
            watch(temporary)
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def put(file: Path, code: bytes) -> None:
    """Write a file of a folder that is there, whole or not at all. A link in its place is replaced, and not followed.

    Raises Unavailable where it cannot be written.
    """
    try:
        with folder(".draft-", file.absolute().parent) as place:
            (place / file.name).write_bytes(code)
            (place / file.name).replace(file)
    except OSError as error:
        raise Unavailable(f"{file}: cannot be written: {error.strerror}") from error


def sweep(prefix: str, inside: Path) -> None:
    """Remove the folders of that prefix that no process holds any more."""
    for path in inside.iterdir():
        if re.fullmatch(re.escape(prefix) + RANDOM, path.name):
            with suppress(OSError), locks.held(path):
                shutil.rmtree(path, ignore_errors=True)


def watch(path: Path, *, empty: bool = False) -> None:
    """Let a folder vanish with this process, with all that it holds, or only if it is `empty` then."""
    with suppress(OSError):  # without a watcher, only a killed process leaves its folder behind
        _watcher().write((b"e" if empty else b"a") + bytes(path) + b"\0")
        _watcher().flush()


def _new(prefix: str, inside: Path | None, stack: ExitStack) -> Path:
    """A folder that this process holds until the stack closes."""
    while True:
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=inside)).absolute()
        try:
            stack.enter_context(locks.held(made))
        except (BlockingIOError, FileNotFoundError):  # it was swept before it was held
            continue
        except OSError:  # a file system without locks, where nothing is swept
            pass
        return made


@cache
def _watcher() -> IO[bytes]:
    """The input of a small process in a session of its own, which outlives this one just long enough to tidy up."""
    watcher = subprocess.Popen(  # noqa: S603 (our own program, run by our own interpreter)
        [sys.executable, "-I", "-S", "-c", WATCH],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    atexit.register(watcher.communicate)
    return cast("IO[bytes]", watcher.stdin)
