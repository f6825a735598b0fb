"""The judges' table, as `build` and `verify` print it: ordinary questions beside stress twins and pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pstgen.cli.console import Console, empty_table, styled
from pstgen.dataset.judged import widest_gap

if TYPE_CHECKING:
    from pstgen.dataset.judged import Judged

PARTS = ("neutral", "framed", "all")  # pairs in neutral words first: the expectation there is the reader's own


def judges(lines: Sequence[Judged]) -> None:
    """What each judge reaches, those that saw no picture first; then the widest gap, in a sentence.

    Prints nothing where nobody judged.
    """
    if not lines:
        return
    parts = [head for part in PARTS for head in (f"{part}\nstress", "\npairs")]
    heads = ("ordi-\nnary", "\n95% CI", "by\nchance", *parts)
    table = empty_table("judge", *heads, title="judges are right, in %")
    for column in table.columns:
        column.vertical = "bottom"
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for sees in (False, True):
        rows = [line for line in lines if line.sees == sees]
        if sees and rows:
            table.add_row(styled(("seeing", "dim")))
        for line in rows:
            table.add_row(line.judge, *_ordinary(line), *_shares(line))
    console = Console()
    console.print(table)
    if widest := widest_gap(lines):
        console.print(f"{widest}.")


def _shares(line: Judged) -> list[str]:
    parts = [getattr(line, part) for part in PARTS]
    return [_percent(hits.right, hits.of) for part in parts for hits in (part.stress, part.pairs)]


def _ordinary(line: Judged) -> tuple[str, str, str]:
    """Share, bounds and chance of its answers to ordinary questions; "-" where it was asked none."""
    ordinary = line.ordinary
    if ordinary is None:
        return "-", "-", "-"
    bounds = f"{100 * ordinary.low:.1f}-{100 * ordinary.high:.1f}"
    return _percent(ordinary.right, ordinary.of), bounds, _percent(ordinary.by_chance, ordinary.of)


def _percent(part: float, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"
