"""Temporary folders that vanish with the process that made them, however it ends: a watcher removes what a killed one leaves."""

import atexit
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, cast

WATCH = """
import shutil, sys
for path in sys.stdin.buffer.read().split(b"\\0"):  # the input ends when the watched process does
    if path:
        shutil.rmtree(path, ignore_errors=True)
"""


@contextmanager
def folder(prefix: str, inside: Path | None = None) -> Iterator[Path]:
    """Yield a new folder, in `inside` or where the system keeps temporary files.

    It is removed at the end of the block, and also where the process is killed. Raises OSError where it cannot be made.
    """
    temporary = Path(tempfile.mkdtemp(prefix=prefix, dir=inside)).absolute()
    try:
        with suppress(OSError):  # without a watcher, only a killed process leaves its folder behind
            _watcher().write(bytes(temporary) + b"\0")
            _watcher().flush()
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


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
