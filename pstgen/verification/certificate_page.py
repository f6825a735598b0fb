"""certificate.html: the certificate as a page that is grasped in a minute; no script, nothing loaded from elsewhere."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pstgen.core.records import Finding, State
from pstgen.dataset.store import Dataset
from pstgen.verification import certificate
from pstgen.verification.certificate import Certificate

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --ink: light-dark(#1a1c20, #e8e9ec);
  --quiet: light-dark(#5d636d, #a2a8b3); --line: light-dark(#dfe2e7, #353a43); --paper: light-dark(#fff, #14161a);
  --card: light-dark(#f6f7f9, #1c1f25); --dot: light-dark(#2a6fdb, #6ea8fe); --good: light-dark(#117a45, #4cc38a);
  --bad: light-dark(#c0322b, #ff7a70); --untested: light-dark(#8a5a00, #e5b454); }
body { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; color: var(--ink); background: var(--paper); }
h1 { font-size: 2.4rem; line-height: 1.15; margin: .2rem 0 .6rem; letter-spacing: -.02em; }
h2 { font-size: 1.1rem; margin: 2.4rem 0 .3rem; } p { margin: .3rem 0; max-width: 44rem; }
.quiet, td, th, li small { color: var(--quiet); } .lead { font-size: 1.15rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .untested { color: var(--untested); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem; margin: 1.6rem 0 0; }
.tile { background: var(--card); border-radius: 10px; padding: .8rem 1rem; } .tile b { display: block; font-size: 1.7rem; }
.tile span { color: var(--quiet); font-size: .88rem; line-height: 1.35; display: block; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 0 2.5rem; }
ul { padding-left: 1.1rem; margin: .3rem 0; } li { margin: .3rem 0; }
svg { width: 100%; height: auto; display: block; margin: .6rem 0; font: 13px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg .quiet { fill: var(--quiet); } svg .axis { stroke: var(--line); }
svg .mark { stroke: var(--ink); stroke-dasharray: 4 3; } svg .dot { fill: var(--dot); } svg .bar { stroke: var(--dot); }
svg .dot.bad { fill: var(--bad); } svg .bar.bad { stroke: var(--bad); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; margin: .6rem 0; }
td, th { text-align: left; font-weight: normal; vertical-align: top; padding: .4rem .8rem .4rem 0; border-top: 1px solid var(--line); }
td:nth-child(2) { white-space: nowrap; } td.good { color: var(--good); } td.bad { color: var(--bad); }
td.untested { color: var(--untested); } th { color: var(--ink); white-space: nowrap; } code, pre { font: .9em ui-monospace, monospace; }
pre { background: var(--card); border-radius: 10px; padding: .8rem 1rem; overflow-x: auto; }
"""
COLOURS: Mapping[State, str] = {"sound": "good", "not sound": "bad", "not tested": "untested"}
PROBES = {
    ("image_probe", "answer"): "picture → answer",
    ("edited_probe", "role"): "traces of edits → role",
    ("edited_probe", "answer"): "traces of edits → answer",
    ("file_probe", "role"): "file → role",
    ("file_probe", "answer"): "file → answer",
}
LEFT, RIGHT, SHARE, WIDTH, ROW = 190, 640, 740, 860, 26  # of a chart, in its own pixels


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of a chart: a share with its interval, each 0 to 1, whether it is as it should be, and a note."""

    name: str
    share: float
    low: float
    high: float
    good: bool
    note: str = ""


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write certificate.html beside the certificate.json that is in `folder`. Raises BadInput where there is none."""
    told = certificate.read(folder)
    (folder / certificate.PAGE).write_text(page(told, dataset.manifest.origin), encoding="utf-8")


