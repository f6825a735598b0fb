"""How a command ends: its exit code, and one line that says why."""

import errno
import platform
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import click
import platformdirs

from pstgen.cli.terminal import echo, visible, visible_lines
from pstgen.core import __version__
from pstgen.core.records import BadInput, Unavailable

NOT_SOUND, USAGE, ENVIRONMENT, FAULT, INTERRUPTED, TERMINATED = 1, 2, 3, 70, 130, 143
CODES = """0 done (of verify: sound), 1 not sound, 2 wrong use or input,
    3 the machine (disk, network, memory), 70 a fault of ours,
    130 interrupted, 143 terminated"""
FAILINGS = {  # of the machine, wherever they come up
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EPERM", "EMFILE", "ENFILE", "ENOMEM", "EFBIG")
    if hasattr(errno, name)
}
NETWORK = {
    "URLError",
    "HTTPError",
    "RequestException",
}  # of urllib, urllib3, httpx, requests: by name, so that none is imported
MEMORY = {"MemoryError", "OutOfMemoryError"}  # the latter is torch's
PRINTS_HELP = getattr(click.exceptions, "NoArgsIsHelpError", ())


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM)."""


@contextmanager
def plainly() -> Iterator[None]:
    """End the process with a line and an exit code where the block raises: the user's mistake, the machine's failing, or ours."""
    try:
        with _termination():
            yield
    except PRINTS_HELP:
        raise
    except click.UsageError as error:
        command = f"; {error.ctx.command_path} --help says what there is" if error.ctx else ""
        stop(f"{error.format_message().rstrip('.')}{command}", USAGE)
    except (click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except BadInput as error:
        stop(str(error), USAGE)
    except Unavailable as error:
        stop(str(error), ENVIRONMENT)
    except KeyboardInterrupt as interruption:
        ended = isinstance(interruption, Terminated)
        became = "; ".join(getattr(interruption, "__notes__", ["the same command begins anew"]))
        stop(f"{'terminated' if ended else 'interrupted'}: {became}", TERMINATED if ended else INTERRUPTED)
    except Exception as error:  # noqa: BLE001 (the last one: nobody is shown a traceback)
        failing = _failing(error) or (error.__cause__ and _failing(error.__cause__))
        if failing:
            stop(failing, ENVIRONMENT)
        stop(_fault(error), FAULT)


@contextmanager
def _termination() -> Iterator[None]:
    """Let SIGTERM end the command as Ctrl-C does, so that nothing half-made stays."""

    def end(_number: int, _frame: object) -> NoReturn:
        raise Terminated

    try:
        before = signal.signal(signal.SIGTERM, end)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def stop(text: str, code: int) -> NoReturn:
    """End the process with one line on stderr."""
    with suppress(OSError):  # stderr may be on the full disk
        echo(f"pstgen: {_one_line(text)}", err=True)
    sys.exit(code)


def _one_line(text: str) -> str:
    return visible(re.sub(r"\s*\n\s*", " ", text.strip()))


def _failing(error: BaseException) -> str:
    """What failed about the machine, in words; "" where the error is not of that kind."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    said = str(error) or type(error).__name__
    if kinds & MEMORY:
        return f"out of memory: {said}"
    if kinds & NETWORK or isinstance(error, (ConnectionError, TimeoutError)):
        return f"the network failed: {said}"
    if isinstance(error, OSError) and error.errno in FAILINGS:
        return f"{error.filename}: {error.strerror}" if error.filename else f"{error.strerror or said}"
    return ""


def _fault(error: Exception) -> str:
    """Ask for a report, and name the file that holds the traceback."""
    summary = f"a fault of pstgen, not of yours: {type(error).__name__}: {str(error)[:200]}"
    told = "".join(traceback.format_exception(error))
    about = f"pstgen {__version__}, Python {platform.python_version()}, {platform.platform()}\n{sys.argv}\n\n{told}"
    for folder in (None, platformdirs.user_cache_dir("pstgen")):  # None: where the system keeps temporary files
        with suppress(OSError):
            Path(folder or ".").mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", prefix="pstgen-fault-", suffix=".txt", dir=folder, delete=False, encoding="utf-8"
            ) as file:
                file.write(visible_lines(about))
            return f"{summary}; please report it, with {file.name}, which holds the traceback"
    return f"{summary}; please report it (there was no room for a file with the traceback)"
