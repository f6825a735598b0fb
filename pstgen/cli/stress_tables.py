"""What `pstgen eval` and `pstgen leaderboard` print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pstgen.cli.console import Console, empty_table, styled

if TYPE_CHECKING:
    from pstgen.evaluation.grounding import GroundedGroup, GroundingResult
    from pstgen.evaluation.mini import Mini
    from pstgen.evaluation.stress_comparison import Comparison
    from pstgen.evaluation.stress_result import Figure, Group, StressResult

SHOWN = ("words", "all", "family", "direction")  # kinds of groups that the table has; --json and --out have all
NARROW = {"neutral": "neutral words", "expected, absent": "lure is yes", "unexpected, present": "lure is no"}
HEADS = {"stress": "\nstress", "control": "con-\ntrol", "lure_rate": "\nlured"}
BLIND = {"blind/stress": "blind\nstress", "blind/control": "con-\ntrol"}  # pairs it wins none: its words are the twins'


def result(found: StressResult) -> None:
    """One line a part of the set, neutral words first; then what it means, in a sentence."""
    from pstgen.evaluation import stress_summary

    blind = any(name in group.figures for group in found.groups for name in BLIND)
    heads = {**HEADS, **(BLIND if blind else {})}
    rows = [(group.kind, _cells(group, list(heads))) for group in found.groups]
    _print(f"{found.model}, in %", ("pairs", "won", "95% CI", "coin", *heads.values()), rows)
    for line in stress_summary.lines(found):
        Console().print(line)


def grounding(found: GroundingResult) -> None:
    """The same of places: pairs that are grounded, beside what answers reach that look at nothing."""
    from pstgen.evaluation import stress_summary

    ways = list(found.whole.chance)
    heads = [way.replace(" ", "\n") for way in ways]
    iou = ("mean\nIoU",) if found.whole.iou else ()
    rows = [(group.kind, _grounded_cells(group, ways)) for group in found.groups]
    title = f"{found.model}, where it sees the answer ({found.place}), in %"
    _print(title, ("pairs", "grounded", "95% CI", *heads, "items\nright", *iou, "\ninvalid"), rows)
    for line in stress_summary.grounded_lines(found):
        Console().print(line)


def _grounded_cells(group: GroundedGroup, ways: Sequence[str]) -> list[str]:
    pairs = group.pairs
    return [
        NARROW.get(group.name, group.name),
        f"{pairs.n:,}",
        _percent(pairs),
        f"{100 * pairs.low:.0f}-{100 * pairs.high:.0f}",
        *(f"{100 * group.chance[way].pairs:.1f}" for way in ways),
        _percent(group.items, 0),
        *((f"{100 * group.iou.mean:.0f}",) if group.iou else ()),
        _percent(group.invalid, 0),
    ]


def _print(title: str, heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> None:
    """A table of a result's groups, those of one kind together. rows: kind and cells."""
    table = empty_table("", *heads, gap=1)
    for column in table.columns:
        column.vertical, column.no_wrap = "bottom", True
    for column in table.columns[1:]:
        column.justify = "right"
    kind = ""
    for of, cells in sorted((row for row in rows if row[0] in SHOWN), key=lambda row: SHOWN.index(row[0])):
        if kind and of not in {kind, "all"}:
            table.add_section()
        kind = of
        table.add_row(*cells)
    console = Console()
    console.print(styled((title, "bold")))
    console.print(table)


def _cells(group: Group, names: Sequence[str]) -> list[str]:
    pairs = group.figures["pairs"]
    name = NARROW.get(group.name, group.name)
    coin = f"{100 * group.coin:.0f}"
    return [
        name,
        f"{pairs.n:,}",
        _percent(pairs),
        f"{100 * pairs.low:.0f}-{100 * pairs.high:.0f}",
        coin,
        *(_percent(group.figures.get(name), 0) for name in names),
    ]


def _percent(figure: Figure | None, digits: int = 1) -> str:
    return f"{100 * figure.share:.{digits}f}" if figure else "-"


def comparison(first: str, second: str, found: Comparison) -> None:
    """The difference of two models in a few lines."""
    console = Console()
    console.print(
        f"{first} wins {found.first:.1%} and {second} {found.second:.1%} of {found.pairs:,} pairs: "
        f"a difference of {100 * (found.first - found.second):+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    )
    console.print(
        f"{found.only_first:,} pairs are won by {first} alone, {found.only_second:,} by {second} alone; "
        f"McNemar's exact test: p = {found.p:.2g}"
    )


def ranking(ranked: Sequence[StressResult]) -> None:
    """A line a model, the best first."""
    table = empty_table(
        "model",
        "pairs",
        "pairs\nwon",
        "95% CI",
        "neutral\nwords",
        "misleading\nwords",
        "\nlured",
        "blind\nlured",
        gap=1,
    )
    table.columns[0].overflow = "fold"  # a long name is shown whole
    for column in table.columns[1:]:
        column.justify, column.no_wrap, column.vertical = "right", True, "bottom"
    for found in ranked:
        whole = found.whole.figures
        parts = [
            part.figures["pairs"] if (part := found.part("words", name)) else None for name in ("neutral", "misleading")
        ]
        pairs = whole["pairs"]
        table.add_row(
            found.model, f"{pairs.n:,}", _percent(pairs), f"{100 * pairs.low:.0f}-{100 * pairs.high:.0f}",
            *map(_percent, parts), _percent(whole.get("lure_rate")), _percent(whole.get("blind/lure_rate")),
        )  # fmt: skip
    Console().print(table)


def mini(found: Mini) -> None:
    """What each model wins of the mini and of the whole, and how sure a share of the mini is."""
    console = Console()
    if found.shares:
        table = empty_table("model", "whole", "mini", "standard\nerror", gap=1)
        table.columns[0].overflow = "fold"
        for column in table.columns[1:]:
            column.justify, column.no_wrap, column.vertical = "right", True, "bottom"
        for given in found.shares:
            table.add_row(given.model, *(f"{100 * x:.1f}" for x in (given.whole, given.mini, given.standard_error)))
        console.print(styled(("pairs won, in %", "bold")))
        console.print(table)
        swapped = f"{found.swapped:,} of their pairs change places" if found.swapped else "their order is kept"
        console.print(
            f"The largest difference is {100 * found.largest_difference:.1f} points, and {swapped}. What tells models apart "
            "also draws their shares apart: compare a share of the mini with shares of the mini alone."
        )
    how = "that tell these models apart best" if found.by == "results" else "drawn; three results would choose them"
    console.print(
        f"{len(found.pairs):,} of {found.whole:,} pairs, {how}. The standard error of a share of them is at most "
        f"{100 * found.standard_error:.1f} points."
    )
