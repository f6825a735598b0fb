"""What the commands have in common: names of plug-ins, numbers within bounds, examples, options about output."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
from click.shell_completion import CompletionItem
from msgspec.inspect import IntType

from pstgen.cli import progress
from pstgen.cli.exits import ENVIRONMENT, stop
from pstgen.cli.terminal import echo, visible, visible_json
from pstgen.core import bounds, plugins

SETTINGS = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="YAML file of settings (names: --print-config) or a manifest.json; options overrule it.",
)
RESUME = click.option(
    "--resume",
    type=click.Choice(("auto", "always", "never")),
    help="Of models' kept verdicts: auto takes those there are; never asks all anew and replaces them; "
    "always is an error unless a run with these settings and models left some.  [default: auto]",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of tables.")

SPLITS = ("val2017", "train2017")  # of COCO
LICENCES = ("cc-by", "cc-by-sa", "cc-by-nd", "cc-by-nc", "cc-by-nc-sa", "cc-by-nc-nd", "cc0", "public-domain")
BASES = ("coco-2014", "world", "none")  # of priors


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
        """Take a name that there is; a hyphen is an underscore."""
        name = value.replace("-", "_")
        if name not in self.known():
            self.fail(f"no {value!r}; there are: {', '.join(self.known())}", param, ctx)
        return name


class Device(Completed):
    """A kind of device to compute on."""

    name = "device"

    def __init__(self) -> None:
        super().__init__(lambda: ("auto", "cpu", "cuda", "mps"))

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take a kind that there is; whether this machine has one is seen when it is used."""
        try:
            return bounds.known_device(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def number(settings: type[msgspec.Struct], name: str) -> click.ParamType:  # type: ignore[type-arg]
    """A number within the bounds that this setting has."""
    bound = bounds.numbers(settings)[name]
    kind: Any = click.IntRange if isinstance(bound, IntType) else click.FloatRange
    low, high = (bound.gt if bound.ge is None else bound.ge), (bound.lt if bound.le is None else bound.le)
    within: click.ParamType = kind(low, high, min_open=bound.ge is None, max_open=bound.le is None)  # type: ignore[type-arg]
    return within


@contextmanager
def if_interrupted(became: str) -> Iterator[None]:
    """Say what becomes of the work of this block if it is interrupted, unless something inside it said so."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if not getattr(stop, "__notes__", ()):
            stop.add_note(became)
        raise


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
        stop(f"{file}: cannot be written: {error.strerror}", ENVIRONMENT)
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
        echo(line, err=True)


def emit(result: object) -> None:
    """Print a result as JSON, which is UTF-8 whatever the stream is."""
    text = msgspec.json.format(msgspec.json.encode(result, enc_hook=lambda value: visible(str(value))))
    click.echo(visible_json(text.decode()).encode())
