"""Do the judges' recorded answers belong to these pairs, and did every judge that decides fall for the lure of each?"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from pstgen.core.config import VerifyConfig
from pstgen.core.records import Pair, Score
from pstgen.dataset.store import Dataset
from pstgen.pairs.selection import DIGITS
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding

PROVES = "Every judge that decides fell for the lure of every pair, as far as its recorded answers are its own."
ANEW = True


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Each answer on its own, then each pair: who answered it."""
    pairs = {pair.pair_id: pair for pair in dataset.pairs()}
    scores = list(dataset.scores())
    problems = first_problems((*_answers(scores, pairs), *_order(scores), *_judges(scores, pairs, dataset)))
    return Finding(
        check="scores", summary=f"{len(scores):,} recorded answers compared with the pairs", problems=problems
    )


def _answers(scores: list[Score], pairs: Mapping[str, Pair]) -> Iterator[str]:
    for score in scores:
        where = f"scores.parquet: {score.judge} of {score.pair_id} in frame {score.frame}"
        lengths = {len(row) for row in (score.logprobs, score.calibrated) if row}
        if (
            score.lure not in score.options
            or not lengths <= {len(score.options)}
            or (score.calibrated and not score.logprobs)
        ):
            yield f"{where}: the options {score.options} do not hold its lure, or not each has a log-probability"
        elif score.choice not in _likeliest(score):
            yield f"{where}: chose {score.choice!r}, which is not the likeliest option"
        pair = pairs.get(score.pair_id)
        same_words = pair is not None and (pair.control.frame, pair.question) == (score.frame, score.question)
        if score.kept != same_words:
            yield f"{where}: says that its wording is {'' if score.kept else 'not '}in the set"
        elif score.item_id and (pair is None or score.item_id not in {item.item_id for item in pair.items}):
            yield f"{where}: saw {score.item_id!r}, which is no item of that pair"
        elif pair and (set(score.options), score.lure) != (set(pair.options), pair.lure):
            yield f"{where}: offers other options, or has another lure, than the pair"


def _likeliest(score: Score) -> set[str]:
    """The options that may have been chosen: those that are likeliest as far as numbers are rounded; "" where there are none."""
    decisive = score.calibrated or score.logprobs
    near = max(decisive, default=0.0) - 2 * 10**-DIGITS
    return {option for option, value in zip(score.options, decisive, strict=False) if value >= near} or {""}


def _order(scores: list[Score]) -> Iterator[str]:
    """They are sorted, and nobody answers twice."""
    keys = [(score.pair_id, score.frame, score.question, score.judge, score.item_id) for score in scores]
    yield from (f"scores.parquet: {after[3]} of {after[0]}: out of order, or twice" for before, after in pairwise(keys) if before >= after)  # fmt: skip


def _judges(scores: list[Score], pairs: Mapping[str, Pair], dataset: Dataset) -> Iterator[str]:
    """Of each pair in the set, one answer of every judge, or one an item where it sees."""
    answered: defaultdict[str, Counter[str]] = defaultdict(Counter)
    named, wrong = set(dataset.manifest.judges), Counter[str]()
    for score in scores:
        if score.kept:
            answered[score.judge][score.item_id or score.pair_id] += 1
            wrong[score.judge] += not score.item_id and score.choice != score.lure
    if {score.judge for score in scores} - named:
        yield f"scores.parquet: has judges {sorted({s.judge for s in scores})}; the manifest names {sorted(named)}"
    items = {item.item_id for pair in pairs.values() for item in pair.items}
    for name in sorted(named):
        if missing := min((set(pairs) - set(answered[name]), items - set(answered[name])), key=len):
            yield f"scores.parquet: {name} did not answer {len(missing)} of the set, {min(missing)} the first"
        if dataset.manifest.models.get(name, {}).get("decides", True) and wrong[name]:
            yield f"scores.parquet: {name} decides, and did not fall for the lure of {wrong[name]} pairs"
