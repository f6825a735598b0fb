"""Folders that are written whole or not at all."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pstgen.core import locks, scratch
from pstgen.core.records import BadInput, Unavailable

FULL = {errno.ENOSPC, errno.EDQUOT}
MISTAKEN = {errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP, errno.EINVAL}  # of a name that can be no folder's
MOUNTED = {errno.EXDEV, errno.EBUSY}  # a mount point keeps its place
TAKEN = {errno.ENOTEMPTY, errno.EEXIST}
LAST = "manifest.json"  # without it there is no dataset


@contextmanager
def create(out: Path) -> Iterator[Path]:
    """Yield a temporary folder that takes the place of `out` at a clean end and leaves nothing otherwise.

    It lies beside `out`, or inside where that is a mount point. From the beginning `out` is there, empty, and held against
    other processes. Raises BadInput where it is taken or can be no folder, Unavailable where there is no room or no right
    to write.
    """
    refuse_taken(out)
    out = out.absolute()
    with ExitStack() as stack:
        try:
            stack.enter_context(_claimed(out))
            draft = stack.enter_context(scratch.folder(*_partial(out))) / "draft"
            draft.mkdir()
        except OSError as error:
            raise _refusal(error, out) from error
        try:
            yield draft
            _settle(draft, out)
        except OSError as error:
            if error.errno in FULL:
                raise _full(out) from error
            raise


def refuse_taken(out: Path) -> None:
    """Raise BadInput where `out` is a link, a file, a folder that holds something, or can be no new folder at all."""
    try:
        if out.is_symlink():
            raise BadInput(f"{out}: is a link; name the folder itself as --out, or another one")
        if not out.name or "\0" in str(out):
            raise BadInput(f"{str(out)!r} as --out names no new folder; name one")
        if out.is_mount():
            scratch.sweep(*_partial(out))
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise BadInput(f"{out}: holds something already; name another --out or remove it")
    except OSError as error:
        raise _refusal(error, out) from None


def _partial(out: Path) -> tuple[str, Path]:
    """What the names of drafts begin with, and where they lie: on the file system of `out`."""
    return f".{out.name}.partial-", out if out.is_mount() else out.parent


@contextmanager
def _claimed(out: Path) -> Iterator[None]:
    """Make `out`, and hold it as long as the block lasts; it is removed where it was made and the block fails."""
    with ExitStack() as stack:
        while True:
            made = not out.exists()
            out.mkdir(parents=True, exist_ok=True)
            try:
                stack.enter_context(locks.held(out))
            except BlockingIOError:
                raise BadInput(f"{out}: another process is writing it; name another --out") from None
            except FileNotFoundError:  # that process has just given up
                continue
            except OSError as error:
                if error.errno in MISTAKEN:
                    raise
            break
        refuse_taken(out)  # that process may have just ended
        if made:
            scratch.watch(out, empty=True)
        try:
            yield
        except BaseException:
            if made:
                with suppress(OSError):
                    out.rmdir()
            raise


def _settle(draft: Path, out: Path) -> None:
    """Put the draft where `out` is, at once; on a mount point, one by one."""
    try:
        draft.replace(out)
    except OSError as error:
        if error.errno in TAKEN:
            raise BadInput(f"{out}: holds something by now; name another --out") from None
        if error.errno not in MOUNTED:
            raise
        for path in sorted(draft.iterdir(), key=lambda path: path.name == LAST):
            shutil.move(path, out / path.name)


def _refusal(error: OSError, out: Path) -> BadInput | Unavailable:
    if error.errno in MISTAKEN:
        return BadInput(f"{out}: can be no folder: {error.strerror}; name another --out")
    return _full(out) if error.errno in FULL else Unavailable(f"{out}: cannot be written: {error.strerror}")


def _full(out: Path) -> Unavailable:
    """Of the places that a run writes to, the one with the least room."""
    there = next(place for place in (out, *out.parents) if place.exists())
    free, place = min((shutil.disk_usage(place).free, place) for place in (there, Path(tempfile.gettempdir())))
    return Unavailable(f"{place}: the disk is full ({free / 2**20:,.1f} MiB free); nothing was left")
