"""What the commands have in common: names of plug-ins, errors in one line, examples, bars."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import click

from pstgen import plugins
from pstgen.records import BadInput, Unavailable

NOT_SOUND, USAGE, ENVIRONMENT = 1, 2, 3
SETTINGS = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="YAML file of settings, named as in pstgen/config.py; options overrule it.",
)

P = ParamSpec("P")
T = TypeVar("T")


class Names(click.ParamType):  # type: ignore[type-arg]
    """A plug-in's name; the folder is read only when `--help` or a value asks for it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.name = "name"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002
        """Every name there is."""
        return "[" + "|".join(plugins.names(self.folder)) + "]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take a name that there is."""
        if value not in plugins.names(self.folder):
            self.fail(f"no {value!r}; there are: {', '.join(plugins.names(self.folder))}", param, ctx)
        return value


def plainly(command: Callable[P, T]) -> Callable[P, T]:
    """Turn a user's mistake (exit 2) and a failing environment (exit 3) into one line each."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except BadInput as error:
            _stop(str(error), USAGE)
        except Unavailable as error:
            _stop(str(error), ENVIRONMENT)
        except KeyboardInterrupt:
            _stop(
                "interrupted; audit, eye train and fetch go on if called again, train-eval with --resume; others begin anew",
                130,
            )

    return wrapped


def _stop(line: str, code: int) -> NoReturn:
    click.echo(f"pstgen: {line}", err=True)
    sys.exit(code)


class Examples(click.Command):
    """A command whose help ends with examples, as they are typed."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Keep the lines as they are."""
        if self.epilog:
            formatter.write("\nExamples:\n" + "".join(f"  {line}\n" for line in self.epilog.splitlines()))


def bar(of: str = "things") -> Any:
    """Give a progress bar on stderr; of a download it counts bytes."""
    from rich import progress
    from rich.console import Console

    amount = progress.DownloadColumn() if of == "download" else progress.MofNCompleteColumn()
    columns = progress.TextColumn("{task.description:<24}"), progress.BarColumn(), amount, progress.TimeElapsedColumn()
    return progress.Progress(*columns, console=Console(stderr=True))


class Bars:
    """Bars of things as they pass; what comes again goes on in its own bar."""

    def __init__(self, shown: Any) -> None:
        self.shown, self.tasks = shown, dict[str, Any]()

    def __call__(self, things: Iterable[T], what: str, total: int | None = None, /) -> Iterator[T]:
        """Pass `things` through and show how far it is."""
        if what in self.tasks:
            task = self.tasks[what]
            self.shown.update(task, total=(self.shown.tasks[task].total or 0) + (total or 0))
        else:
            self.tasks[what] = self.shown.add_task(what, total=total)
        for thing in things:
            yield thing
            self.shown.advance(self.tasks[what])

    def reach(self, what: str, done: int, total: int, /) -> None:
        """Show how far something is that runs elsewhere."""
        if what not in self.tasks:
            self.tasks[what] = self.shown.add_task(what, total=total)
        self.shown.update(self.tasks[what], completed=done)


@contextmanager
def tracking() -> Iterator[Bars]:
    """Give bars that are there for as long as the block."""
    with bar() as shown:
        yield Bars(shown)
