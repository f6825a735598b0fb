"""The report of an attack on a benchmark: a page, and a table of how vulnerable each question is."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pstgen.core import pages
from pstgen.core.pages import Bar, Tile
from pstgen.core.records import Unavailable
from pstgen.verification import attackers, giveaways
from pstgen.verification.attack import AttackRun, vulnerability
from pstgen.verification.readers import Words
from pstgen.verification.samples import Sample

COMMON = 0.05  # of the answers, that the commonest must be to be named
SHOWN = 12  # of the most vulnerable questions


def page(path: Path, words: Words, runs: Sequence[AttackRun]) -> str:
    """The report of the attackers' runs on a benchmark's words."""
    samples = words.samples
    by_words, by_rows = _parted(runs)
    shares = vulnerability(by_words)
    order = np.argsort(-shares, kind="stable")[:SHOWN].tolist()
    chance = float(np.mean([1 / len(sample.options) for sample in samples]))
    return pages.render(
        "verification/attack.html.jinja",
        name=path.name,
        format=words.format,
        samples=len(samples),
        scenes=len({sample.scene for sample in samples}),
        left_out=words.refusals,
        tiles=list(_tiles(samples, by_words, chance)),
        chance=chance,
        paired=runs[0].result.ceiling < 1,
        by_words=[_bar(run, chance) for run in by_words],
        by_rows=[_bar(run, chance) for run in by_rows],
        categories=giveaways.categories(samples, by_words),
        letters=giveaways.letters(samples),
        words=giveaways.words(samples),
        gone=int(giveaways.must_go(samples, by_words).sum()),
        vulnerable=[(samples[n], shares[n]) for n in order],
    )


def write_table(file: Path, samples: Sequence[Sample], runs: Sequence[AttackRun]) -> None:
    """One row a question: its name, how many attackers that go by words are right about it, whether it would have to go.

    Raises Unavailable where it cannot be written.
    """
    by_words, _ = _parted(runs)
    columns = {
        "name": [sample.name for sample in samples],
        "pair": [sample.pair for sample in samples],
        "category": [sample.category for sample in samples],
        "vulnerability": vulnerability(by_words),
        "must_go": giveaways.must_go(samples, by_words),
    }
    try:
        pq.write_table(pa.table(columns), file)
    except OSError as error:
        raise Unavailable(f"{file}: cannot be written: {error.strerror or error}") from None


def _parted(runs: Sequence[AttackRun]) -> tuple[list[AttackRun], list[AttackRun]]:
    """Those that go by words, the strongest first, and those that go by the order of rows."""
    ranked = sorted(runs, key=lambda run: (-run.result.items.share, run.result.attacker))
    by_rows = [run for run in ranked if attackers.goes_by_rows(run.result.attacker)]
    return [run for run in ranked if run not in by_rows] or ranked, by_rows


def _bar(run: AttackRun, chance: float) -> Bar:
    items, pairs = run.result.items, run.result.pairs
    won = f"{pairs.share:.1%}" if run.result.ceiling < 1 else ""
    return Bar(run.result.attacker, items.share, items.low, items.high, items.low <= chance, won)


def _tiles(samples: Sequence[Sample], runs: Sequence[AttackRun], chance: float) -> Iterator[Tile]:
    best = runs[0].result
    yield Tile(f"{best.items.share:.1%}", f"of the questions: the most by words alone ({best.attacker})")
    yield Tile(f"{chance:.1%}", "by guessing at random")
    answer, times = Counter(sample.correct_option for sample in samples).most_common(1)[0]
    if times > COMMON * len(samples):
        yield Tile(f"{times / len(samples):.1%}", f"of the answers are \u201c{answer[:40]}\u201d")
    if again := giveaways.repeated(samples):
        yield Tile(f"{again:,}", "questions stand there again, with the same options, answer and picture")
