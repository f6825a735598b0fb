"""Folders and files that are written whole or not at all."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pstgen.core import scratch
from pstgen.core.records import BadInput, Unavailable


@contextmanager
def create(out: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `out` that takes its place at a clean end and leaves nothing otherwise.

    Raises BadInput where `out` holds something, Unavailable where there is no room or no right to write.
    """
    refuse_taken(out)
    out = out.absolute()
    with ExitStack() as stack:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(scratch.folder(f".{out.name}.partial-", out.parent))
        except OSError as error:
            raise Unavailable(f"{out.parent}: cannot be written: {error.strerror}") from error
        try:
            yield folder
            folder.chmod(0o755)
            folder.replace(out)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                free = shutil.disk_usage(out.parent).free / 2**20
                raise Unavailable(f"{out.parent}: the disk is full ({free:,.0f} MiB free); nothing was left") from error
            raise


def refuse_taken(out: Path) -> None:
    """Raise BadInput where `out` holds something."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out}: holds something already; name another --out or remove it")


def put(file: Path, code: bytes) -> None:
    """Write a file of a dataset that is there already, whole or not at all; the draft lies outside of the dataset.

    Raises Unavailable where it cannot be written.
    """
    draft = file.parent.parent / f".{file.parent.name}.{file.name}"
    try:
        draft.write_bytes(code)
        draft.replace(file)
    except OSError as error:
        raise Unavailable(f"{file}: cannot be written: {error.strerror}") from error
