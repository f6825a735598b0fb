"""The commands: they parse, call one function, and print."""

import io
import sys
from typing import Any

import click

from pstgen.cli import build, check, data, learn
from pstgen.core import __version__

COMMANDS = (
    build.build,
    build.inspect,
    build.priors,
    check.verify,
    check.attack,
    check.audit,
    data.show,
    data.export,
    data.fetch,
    data.world,
    learn.eye,
    learn.train_eval,
)


class Commands(click.Group):
    """The commands. What a stream cannot show, one that is not UTF-8, is replaced in it: no character ends a command."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run one of them."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        return super().main(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order in which they are used."""
        return list(self.commands)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="pstgen")
def main() -> None:
    """Build, verify and learn from Perception Stress Tests: does a model see, or does it guess?

    \b
    Exit codes: 0 done (of verify: sound), 1 not sound, 2 usage, 3 environment,
    130 interrupted, 143 terminated.
    Drawings, downloads and models' verdicts are cached in the user's cache
    folder ($XDG_CACHE_HOME). NO_COLOR=1: no colours.
    Completion (bash, zsh, fish):
      eval "$(_PSTGEN_COMPLETE=bash_source pstgen)"
    """  # noqa: D301 (click keeps the lines after a backspace)


for command in COMMANDS:
    main.add_command(command)
