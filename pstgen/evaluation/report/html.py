"""report.html: what every system reached, beside the published claim; no script, nothing loaded from elsewhere."""

import base64
import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from pstgen.evaluation import results as book
from pstgen.evaluation import summary
from pstgen.evaluation.report import overlays, plots
from pstgen.evaluation.report.plots import Plot
from pstgen.evaluation.results import Results
from pstgen.evaluation.summary import BASE, GQA, NONE, PAIR, REWARD, VQA

NAME = "report.html"
SURE = 0.05  # of McNemar's p, below which a difference is told
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --ink: light-dark(#1a1c20, #e8e9ec);
  --quiet: light-dark(#5d636d, #a2a8b3); --line: light-dark(#dfe2e7, #353a43); --paper: light-dark(#fff, #14161a);
  --card: light-dark(#f6f7f9, #1c1f25); --base: light-dark(#0072b2, #6cb8e6); --reward: light-dark(#b84f00, #ff9a57); }
body { max-width: 66rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; color: var(--ink); background: var(--paper); }
h1 { font-size: 2.2rem; line-height: 1.15; margin: .2rem 0 .6rem; letter-spacing: -.02em; }
h2 { font-size: 1.15rem; margin: 2.6rem 0 .3rem; } p, li { max-width: 46rem; } p { margin: .3rem 0; }
.quiet, small, figcaption, caption { color: var(--quiet); } .lead { font-size: 1.15rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: .8rem; margin: 1.6rem 0 0; }
.tile { background: var(--card); border-radius: 10px; padding: .8rem 1rem; } .tile b { display: block; font-size: 1.6rem; }
.tile span { color: var(--quiet); font-size: .88rem; line-height: 1.35; display: block; }
.wide { overflow-x: auto; margin: .8rem 0; } table { border-collapse: collapse; font-size: .9rem; min-width: 100%; }
td, th { text-align: right; font-weight: normal; vertical-align: top; padding: .4rem .5rem; border-top: 1px solid var(--line);
  white-space: nowrap; font-variant-numeric: tabular-nums; }
td small { display: block; font-size: .78rem; } thead th { color: var(--quiet); vertical-align: bottom; border-top: 0; }
tr > :first-child { text-align: left; position: sticky; left: 0; background: var(--paper); padding-left: 0; }
tbody th small { display: block; white-space: normal; width: 15rem; font-size: .78rem; line-height: 1.3; }
.part td, .part th { text-align: left; color: var(--quiet); font-size: .82rem; padding-top: 1.1rem; white-space: normal; }
.standard th { color: var(--base); font-weight: 600; } .perceptual_reward th { color: var(--reward); font-weight: 600; }
tbody th small { color: var(--quiet); font-weight: normal; } .head { font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 1.6rem; margin: 1rem 0; }
.small .plots { grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); }
figure { margin: 0; } figure img { width: 100%; display: block; background: #fff; border-radius: 8px; }
figure b { display: block; margin-bottom: .3rem; } figcaption { font-size: .85rem; line-height: 1.4; margin-top: .4rem; }
.overlays figure { min-width: 56rem; } ul { padding-left: 1.1rem; margin: .3rem 0; }
code, pre { font: .9em ui-monospace, monospace; } pre { background: var(--card); border-radius: 10px; padding: .8rem 1rem;
  white-space: pre-wrap; overflow-wrap: anywhere; } summary { cursor: pointer; margin: .5rem 0; }
@media (max-width: 40rem) { h1 { font-size: 1.7rem; } body { padding: 1.5rem 1rem 3rem; } tbody th small { display: none; }
  .part td span { display: block; max-width: calc(100vw - 2rem); } td, th { padding: .4rem .4rem; } }
"""
LIMITS = (
    "A difference between two systems holds for these models, these data and this length of training.",
    "The published claim is about others: that a figure of it is or is not met here says little about it.",
    "McNemar's tests take a question as one draw, its score summed over seeds; nothing is corrected for the number of tests.",
    "Latency is that of this machine, one question at a time, systems in turn.",
    "Gradient x attention tells where the answer's score comes from by way of attention, and no more.",
)


def write(results: Results, out: Path) -> None:
    """Write out/report.html and out/plots/. Raises Unavailable without matplotlib, BadInput where a log is broken."""
    drawn = plots.write(results, out)
    (out / NAME).write_text(page(results, drawn, out), encoding="utf-8")


def page(results: Results, drawn: Sequence[Plot], out: Path) -> str:
    """The whole page; pictures come from `out`."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>pstgen train-eval: report</title><style>{STYLE}</style>\n<body>"
        f'<div class="quiet">pstgen train-eval · report</div><h1>{_text(headline(results))}</h1>'
        f'<p class="lead">{_text(lead(results))}</p>{_tiles(results)}'
        f"<h2>Every system</h2>{_claimed(results)}{_why(results)}"
        f"<h2>Is it the perceptual reward?</h2><p>Perceptual reward against each control, and every system against the standard "
        f"one, question by question: how many it alone has right, how many the other alone.</p>{_tests(results)}"
        f"<h2>Plots</h2>{_figures([one for one in drawn if one.width > plots.SMALL], out)}{_left_out(results, out)}"
        f"<h2>Robustness</h2>{_robust(results, [one for one in drawn if one.width <= plots.SMALL], out)}"
        f"<h2>Where they look</h2>{_looked(results, out)}"
        f"<h2>All other figures</h2>{_others(results)}"
        f"<h2>What this does not tell</h2>{_list(LIMITS)}"
        f"<h2>Again</h2><pre>{_text(results.command)}</pre>{_made(results)}</body></html>\n"
    )


# ---------------------------------------------------------------------------------------------------------- in short


def headline(results: Results) -> str:
    """What came of perceptual reward on pairs: a difference is told where McNemar's test and, if there are some, seeds bear it."""
    told, gain = summary.against(results, REWARD, PAIR.figure), summary.gain(results)
    if not told or not gain:
        return "What every system reached"
    if told.p >= SURE or (told.better > told.worse) != (gain.mean > 0):
        return "Perceptual reward makes no clear difference to what is seen"
    if gain.bounded and gain.low <= 0 <= gain.high:
        return "Perceptual reward makes no difference to what is seen that all seeds bear"
    seeds = "" if gain.bounded else ", under one seed"
    return f"Perceptual reward sees {'more' if gain.mean > 0 else 'less'} than a standard VLM{seeds}"


def lead(results: Results) -> str:
    """The same in figures."""
    told, gain = summary.against(results, REWARD, PAIR.figure), summary.gain(results)
    one, other = (summary.estimate(results, name, PAIR.figure) for name in (REWARD, BASE))
    if not told or not one or not other or not gain:
        return "There is no perceptual reward beside a standard VLM in this run, so nothing is said of the difference."
    apart = f" ({gain.low:+.1f} to {gain.high:+.1f} over seeds)" if gain.bounded else ""
    return (
        f"Of the stress test's pairs, which nobody wins by the words alone, perceptual reward wins {one.mean:.1f} %, the "
        f"standard VLM {other.mean:.1f} %: {gain.mean:+.1f} points{apart}. McNemar's p is {summary.probability(told.p)}."
    )


def _tiles(results: Results) -> str:
    tiles = list[tuple[str, str]]()
    for ratio, what in (
        (summary.relative(results, REWARD, summary.FLOPS), "the standard VLM's training FLOPs (claimed: 1.20x)"),
        (summary.relative(results, REWARD, summary.LATENCY), "the standard VLM's latency (claimed: 0.86x)"),
    ):
        if ratio is not None:
            tiles.append((summary.times(ratio), what))
    told = [(summary.estimate(results, name, PAIR.figure), name) for name in summary.controls(results)]
    if known := [(one.mean, name) for one, name in told if one]:
        tiles.append((f"{max(known)[0]:.1f} %", f"of the pairs are won by the best control, {max(known)[1]}"))
    n = summary.seeds(results)
    tiles.append(
        (
            f"{n} seed{'s' * (n != 1)}",
            f"of {len(summary.systems(results))} systems and {len(summary.controls(results))} controls",
        )
    )
    return (
        '<div class="tiles">'
        + "".join(f'<div class="tile"><b>{_text(n)}</b><span>{_text(what)}</span></div>' for n, what in tiles)
        + "</div>"
    )


# ---------------------------------------------------------------------------------------------------------- tables


def _claimed(results: Results) -> str:
    """The table in the form of the published claim, whose two lines stand above ours."""
    heads = ("model", "VQA v2", "GQA", "PST", "latency p50", "training FLOPs", "pairs against standard")
    rows = [_part(summary.NOT_OURS[0].upper() + summary.NOT_OURS[1:], len(heads))]
    for name, told in summary.PUBLISHED.items():
        cells = [f"{told[column.figure]:.1f}" for column in (VQA, GQA, PAIR)]
        cells += [summary.times(told[summary.LATENCY]), summary.times(told[summary.FLOPS]), NONE]
        rows.append(f'<tr class="claimed"><th>{_text(name)}</th>{_cells(cells)}</tr>')
    for title, names in (
        ("Measured here", summary.systems(results)),
        ("Measured here: controls", summary.controls(results)),
    ):
        if names:
            rows.append(_part(title, len(heads)))
            rows += [_line(results, name) for name in names]
    note = f"In percent. PST: pairs all of whose twins are right. {summary.basis(results)} FLOPs and latency: times the standard system's."
    return _table(heads, rows) + f'<p class="quiet">{_text(note)}</p>'


def _line(results: Results, name: str) -> str:
    cells = [_estimated(summary.estimate(results, name, column.figure)) for column in (VQA, GQA, PAIR)]
    p50, arms = summary.estimate(results, name, summary.LATENCY), book.of_system(results, name)
    cells.append(
        _two(summary.times(summary.relative(results, name, summary.LATENCY)), f"{p50.mean:.1f} ms" if p50 else "")
    )
    flops = sum(arm.flops for arm in arms) / len(arms)
    cells.append(_two(summary.times(summary.relative(results, name, summary.FLOPS)), f"{flops:.2e}"))
    told = summary.against(results, name, PAIR.figure)
    cells.append(_two(f"p {summary.probability(told.p)}", f"+{told.better:,} -{told.worse:,}") if told else NONE)
    shown = (
        f'<tr class="{_text(name.partition("@")[0])}"><th>{_text(name)}<small>{_text(summary.about(name))}</small></th>'
    )
    return f"{shown}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _estimated(one: summary.Estimate | None) -> str:
    if one is None:
        return NONE
    return _two(f"{one.mean:.1f}", f"{one.low:.1f} to {one.high:.1f}" if one.bounded else "")


def _two(first: str, second: str) -> str:
    return _text(first) + (f"<small>{_text(second)}</small>" if second else "")


def _why(results: Results) -> str:
    told = summary.reasons(results, (VQA, GQA, PAIR, summary.MILLISECONDS))
    told += (
        []
        if any(arm.system == BASE for arm in results.arms)
        else ["Times the standard system's: it was not in this run"]
    )
    return f'<p class="quiet">{NONE} stands where there is none:</p>{_list(told)}' if told else ""


def _tests(results: Results) -> str:
    heads = ("system", "against", "exam", "it alone", "the other alone", "p")
    exams = {column.figure: column.head for column in summary.REACHED}
    rows = [
        f"<tr><th>{_text(one.system)}</th>"
        + _cells(
            (
                one.against,
                exams.get(one.metric, one.metric),
                f"{one.better:,}",
                f"{one.worse:,}",
                summary.probability(one.p),
            )
        )
        + "</tr>"
        for one in sorted(results.compared, key=lambda one: one.system != REWARD)
        if one.better + one.worse
    ]
    if not rows:
        return '<p class="quiet">There was no second system to compare with.</p>'
    first = [row for row in rows if f"<th>{REWARD}</th>" in row]
    rest = rows[len(first) :]
    more = (
        f"<details><summary>{len(rest)} more tests</summary>{_table(heads, rest)}</details>" if first and rest else ""
    )
    return _table(heads, first or rest) + more


def _others(results: Results) -> str:
    """Every figure of results.json, by metric, a column each system."""
    names = [*summary.systems(results), *summary.controls(results)]
    figures = sorted({figure for arm in results.arms for figure in arm.figures})
    shown = []
    for metric in dict.fromkeys(figure.partition("/")[0] for figure in figures):
        some = [figure for figure in figures if figure.partition("/")[0] == metric]
        rows = []
        for figure in some:
            told = [summary.estimate(results, name, figure) for name in names]
            rows.append(
                f"<tr><th>{_text(figure)}</th>{_cells(f'{one.mean:.2f}' if one else NONE for one in told)}</tr>"
            )
        shown.append(
            f"<details><summary>{_text(metric)} ({len(some)})</summary>{_table(('figure', *names), rows)}</details>"
        )
    absent = sorted({f"{arm.system}: {name}: {why}" for arm in results.arms for name, why in arm.absent.items()})
    if absent:
        shown.append(
            f"<details><summary>{len(absent)} figures that there are none of, and why</summary>{_list(absent)}</details>"
        )
    return "".join(shown)


# ---------------------------------------------------------------------------------------------------------- pictures


def _figures(drawn: Sequence[Plot], out: Path) -> str:
    shown = "".join(
        f'<figure id="{plot.name}"><b>{_text(plot.title)}</b>'
        f'<img alt="{_text(plot.says)}" src="{_data(out / plots.FOLDER / f"{plot.name}.svg")}">'
        + (f"<figcaption>{_text(plot.says)}</figcaption></figure>" if plot.width > plots.SMALL else "</figure>")
        for plot in drawn
    )
    return f'<div class="plots">{shown}</div>'


def _robust(results: Results, drawn: Sequence[Plot], out: Path) -> str:
    told = sorted(
        {
            f"{arm.system}: {summary.why(results, arm.system, 'robustness/clean')}"
            for arm in results.arms
            if "robustness/clean" not in arm.figures
        }
    )
    lacking = f'<p class="quiet">Not there: {_text("; ".join(told))}.</p>' if told else ""
    says = (
        "PST pairs won as the picture gets worse: weather, noise, blur and compression at three strengths, and pixels changed "
        "against the model by its own gradient. Grey are the other systems, dashed the controls."
    )
    return f'<p>{says}</p><div class="small">{_figures(drawn, out)}</div>{lacking}' if drawn else lacking


def _left_out(results: Results, out: Path) -> str:
    told = plots.missing(results, out)
    return f'<p class="quiet">No log of the training of {_text(", ".join(told))}: no curves.</p>' if told else ""


def _looked(results: Results, out: Path) -> str:
    file = out / overlays.NAME
    if not file.is_file():
        lacking = {BASE, REWARD} - {arm.system for arm in results.arms}
        why = f"{' and '.join(sorted(lacking))} did not take part" if lacking else f"there is no {overlays.NAME}"
        return f'<p class="quiet">No pictures of attention: {_text(why)}.</p>'
    return (
        f'<div class="wide overlays"><figure><img alt="{_text(overlays.SAYS)}" src="{_data(file)}"></figure></div>'
        f'<p class="quiet">{_text(overlays.SAYS)}</p>'
    )


def _data(file: Path) -> str:
    kind = "svg+xml" if file.suffix == ".svg" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"


# ---------------------------------------------------------------------------------------------------------- parts


def _made(results: Results) -> str:
    recipe = "\n".join(f"{name}: {value}" for name, value in results.recipe.items())
    libraries = ", ".join(f"{name} {version}" for name, version in results.libraries.items())
    counted = ", ".join(f"{n:,} of {name.upper()}" for name, n in results.materials.items())
    return (
        f'<p>On {_text(results.device)}. Questions: {_text(counted)}.</p><p class="quiet">{_text(libraries)}. All figures are in '
        f"<code>{book.FILE}</code>.</p><details><summary>The recipe</summary><pre>{_text(recipe)}</pre></details>"
    )


def _table(heads: Sequence[str], rows: Iterable[str]) -> str:
    top = "".join(f"<th>{_text(head)}</th>" for head in heads)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _part(title: str, columns: int) -> str:
    return f'<tr class="part"><td colspan="{columns}"><span>{_text(title)}</span></td></tr>'


def _cells(told: Iterable[str]) -> str:
    return "".join(f"<td>{_text(cell)}</td>" for cell in told)


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{_text(line)}</li>" for line in lines) + "</ul>"


def _text(told: str) -> str:
    return html.escape(told)