def page(told: Certificate, source: Mapping[str, str]) -> str:
    """The page of a certificate, of a dataset whose scenes come from `source` (a manifest's origin)."""
    by = {finding.check: finding for finding in told.findings}
    verdict = '<span class="good">Sound</span>' if told.sound else '<span class="bad">Not sound</span>'
    words, figures = _by_words(by), by["pairs"].figures if "pairs" in by else {}
    size = f"{figures.get('pairs', 0):,.0f} pairs of pictures, {figures.get('items', 0):,.0f} questions"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Certificate: Perception Stress Test</title><style>{STYLE}</style>\n<body>"
        f'<div class="quiet">Perception Stress Test · certificate</div><h1>{verdict}</h1>'
        f'<p class="lead">{size}. The twins of a pair share every word and have different answers, so no function of the text '
        f'alone can win a pair.</p><p class="quiet">{_text(source.get("name", ""))}</p>'
        f"{_problems(told.findings)}{_tiles(by, words)}"
        "<h2>By the words alone</h2><p>Each attacker is trained on this very set, on other pairs and other scenes. "
        "Dot and line: its share of the questions, with bounds.</p>"
        f"{_chart(words, _ceiling(by), 'one of each pair', 'questions', 'pairs won')}{_untested(by, ['attackers'])}"
        "<h2>By pictures and files, not knowing the question</h2><p>Shown both twins, a probe says which is which; half "
        f"the time is chance.</p>{_chart(_probes(by, told.thresholds), 0.5, 'chance', 'pairs')}"
        f"{_untested(by, dict.fromkeys(check for check, _ in PROBES))}"
        f"<h2>Labels</h2><p>{_text(told.says)}</p>"
        f'<div class="two"><div><h2>Proven</h2>{_list(told.proven)}</div>'
        f"<div><h2>Not proven</h2>{_list(told.not_proven)}</div></div>"
        f"<h2>What was tried</h2>{_table(told)}"
        "<h2>Reproduce</h2><pre>pip install .                 # in a checkout of pstgen\npstgen verify pst/            # every check\n"
        "pstgen verify pst/ --rebuild  # builds it again and compares every byte</pre>"
        f'<p class="quiet">pstgen {_text(told.pstgen)}, manifest <code>{told.manifest[:16]}…</code>. All figures are in '
        f"<code>{certificate.NAME}</code>.</p></body></html>\n"
    )


def _by_words(by: Mapping[str, Finding]) -> list[Bar]:
    """The attackers, the strongest first."""
    bars = list[Bar]()
    if "attackers" in by and by["attackers"].state != "not tested":
        told, wrong = by["attackers"].figures, by["attackers"].problems
        for name in certificate.attackers(list(by.values())):
            share, low, high = (told[f"{name}/items{end}"] for end in ("", "/low", "/high"))
            won = f"{told[f'{name}/pairs']:.1%}"
            bars.append(Bar(name, share, low, high, not any(line.startswith(f"{name} ") for line in wrong), won))
    return sorted(bars, key=lambda bar: (-bar.share, bar.name))


def _ceiling(by: Mapping[str, Finding]) -> float:
    """Who hits each pair once has this share of the items."""
    told = by["pairs"].figures if "pairs" in by else {}
    return told["pairs"] / told["items"] if told.get("items") else 0.5


def _probes(by: Mapping[str, Finding], thresholds: Mapping[str, float]) -> list[Bar]:
    bars, over = list[Bar](), thresholds.get("probe_over", 0.0)
    for (check, asked), name in PROBES.items():
        told = by[check].figures if check in by else {}
        if f"{asked}/share" in told:
            share, low, high = (told[f"{asked}/{what}"] for what in ("share", "low", "high"))
            two_sided = check == "edited_probe"
            good = low <= 0.5 + over and not (two_sided and high < 0.5 - over)
            bars.append(Bar(name, share, low, high, good))
    return bars


def _tiles(by: Mapping[str, Finding], words: Sequence[Bar]) -> str:
    tiles = list[tuple[str, str]]()
    if words:
        won = max(words, key=lambda bar: float(bar.note.rstrip("%")))
        tiles += [
            (won.note, f"of the pairs are won by the best of {len(words)} attackers that go by the words"),
            (f"{words[0].share:.1%}", f"of the questions: the most by the words ({words[0].name})"),
        ]
    audit = by["audit"].figures if "audit" in by else {}
    if "audited" in audit:
        tiles.append((f"{audit['wrong/share']:.1%}", f"of {audit['audited']:,.0f} audited labels are wrong"))
    else:
        tiles.append(("0", "labels were audited by people; all were recomputed from the annotations"))
    tiles.append(_ran(list(by.values())))
    return (
        '<div class="tiles">'
        + "".join(f'<div class="tile"><b>{_text(n)}</b><span>{_text(what)}</span></div>' for n, what in tiles)
        + "</div>"
    )


