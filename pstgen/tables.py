"""What the commands print: funnel, priors, pairs, findings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from pstgen import plugins
from pstgen.records import Finding, Report
from pstgen.store import Row, Score

if TYPE_CHECKING:
    from pstgen.evaluate.dry import Cost
    from pstgen.evaluate.results import Results

REACHED = "In %. ms: one answer, median; FLOPs: of training, times the standard system's; p: McNemar against it, of PST pairs."


def stations(counted: Mapping[str, Mapping[str, int]]) -> None:
    """The funnel: how many of each family came to each station."""
    console = Console()
    families = sorted(name for name in set().union(*counted.values()) if name in plugins.names("families"))
    by_family = {station: by for station, by in counted.items() if set(by) & set(families)}
    scenes = (f"{sum(by.values()):,} {station}" for station, by in counted.items() if station not in by_family)
    table = Table("", title=f"funnel: {', '.join(scenes)}", show_footer=True, box=SIMPLE, padding=0, show_edge=False)
    for station, by in by_family.items():
        heading = re.sub(r" |(?<=[/-])", "\n", station)  # a word a line, so that all fit into 80 columns
        table.add_column(heading, f"{sum(by.values()):,}", justify="right", vertical="bottom")
    for family in families:
        table.add_row(family, *(f"{by.get(family, 0):,}" for by in by_family.values()))
    console.print(table)


def funnel(report: Report) -> None:
    """The funnel: what came to each station, what is unknown, which edits and records were refused."""
    console = Console()
    stations(report.stations)
    reasons = Table("family", "why a fact is unknown", "facts", title="unknown, never asked")
    reasons.columns[2].justify = "right"
    for (family, reason), n in sorted(report.refused.facts.items(), key=lambda row: (row[0][0], -row[1])):
        reasons.add_row(family, reason, f"{n:,}")
    console.print(reasons)
    edits = Table("edit", "why it was not made", "times", title="edits that were refused")
    edits.columns[2].justify = "right"
    for (name, reason), n in sorted(report.refused.edits.items(), key=lambda row: (row[0][0], -row[1])):
        edits.add_row(name, reason, f"{n:,}")
    if report.refused.edits:
        console.print(edits)
    for refusal in list(report.refused.records)[:20]:
        console.print(f"left out: {refusal.file}: {refusal.record} {refusal.reason}", highlight=False, markup=False)
    if (more := len(report.refused.records) - 20) > 0:
        console.print(f"(+{more} more left out, all in manifest.json)")


def priors(rows: Iterable[tuple[tuple[str, str, tuple[str, ...]], str, int, int]], most: int) -> None:
    """Of each sentence the answers that are most surely expected, with counts."""
    table = Table("family", "sentence", "of", "one expects", "share", "", "counted", title="the strongest priors")
    shown: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for (family, form, about), answer, n, total in rows:
        bar = "█" * round(20 * n / total)
        shown.setdefault((family, form), []).append(
            (family, form, ", ".join(about), answer, f"{n / total:.0%}", bar, f"{n:,} of {total:,}")
        )
    for key in sorted(shown):
        for row in shown[key][:most]:
            table.add_row(*row)
        table.add_section()
    Console().print(table)


def pair(twins: Sequence[Row], said: Iterable[Score]) -> None:
    """One pair: question, answers, chains, and what every judge said."""
    console = Console(highlight=False)
    first = twins[0].item
    console.print(f"\n[bold]{first.question}[/bold]  {' / '.join(first.options)}")
    console.print(f"  {first.pair_id}, {first.frame}, {first.twin}; the words suggest [red]{first.lure}[/red]")
    for row in twins:
        console.print(f"  {row.item.role:<8} [green]{row.item.answer:<8}[/green] {row.item.scene_id}")
        console.print(f"           {row.chain}", style="dim", markup=False)
    order = {row.item.item_id: n for n, row in enumerate(twins)}
    by_judge: dict[str, list[str]] = {}
    for score in sorted(said, key=lambda score: (score.judge, order.get(score.item_id, -1))):
        by_judge.setdefault(score.judge, []).append(score.choice)
    for judge, choices in by_judge.items():
        console.print(f"  {judge:<16} {' and '.join(choices)}", style="dim")


def attacks(figures: Mapping[str, float], seconds: Mapping[str, float] | None = None) -> None:
    """What each attacker reached, pairs first, beside chance and the ceiling of words. figures: those of `attack.figures`.

    Where there are no pairs, items come first.
    """
    names = [name.removesuffix("/items") for name in figures if name.endswith("/items")]
    if not names:
        return
    first = {name.partition("/")[2]: told for name, told in figures.items() if name.startswith(f"{names[0]}/")}
    paired, roles = first["ceiling"] < 1, [what for what in ("stress", "control") if what in first]
    heads = [*["pairs", "≤"] * paired, "items", "95 %", "bootstrap", *roles, *["s"] * bool(seconds)]
    table = Table("attacker", *heads, title="by words alone, in %", box=SIMPLE, padding=(0, 0, 0, 1))
    for column in table.columns[1:]:
        column.justify = "right"
    for name in names:
        cells = [_percent(figures, f"{name}/pairs"), _percent(figures, f"{name}/pairs/high")] * paired
        cells += [_percent(figures, f"{name}/items")]
        cells += [_between(figures, f"{name}/items/{kind}") for kind in ("", "bootstrap_")]
        cells += [_percent(figures, f"{name}/{role}") for role in roles]
        table.add_row(name, *cells, *[f"{seconds[name]:.1f}"] if seconds else [])
    console = Console(highlight=False)
    console.print(table)
    console.print(_beside(first, paired=paired))
    if figures.get("contrarian/stress", 0) > figures.get("contrarian/stress/chance", 1):
        console.print(
            "The contrarian wins stress twins alone, by design: whoever never says the lure is right wherever it is wrong. "
            "Pairs tell."
        )


def _beside(first: Mapping[str, float], *, paired: bool) -> str:
    """Chance, ceiling, and how much was learnt from."""
    learnt = f" Of the set {first['learnt']:.0%} is learnt from to answer the rest."
    chance = f"Drawing options: {first['items/chance']:.1%} of the items"
    if not paired:
        return f"{chance}.{learnt}"
    return (
        f"{chance}, {first['pairs/chance']:.1%} of the pairs. "
        f"Words alone: every pair hit once is {first['ceiling']:.1%} of the items, and no pair.{learnt}"
    )


def _percent(figures: Mapping[str, float], name: str) -> str:
    return f"{100 * figures[name]:.1f}"


def _between(figures: Mapping[str, float], name: str) -> str:
    return f"{_percent(figures, f'{name}low')}-{_percent(figures, f'{name}high')}"


def findings(findings: Iterable[Finding]) -> None:
    """What every check found, then what is wrong, a line each."""
    console = Console()
    table = Table("check", "", "finding")
    for finding in findings:
        table.add_row(finding.check, "sound" if finding.sound else "NOT SOUND", finding.summary)
    console.print(table)
    for finding in findings:
        for problem in finding.problems:
            console.print(f"{finding.check}: {problem}", highlight=False, markup=False, soft_wrap=True)


def costs(told: Sequence[Cost], cores: int) -> None:
    """What a training would cost, stage by stage; `cores` stages learn at once."""
    table = Table("stage", "steps", "parameters", "FLOPs", "memory", "time", title="nothing was trained", box=None)
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    for one in told:
        memory, minutes = f"{one.memory / 2**20:,.0f} MiB", f"{one.seconds / 60:.1f} min"
        table.add_row(one.name, f"{one.steps:,}", f"{one.parameters:,}", f"{one.flops:.3g}", memory, minutes)
    console = Console(highlight=False)
    console.print(table)
    whole = sum(one.seconds for one in told) / cores / 60
    console.print(
        f"One seed: {sum(one.flops for one in told):.3g} FLOPs, about {whole:.0f} minutes, {cores} stages at once."
    )


def trained(results: Results) -> None:
    """What every system reached, controls below; where there is no figure, why."""
    from pstgen.evaluate import claim

    heads = [column.head.replace(" ", "\n") for column in claim.REACHED]
    table = Table("system", *heads, "p50\nms", "FLOPs", "p", box=None, padding=(0, 0, 0, 1))
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for name in claim.systems(results):
        table.add_row(name, *_reached(results, name))
    table.add_row("[dim]controls[/dim]", end_section=True)
    for name in claim.controls(results):
        table.add_row(name, *_reached(results, name))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{REACHED} {claim.basis(results)}", markup=False)
    for line in claim.reasons(results, (*claim.REACHED, claim.MILLISECONDS)):
        console.print(f"{claim.NONE} stands for {line}", markup=False)


def _reached(results: Results, name: str) -> list[str]:
    from pstgen.evaluate import claim

    told = [(column, claim.estimate(results, name, column.figure)) for column in (*claim.REACHED, claim.MILLISECONDS)]
    cells = [
        claim.NONE if one is None else f"{one.mean:.1f}" + f" ±{one.reach:.1f}" * (column is claim.PAIR and one.bounded)
        for column, one in told
    ]
    test = claim.against(results, name, claim.PAIR.figure)
    flops = claim.times(claim.relative(results, name, claim.FLOPS))
    return [*cells, flops, claim.probability(test.p) if test else claim.NONE]
