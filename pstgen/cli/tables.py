"""The tables that the commands print: funnel, priors, pairs, attacks, findings, costs, results."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from rich.table import Table

from pstgen.cli.console import Console, empty_table, styled
from pstgen.core import plugins
from pstgen.core.reasons import kind
from pstgen.core.records import Score
from pstgen.core.report import Refusal, Report
from pstgen.dataset.sampling import PairRows
from pstgen.verification.attackers import goes_by_rows

if TYPE_CHECKING:
    from pstgen.evaluation.dry_run.estimate import Cost, RunEstimate
    from pstgen.evaluation.results import Results
    from pstgen.questions.priors import Expected
    from pstgen.verification.findings import AttackResult, Finding, State

STATES: Mapping[State, tuple[str, str]] = {
    "sound": ("sound", "green"),
    "not sound": ("NOT SOUND", "bold red"),
    "not tested": ("not tested", "yellow"),
}
COMMONEST = 2  # reasons of a family that are shown
REMEDIES = {
    "candidate pairs": "--candidates",
    "fooled": "--wordings, other judges",
    "kept": "see the pairs dropped",
}
EXAMPLES = 3  # of the records that were left out for one reason
TRAINED_NOTE = "In %. ms: one answer, median; FLOPs: of training, times the standard system's; p: McNemar against it, of PST pairs."


def stations(counted: Mapping[str, Mapping[str, int]]) -> None:
    """The funnel: how many of each family came to each station."""
    console = Console()
    families = sorted(name for name in set().union(*counted.values()) if name in plugins.names("families"))
    by_family = {station: by for station, by in counted.items() if set(by) & set(families)}
    scenes = (f"{sum(by.values()):,} {station}" for station, by in counted.items() if station not in by_family)
    table = empty_table("family", title=f"funnel: {', '.join(scenes)}")
    table.show_footer = True
    for station, by in by_family.items():
        heading = re.sub(r" |(?<=[/-])", "\n", station)  # a word a line, so that all fit into 80 columns
        table.add_column(heading, f"{sum(by.values()):,}", justify="right", vertical="bottom")
    for family in families:
        table.add_row(family, *(f"{by.get(family, 0):,}" for by in by_family.values()))
    console.print(table)


def losses(counted: Mapping[str, Mapping[str, int]]) -> str:
    """Where most pairs were lost, and the option that changes it; "" where none was lost."""
    order = [
        name for name in counted if name in {"pairs found", "candidate pairs", "kept"} or name.startswith("fooled ")
    ]
    totals = {name: sum(counted[name].values()) for name in order}
    lost = [(totals[before] - totals[after], before, after) for before, after in pairwise(order)]
    if not lost or max(lost)[0] <= 0:
        return ""
    n, before, after = max(lost, key=lambda row: row[0])
    remedy = REMEDIES.get(after, REMEDIES["fooled"])
    return f"Most pairs were lost between {before!r} and {after!r}: {n:,} of {totals[before]:,} ({remedy})."


def funnel(report: Report, most: int | None = COMMONEST) -> None:
    """The funnel: what came to each station, what is unknown, what was dropped, which edits and records were refused.

    most: reasons of each family that are shown; None shows all.
    """
    console = Console()
    stations(report.stations)
    reasons("unknown, never asked", ("family", "why a fact is unknown", "facts"), report.refused.facts, most)
    reasons("edits that were refused", ("edit", "why it was not made", "times"), report.refused.edits, most)
    reasons("misled every judge, not kept", ("family", "why it was not kept", "pairs"), report.dropped, None)
    if line := losses(report.stations):
        console.print(line)
    for line in left_out(report)["left out"]:
        console.print(f"left out: {line}", soft_wrap=True)
    if report.refused.records:
        console.print("All that was left out is named in manifest.json.")


def reasons(title: str, heads: tuple[str, str, str], counted: Mapping[tuple[str, str], int], most: int | None) -> None:
    """What was turned away, by name and reason, the commonest `most` of each name."""
    table = empty_table(*heads, title=title, gap=1)
    table.columns[0].no_wrap = True
    table.columns[2].justify = "right"
    ranked = sorted(counted.items(), key=lambda row: (row[0][0], -row[1], row[0][1]))
    for name, rows in groupby(ranked, key=lambda row: row[0][0]):
        of_name = [(reason, n) for (_, reason), n in rows]
        if most and (rest := of_name[most:]):
            others = f"({len(rest)} other reason{'s' * (len(rest) > 1)}: -v, manifest.json)"
            of_name[most:] = [(others, sum(n for _, n in rest))]
        for reason, n in of_name:
            table.add_row(name, reason, f"{n:,}")
    if counted:
        Console().print(table)


def left_out(report: Report) -> dict[str, list[str]]:
    """Notes, and the records that were left out: those of one reason in one line, with a count and three of them."""
    kinds: dict[str, list[Refusal]] = {}
    for refusal in sorted(report.refused.records, key=lambda refusal: (refusal.file, refusal.record)):
        kinds.setdefault(kind(refusal.reason), []).append(refusal)
    lines = []
    for refusals in sorted(kinds.values(), key=lambda refusals: -len(refusals)):
        shown = "; ".join(f"{refusal.file}: {refusal.record}" for refusal in refusals[:EXAMPLES])
        more = f" and {len(refusals) - EXAMPLES:,} more" if len(refusals) > EXAMPLES else ""
        lines.append(f"{len(refusals):,} x {refusals[0].reason} ({shown}{more})")
    return {"left out": lines, "notes": report.notes}


def priors(rows: Iterable[Expected], most: int) -> None:
    """Of each sentence the answers that its words add most to, with counts and what they add, in nats."""
    heads = ("family", "sentence", "about", "expected", "share", "counted", "added")
    table = empty_table(*heads, title="the strongest priors", gap=1)
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for column in table.columns[4:]:
        column.justify, column.no_wrap = "right", True
    shown: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for (family, form, about), answer, n, total, added in rows:
        shown.setdefault((family, form), []).append(
            (family, form, ", ".join(about), answer, f"{n / total:.0%}", f"{n:,} of {total:,}", f"{added.value:+.1f}")
        )
    for key in sorted(shown):
        for row in shown[key][:most]:
            table.add_row(*row)
        table.add_section()
    if shown:
        Console().print(table)


def pair(shown: PairRows, scores: Iterable[Score]) -> None:
    """One pair: question, answers, chains, and what every judge chose."""
    console = Console()
    first = shown.control.item
    console.print()
    console.print(styled((first.question, "bold"), f"  {' / '.join(first.options)}"))
    asked = f"  {first.pair_id}, {first.frame}, {first.twin}; the words suggest "
    console.print(styled(asked, (first.lure, "red")))
    for row in shown.rows:
        console.print(styled(f"  {row.item.role:<8} ", (f"{row.item.answer:<8}", "green"), f" {row.item.scene_id}"))
        console.print(styled((f"           {row.chain}", "dim")))
    order = {row.item.item_id: n for n, row in enumerate(shown.rows)}
    by_judge: dict[str, list[str]] = {}
    for score in sorted(scores, key=lambda score: (score.judge, order.get(score.item_id, -1))):
        by_judge.setdefault(score.judge, []).append(score.choice)
    for judge, choices in by_judge.items():
        console.print(styled((f"  {judge:<16} {' and '.join(choices)}", "dim")))


def attacks(results: Sequence[AttackResult], seconds: Mapping[str, float] | None = None) -> None:
    """What each attacker reaches, pairs first, beside chance and the ceiling of words; items first where there are no pairs.

    seconds: what each took, where that is shown.
    """
    if not results:
        return
    paired, roles = results[0].ceiling < 1, [role for role in ("stress", "control") if getattr(results[0], role)]
    console = Console()
    for title, by_rows in (("by words alone, in %", False), ("by the order of rows, which no model sees, in %", True)):
        chosen = [result for result in results if goes_by_rows(result.attacker) == by_rows]
        if chosen:
            console.print(_attacks(chosen, title, roles, paired=paired, seconds=seconds))
    console.print(_chance(results[0], paired=paired))
    if line := _by_frame(results):
        console.print(line)
    if any(_wins_stress_by_design(result) for result in results):
        console.print(
            "The contrarian wins on stress twins alone, by design: never giving the lure is right wherever the lure is wrong. "
            "Look at the pairs."
        )


def _attacks(
    results: Sequence[AttackResult],
    title: str,
    roles: Sequence[str],
    *,
    paired: bool,
    seconds: Mapping[str, float] | None,
) -> Table:
    table = empty_table("attacker", *_attack_heads(roles, paired=paired, timed=bool(seconds)), title=title)
    for column in table.columns:
        column.vertical = "bottom"
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for result in results:
        time = [f"{seconds[result.attacker]:.1f}"] if seconds else []
        table.add_row(result.attacker, *_attack_cells(result, roles, paired=paired), *time)
    return table


def _attack_heads(roles: Sequence[str], *, paired: bool, timed: bool) -> list[str]:
    """The columns of attacks: shares with their intervals, two short lines each."""
    pairs = ["pairs", "pairs\nat most"] * paired
    return [*pairs, "items", "items\n95% CI", "items\nbootstrap", *roles, *["seconds"] * timed]


def _attack_cells(result: AttackResult, roles: Sequence[str], *, paired: bool) -> list[str]:
    pairs, items = result.pairs, result.items
    bounds = (items.low, items.high), (items.bootstrap_low, items.bootstrap_high)
    return [
        *[_percent(pairs.share), _percent(pairs.high)] * paired,
        _percent(items.share),
        *(f"{_percent(low)}-{_percent(high)}" for low, high in bounds),
        *(_percent(getattr(result, role).share) for role in roles),
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _chance(result: AttackResult, *, paired: bool) -> str:
    """Chance, what words alone can reach, and how much attackers train on."""
    training = f"Attackers train on {result.train_share:.0%} of the set and are tested on the rest."
    chance = f"Guessing at random gives {result.items.chance:.1%} of the items"
    if not paired:
        return f"{chance}. {training}"
    coin = (
        "" if result.coin is None else f"thrown for each picture, a coin between the twins' answers {result.coin:.1%}; "
    )
    return (
        f"{chance}, {result.pairs.chance:.1%} of the pairs; {coin}"
        f"answering one twin of every pair gives {result.ceiling:.1%} of the items, and no pair. {training}"
    )


def _by_frame(results: Sequence[AttackResult]) -> str:
    """The most that any attacker reaches of the items in neutral words, then of those in others; "" where frames are unknown."""
    parts = []
    for name in ("neutral", "framed"):
        reached = [(share.share, result.attacker) for result in results if (share := getattr(result, name))]
        if reached:
            most, attacker = max(reached)
            parts.append(
                f"{most:.1%} of the items in {'neutral' if name == 'neutral' else 'misleading'} words ({attacker})"
            )
    return f"The most that any reaches: {', '.join(parts)}." if parts else ""


def _wins_stress_by_design(result: AttackResult) -> bool:
    stress = result.stress
    return result.attacker == "contrarian" and stress is not None and stress.share > stress.chance


def findings(found: Sequence[Finding]) -> None:
    """What every check found, or why it could not run, then what is wrong, a line each."""
    console = Console()
    table = empty_table("check", "result", "finding", gap=1)
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for finding in found:
        text = finding.untested if finding.state == "not tested" else finding.summary
        table.add_row(finding.check, styled(STATES[finding.state]), text)
    console.print(table)
    for finding in found:
        for problem in finding.problems:
            console.print(f"{finding.check}: {problem}", soft_wrap=True)


def costs(estimate: RunEstimate) -> None:
    """What a run would cost, row by row, then in all."""
    heads = ("part of the run", "amount", "para-\nmeters", "FLOPs", "memory\na step", "time")
    table = empty_table(*heads, title="nothing was trained", gap=1)
    for column in table.columns:
        column.no_wrap, column.vertical = True, "bottom"
    for column in table.columns[1:]:
        column.justify = "right"
    for part, rows in groupby(estimate.costs, key=lambda cost: cost.part):
        table.add_row(styled((part, "dim")))
        for row in rows:
            table.add_row(f" {row.name}", f"{row.number:,} {row.unit}", *_of_stage(row), duration(row.seconds))
    console = Console()
    console.print(table)
    flops, whole = sum(row.flops for row in estimate.costs), sum(estimate.seconds.values())
    parts = ", ".join(f"{duration(seconds)} {part}" for part, seconds in estimate.seconds.items() if seconds)
    console.print(f"One seed: {flops:.3g} FLOPs, about {duration(whole)} on {estimate.device}: {parts}.")
    console.print(estimate.basis)


def _of_stage(row: Cost) -> tuple[str, str, str]:
    """Parameters, FLOPs and memory of a stage; of anything else nothing."""
    if not row.parameters:
        return "", "", ""
    return f"{row.parameters / 1e6:,.2f} M", f"{row.flops:.3g}", f"{row.memory / 2**20:,.0f} MiB"


def duration(seconds: float) -> str:
    """In the unit that fits.

    >>> duration(40), duration(100), duration(38 * 60), duration(26 * 3600)
    ('40 s', '1.7 min', '38 min', '26 h')
    """
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * length:
            number = seconds / length
            return f"{number:.0f} {unit}" if number >= 9.95 else f"{number:.1f} {unit}"
    return f"{seconds:.0f} s"


def trained(results: Results) -> None:
    """What every system reached, controls below; where there is no figure, why."""
    from pstgen.evaluation import summary

    console = Console()
    table = _results_table(results, " ")
    if console.measure(table, options=console.options.update(max_width=1000)).maximum > console.width:
        table = _results_table(results, "\n")  # a word a line, so that all fit into 80 columns
    console.print(table)
    console.print(f"{TRAINED_NOTE} {summary.basis(results)}")
    if results.synthetic:
        console.print("VQA-style and GQA-style: questions about drawn scenes, in these benchmarks' formats.")
    for line in summary.reasons(results, summary.table_columns()):
        console.print(f"{summary.NONE} stands for {line}")


def _results_table(results: Results, space: str) -> Table:
    """space: what parts the words of a heading."""
    from pstgen.evaluation import summary

    headings = [summary.heading(column, results).replace(" ", space) for column in summary.table_columns()]
    table = Table("system", *headings, "FLOPs", "p", box=None, padding=(0, 0, 0, 1))
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify, column.no_wrap, column.vertical = "right", True, "bottom"
    for name in summary.systems(results):
        table.add_row(name, *_result_cells(results, name))
    table.add_row(styled(("controls", "dim")), end_section=True)
    for name in summary.controls(results):
        table.add_row(name, *_result_cells(results, name))
    return table


def _result_cells(results: Results, name: str) -> list[str]:
    """A system's row: each figure (that of pairs with half its interval), training cost and significance."""
    from pstgen.evaluation import summary

    estimates = [(column, summary.estimate(results, name, column.figure)) for column in summary.table_columns()]
    cells = [
        summary.NONE
        if estimate is None
        else column.text(estimate.mean)
        + f" ±{column.text(estimate.half_width)}" * (column == summary.PAIR and estimate.bounded)
        for column, estimate in estimates
    ]
    test = summary.against(results, name, summary.PAIR.figure)
    flops = summary.times(summary.relative(results, name, summary.FLOPS))
    return [*cells, flops, summary.probability(test.p) if test else summary.NONE]
