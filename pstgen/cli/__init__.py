"""The commands: they parse, call one function, and print."""

from typing import Any

import click

from pstgen.cli import build, check, data, evaluate, journal, learn, publish, versions
from pstgen.cli.exits import CODES, plainly
from pstgen.cli.terminal import prepare_streams
from pstgen.core import __version__

COMMANDS = (
    build.build,
    build.merge,
    build.inspect,
    build.priors,
    check.verify,
    check.attack,
    evaluate.evaluate,
    evaluate.leaderboard,
    evaluate.mini,
    check.audit,
    data.show,
    data.gallery,
    data.export,
    versions.diff,
    publish.publish,
    journal.journal,
    data.fetch,
    data.world,
    learn.eye,
    learn.train_eval,
)


class Commands(click.Group):
    """The commands. However one of them ends, it ends with an exit code of its own and, at most, one line about it."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run one of them."""
        prepare_streams()
        return super().main(*args, **kwargs)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read what stands before the command's name."""
        with plainly():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Read what was told to the command, and run it."""
        with plainly():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """In the order in which they are used."""
        return list(self.commands)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help=f"""Build, verify and learn from Perception Stress Tests: does a model see, or does it guess?

    \b
    Exit codes: {CODES}.
    Drawings, downloads and models' verdicts are cached in the user's cache
    folder ($XDG_CACHE_HOME). NO_COLOR=1: no colours.
    Completion (bash, zsh, fish):
      eval "$(_PSTGEN_COMPLETE=bash_source pstgen)"
    """,
)
@click.version_option(__version__, prog_name="pstgen")
def main() -> None:
    """Run the command that was named."""


for command in COMMANDS:
    main.add_command(command)
