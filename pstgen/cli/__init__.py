"""The commands: they parse, call one function, and print."""

import click

from pstgen import __version__
from pstgen.cli import build, check, learn

COMMANDS = (
    build.build,
    build.priors,
    check.verify,
    check.attack,
    check.audit,
    build.show,
    build.fetch,
    build.world,
    learn.eye,
    learn.train_eval,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="pstgen")
def main() -> None:
    """Build, verify and learn from Perception Stress Tests: does a model see, or does it guess?"""


for command in COMMANDS:
    main.add_command(command)
