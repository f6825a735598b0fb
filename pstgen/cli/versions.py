"""Commands about versions of a set: what changed from one to the next."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pstgen.cli.shared import JSON, Examples, emit
from pstgen.cli.terminal import echo
from pstgen.dataset.damage import readable

if TYPE_CHECKING:
    from pstgen.dataset.difference import Change, Difference

SHOWN = 5  # pairs of each kind that are named


@click.command(
    short_help="Say what changed between two versions of a set.",
    cls=Examples,
    epilog="pstgen diff old/ new/\npstgen diff old/ new/ --json",
)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@JSON
def diff(old: Path, new: Path, *, as_json: bool) -> None:
    """Compare two sets pair by pair: what came, what went, and what is answered otherwise, with the reason.

    Exit code: 0, whether they differ or not.
    """
    from pstgen.dataset import difference, store

    with readable(old):
        first = store.open(old)
    with readable(new):
        found = difference.between(first, store.open(new))
    if as_json:
        emit(found)
    else:
        _print(found)


def _print(found: Difference) -> None:
    for name, (before, after) in found.settings.items():
        echo(f"setting {name}: {before!r}, now {after!r}")
    echo(
        f"{found.same:,} pairs are the same; {len(found.added):,} came, {len(found.removed):,} went, {len(found.changed):,} changed"
    )
    for what, changes in (("came", found.added), ("went", found.removed), ("changed", found.changed)):
        for (family, why), n in sorted(Counter((change.family, change.why) for change in changes).items()):
            echo(f"{what}: {n:,} of {family} ({why}): {_names(changes, family, why)}")


def _names(changes: list[Change], family: str, why: str) -> str:
    names = [change.pair for change in changes if (change.family, change.why) == (family, why)]
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