def _ran(findings: Sequence[Finding]) -> tuple[str, str]:
    """How many of the checks ran, and how many of those found something wrong."""
    ran, wrong = len(findings) - len(certificate.untested(findings)), sum(not finding.sound for finding in findings)
    return f"{ran} of {len(findings)}", f"checks ran, {wrong or 'none'} found anything wrong"


def _untested(by: Mapping[str, Finding], names: Iterable[str]) -> str:
    """Which of these checks could not run, and why, a paragraph each."""
    missing = certificate.untested(by[name] for name in names if name in by)
    return "".join(
        f'<p class="untested">{_text(_name(finding))}: not tested: {_text(finding.untested)}</p>' for finding in missing
    )


def _name(finding: Finding) -> str:
    return finding.check.replace("_", " ")


def _problems(findings: Iterable[Finding]) -> str:
    lines = [f"{finding.check}: {problem}" for finding in findings for problem in finding.problems]
    return f'<div class="bad">{_list(lines)}</div>' if lines else ""


def _chart(bars: Sequence[Bar], mark: float, marked: str, counted: str, noted: str = "") -> str:
    """Shares from 0 to 1 with their intervals, a line each, as SVG; a dashed line at `mark`, heads of columns at the right."""
    if not bars:
        return ""
    top, height = 24, 24 + ROW * len(bars) + 26

    def at(share: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * share, 1)

    foot = top + ROW * len(bars)
    drawn = [
        f'<line class="axis" x1="{at(n / 4)}" x2="{at(n / 4)}" y1="{top}" y2="{foot}"/>'
        f'<text class="quiet" x="{at(n / 4)}" y="{foot + 18}" text-anchor="middle">{25 * n} %</text>'
        for n in range(5)
    ]
    drawn += [
        f'<line class="mark" x1="{at(mark)}" x2="{at(mark)}" y1="{top - 4}" y2="{foot}"/>',
        f'<text class="quiet" x="{at(mark)}" y="{top - 9}" text-anchor="middle">{marked}</text>',
        f'<text class="quiet" x="{SHARE}" y="{top - 9}" text-anchor="end">{counted}</text>',
        f'<text class="quiet" x="{WIDTH}" y="{top - 9}" text-anchor="end">{noted}</text>',
    ]
    for n, bar in enumerate(bars):
        y, kind = top + ROW * n + ROW / 2, "" if bar.good else " bad"
        drawn.append(
            f"<g><title>{_text(bar.name)}: {bar.share:.1%} [{bar.low:.1%}, {bar.high:.1%}]</title>"
            f'<text x="0" y="{y + 4}">{_text(bar.name)}</text>'
            f'<line class="bar{kind}" stroke-width="3" x1="{at(bar.low)}" x2="{at(bar.high)}" y1="{y}" y2="{y}"/>'
            f'<circle class="dot{kind}" cx="{at(bar.share)}" cy="{y}" r="5"/>'
            f'<text x="{SHARE}" y="{y + 4}" text-anchor="end">{bar.share:.1%}</text>'
            f'<text x="{WIDTH}" y="{y + 4}" text-anchor="end">{_text(bar.note)}</text></g>'
        )
    label = _text(f"shares of {len(bars)} lines beside {mark:.0%}")
    return f'<svg role="img" aria-label="{label}" viewBox="0 0 {WIDTH} {height}">{"".join(drawn)}</svg>'


def _table(told: Certificate) -> str:
    rows = "".join(
        f'<tr><th>{_text(_name(finding))}</th><td class="{COLOURS[finding.state]}">{finding.state}</td>'
        f"<td>{_text(told.tried[finding.check])}<br>{_found(finding)}</td></tr>"
        for finding in told.findings
    )
    attackers = "; ".join(
        f"<b>{_text(name.removeprefix('attackers/'))}</b>: {_text(words.rstrip('.'))}"
        for name, words in told.tried.items()
        if name.startswith("attackers/")
    )
    return f'<table>{rows}</table><p class="quiet">Attackers. {attackers}.</p>'


def _found(finding: Finding) -> str:
    """What came of a check, or why it could not run."""
    if finding.state == "not tested":
        return f'<span class="untested">not tested: {_text(finding.untested)}</span>'
    return _text(finding.summary)


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{_text(line)}</li>" for line in lines) + "</ul>"


def _text(told: str) -> str:
    return html.escape(told)
