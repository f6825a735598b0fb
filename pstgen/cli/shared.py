"""What the commands have in common: names of plug-ins, errors in one line, examples, options about output."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import click
from click.shell_completion import CompletionItem

from pstgen.cli import progress
from pstgen.core import plugins
from pstgen.core.records import BadInput, Unavailable

NOT_SOUND, USAGE, ENVIRONMENT, INTERRUPTED, TERMINATED = 1, 2, 3, 130, 143
SETTINGS = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="YAML file of settings (names: --print-config) or a manifest.json; options overrule it.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of tables.")

SPLITS = ("val2017", "train2017")  # of COCO
BASES = ("coco-2014", "world", "none")  # of priors

P = ParamSpec("P")
T = TypeVar("T")


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM)."""


class Completed(click.ParamType):  # type: ignore[type-arg]
    """Any text, of which some is known and can be completed."""

    name = "text"

    def __init__(self, known: Callable[[], tuple[str, ...]]) -> None:
        self.known = known

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """What begins so; of a list parted by commas, its last word."""
        before, comma, last = incomplete.rpartition(",")
        return [CompletionItem(f"{before}{comma}{name}") for name in self.known() if name.startswith(last)]


class Names(Completed):
    """A plug-in's name; the folder is read only when `--help` or a value asks for it."""

    name = "name"

    def __init__(self, folder: str) -> None:
        super().__init__(lambda: plugins.names(folder))

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002
        """Every name there is."""
        return "[" + "|".join(self.known()) + "]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take a name that there is."""
        if value not in self.known():
            self.fail(f"no {value!r}; there are: {', '.join(self.known())}", param, ctx)
        return value


def plainly(command: Callable[P, T]) -> Callable[P, T]:
    """Turn a user's mistake (exit 2) and a failing environment (exit 3) into one line each."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with _termination():
                return command(*args, **kwargs)
        except BadInput as error:
            _stop(str(error), USAGE)
        except Unavailable as error:
            _stop(str(error), ENVIRONMENT)
        except KeyboardInterrupt as stop:
            ended = isinstance(stop, Terminated)
            became = "; ".join(getattr(stop, "__notes__", ["the same command begins anew"]))
            _stop(f"{'terminated' if ended else 'interrupted'}: {became}", TERMINATED if ended else INTERRUPTED)

    return wrapped


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


@contextmanager
def if_interrupted(became: str) -> Iterator[None]:
    """Say what becomes of the work of this block if it is interrupted, unless something inside it said so."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if not getattr(stop, "__notes__", ()):
            stop.add_note(became)
        raise


def _stop(line: str, code: int) -> NoReturn:
    click.echo(f"pstgen: {line}", err=True)
    sys.exit(code)


class Examples(click.Command):
    """A command whose help ends with examples, as they are typed, and that can be told to say more or less."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(
                ["-q", "--quiet"], is_flag=True, expose_value=False, callback=_keep, help="No progress, no notes."
            ),
            click.Option(["-v", "--verbose"], is_flag=True, expose_value=False, callback=_keep, help="Say more."),
            click.Option(
                ["--log"],
                type=click.Path(path_type=Path),
                expose_value=False,
                callback=_log,
                help="Write what happens to this file too.",
            ),
        ]

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002 (all of it; they are short)
        """The line beside the command's name."""
        return self.short_help or super().get_short_help_str(100)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Keep the lines as they are."""
        if self.epilog:
            formatter.write("\nExamples:\n" + "".join(f"  {line}\n" for line in self.epilog.splitlines()))


def _keep(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: FBT001 (click's callback)
    ctx.meta[f"pstgen.{param.name}"] = value


def _log(ctx: click.Context, _param: click.Parameter, file: Path | None) -> None:
    """Log to a file from now on, until the command ends."""
    if file is None:
        return
    try:
        handler = logging.FileHandler(file, encoding="utf-8")
    except OSError as error:
        _stop(f"{file}: cannot be written: {error.strerror}", ENVIRONMENT)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log = logging.getLogger("pstgen")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.info("pstgen %s", " ".join(sys.argv[1:]))
    ctx.call_on_close(lambda: log.removeHandler(handler))
    ctx.call_on_close(handler.close)


def meta(name: str) -> bool:
    """Was this flag about output, `quiet` or `verbose`, given?"""
    ctx = click.get_current_context(silent=True)
    return bool(ctx and ctx.meta.get(f"pstgen.{name}"))


@contextmanager
def tracking() -> Iterator[progress.Display]:
    """Give what shows progress, for as long as the block."""
    with progress.shown(quiet=meta("quiet"), verbose=meta("verbose")) as display:
        yield display


def say(line: str) -> None:
    """Print a line about what was done, on stderr, unless the user wants none."""
    if not meta("quiet"):
        click.echo(line, err=True)


def emit(result: object) -> None:
    """Print a result as JSON, which is UTF-8 whatever the stream is."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(result, enc_hook=str)))
