"""What `pstgen build --dry-run` prints: what a build would do, and what it would cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pstgen.cli.console import Console, empty_table, styled
from pstgen.cli.tables import duration

if TYPE_CHECKING:
    from pstgen.evaluation.dry_run.build_cost import Row

BASIS = (
    "Measured in builds by text baselines and by the models that come with pstgen, on two cores; another model may be misled more "
    "often or less, and what it is asked at most is the second column. FLOPs are two for each parameter and token, and of the "
    "encoder for each patch, without attention. Left out: opening and checking models, and what they associate (a few hundred "
    "short texts)."
)
ELSEWHERE = frozenset({"notes", "cost"})  # what is in the plan and not in the first table


def show(plan: Mapping[str, Any]) -> None:
    """A line for each setting, then a line for each figure."""
    table = empty_table("setting", "a build would", title="nothing was written", gap=1)
    for name, value in plan.items():
        if name not in ELSEWHERE:
            table.add_row(name, _setting(value))
    Console().print(table)
    _costs(plan["cost"])


def _setting(value: Any) -> str:
    if isinstance(value, (list, dict)):
        return ", ".join(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _costs(rows: Sequence[Row]) -> None:
    table = empty_table("it would cost", "expected", "at most", "where the figure is from", gap=1)
    table.columns[0].no_wrap = True
    for column in table.columns[1:3]:
        column.justify, column.no_wrap = "right", True
    for part, own in groupby(rows, key=lambda row: row.part):
        table.add_row(styled((part, "dim")))
        for row in own:
            number: Any = row.number
            expected, most = getattr(number, "expected", number), getattr(number, "most", None)
            table.add_row(f" {row.name}", figure(expected, row.unit), figure(most, row.unit), row.basis)
    Console().print(table)
    Console().print(BASIS)


def figure(number: float | None, unit: str) -> str:
    """In the unit that fits.

    >>> figure(None, ""), figure(12345.6, ""), figure(3.2e18, ""), figure(2.5e6, "bytes"), figure(7200, "s"), figure(1.234, "")
    ('', '12,346', '3.2e+18', '2.5 MB', '2.0 h', '1.23')
    """
    if number is None:
        return ""
    if unit == "s":
        return duration(number)
    if unit == "money":
        return f"{number:,.2f}"
    if unit == "bytes":
        return f"{number / 1e9:,.1f} GB" if number >= 1e9 else f"{number / 1e6:,.1f} MB"
    if number >= 1e11:
        return f"{number:.3g}"
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.3g}"
