"""The command that shows and prunes the models' verdicts in the user's cache."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click
import msgspec

from pstgen.cli.shared import JSON, Examples, emit
from pstgen.cli.terminal import echo
from pstgen.core.records import BadInput

if TYPE_CHECKING:
    from pstgen.models.journal_listing import Held

DAYS = 90.0  # without use, after which --prune alone removes a judge's verdicts
SHOWN = 36  # characters of a revision


@click.command(
    short_help="Show and prune the models' verdicts in the cache.",
    cls=Examples,
    epilog="pstgen journal\npstgen journal --failed\npstgen journal --prune --older 30\npstgen journal --prune --judge vlm",
)
@click.option("--failed", is_flag=True, help="List the questions that failed, with the reasons.")
@click.option("--prune", is_flag=True, help="Remove verdicts, and damaged or older files.")
@click.option(
    "--older", type=click.FloatRange(min=0), help="With --prune: of judges not used for so many days.  [default: 90]"
)
@click.option("--judge", default="", help="With --prune: this one alone, of any age; vlm stands for all its views.")
@JSON
def journal(*, failed: bool, prune: bool, older: float | None, judge: str, as_json: bool) -> None:
    """Show what is kept of models' verdicts: by judge and revision, how many, how many failed, bytes, days since the last use.

    \b
    Runs take verdicts from here (--resume of build and eval). A question that
    failed is asked again by the next run that needs it.
    """  # noqa: D301 (click keeps the lines after a backspace)
    from pstgen.models import journal_listing

    if failed and prune:
        raise BadInput("--failed lists and --prune removes: one at a time")
    if not prune and (judge or older is not None):
        raise BadInput("--older and --judge go with --prune")
    if prune:
        _prune(older, judge, as_json=as_json)
    elif failed:
        _failed(as_json=as_json)
    elif as_json:
        emit({"size": journal_listing.size(), "judges": msgspec.to_builtins(journal_listing.held())})
    else:
        _table(journal_listing.held(), journal_listing.size())


def _table(held: list[Held], size: int) -> None:
    from pstgen.cli.console import Console, empty_table
    from pstgen.models.journal_file import path

    table = empty_table("judge", "revision", "verdicts", "failed", "size", "days", gap=1)
    for column in table.columns[2:]:
        column.justify = "right"
    for row in held:
        days = f"{max(0.0, time.time() - row.used) / 86_400:.0f}"
        counts = (f"{row.verdicts:,}", f"{row.failed:,}", _megabytes(row.size), days)
        table.add_row(row.judge, _short(row.revision), *counts)
    if held:
        Console().print(table)
    echo(f"{path()}: {len(held)} judges, {_megabytes(size)}")


def _failed(*, as_json: bool) -> None:
    from pstgen.models import journal_listing

    rows = journal_listing.failed()
    if as_json:
        emit(msgspec.to_builtins(rows))
        return
    for row in rows:
        echo(f"{row.judge}: {row.question!r}: {row.reason}")
    echo(f"{len(rows):,} questions failed and were not answered since")


def _prune(older: float | None, judge: str, *, as_json: bool) -> None:
    from pstgen.models import journal_listing

    pruned: Any = journal_listing.prune((0.0 if judge else DAYS) if older is None else older, judge)
    if as_json:
        emit(msgspec.to_builtins(pruned))
        return
    later = "" if pruned.reclaimed else "; another run uses the file, which keeps the room for new verdicts"
    echo(f"{pruned.verdicts:,} verdicts of {pruned.judges} judges removed, {pruned.freed:,} bytes freed{later}")


def _short(revision: str) -> str:
    return revision if len(revision) <= SHOWN else f"{revision[: SHOWN - 1]}…"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
