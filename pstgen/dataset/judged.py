"""What each judge of a build reaches: ordinary questions of the source beside stress twins and pairs, neutral words apart."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pstgen.core.records import Pair, Score
from pstgen.core.statistics import CONFIDENCE, binomial
from pstgen.dataset.store import Dataset
from pstgen.models.panel import ORDINARY
from pstgen.questions.wording import NEUTRAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """How many of how many are right."""

    right: int
    of: int

    def __str__(self) -> str:
        """In per cent; "-" of nothing.

        >>> print(Hits(right=3, of=4), Hits(right=0, of=0))
        75.0% -
        """
        return f"{self.right / self.of:.1%}" if self.of else "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordinary:
    """Answers to ordinary questions of the source, balanced by their answers, from the words alone, calibrated.

    low, high: of the share that is right, 95 % (Clopper-Pearson). by_chance: how many a constant answer gets right.
    """

    right: int
    of: int
    low: float
    high: float
    by_chance: float

    def __str__(self) -> str:
        """Share, bounds and chance, in per cent."""
        bounds = f"[{self.low:.1%}, {self.high:.1%}]"
        return f"{self.right / self.of:.1%} {bounds}, chance {self.by_chance / self.of:.1%}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a judge gets right of some pairs: their stress twins, and whole pairs."""

    stress: Hits
    pairs: Hits


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One judge's line.

    sees: whether it was shown the pictures; a judge that was not gives all twins one answer, so it wins no pair.
    decides: whether a pair was kept only if it fell for the lure; None where that is not recorded. ordinary: None where it
    was not asked any. neutral: of pairs in neutral words, where the expectation is the reader's own; framed: of all
    others, where a claim suggests the lure.
    """

    judge: str
    sees: bool
    decides: bool | None
    ordinary: Ordinary | None
    neutral: Reached
    framed: Reached
    all: Reached

    def __str__(self) -> str:
        """In a sentence: the gap between ordinary questions and stress twins is what a build is about."""
        ordinary = self.ordinary
        usual = f"{ordinary.right / ordinary.of:.0%} of ordinary questions" if ordinary else ""
        usual = usual and f"{usual}{'' if self.sees else ' without looking'}, "
        stress, pairs = self.all.stress, self.all.pairs
        share = f"{stress.right / stress.of:.0%} of" if stress.of else "none of no"
        won = f"{pairs.right:,} of {pairs.of:,} pairs" if pairs.right else "0 pairs"
        return f"{self.judge}: right on {usual}{share} stress twins, {won}"


def of_dataset(dataset: Dataset) -> list[Judged]:
    """The lines of all judges of a finished set, blind ones first, each in the order of the manifest."""
    return table(dataset.pairs(), dataset.scores(), dataset.manifest.judges, dataset.manifest.models)


def table(
    pairs: Iterable[Pair], scores: Iterable[Score], judges: Iterable[str], models: Mapping[str, Mapping[str, Any]]
) -> list[Judged]:
    """One line for each judge that answered the wordings that were kept.

    judges: their names in order. models: what the manifest says of each, such as "ordinary questions".
    """
    by_id = {pair.pair_id: pair for pair in pairs}
    choices: defaultdict[str, defaultdict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for score in scores:
        if score.kept and score.pair_id in by_id:
            choices[score.judge][score.pair_id][score.item_id] = score.choice
    order = [*(name for name in judges if name in choices), *sorted(choices.keys() - set(judges))]
    lines = [_line(name, choices[name], by_id, models.get(name, {})) for name in order]
    return sorted(lines, key=lambda line: line.sees)


def widest_gap(lines: Iterable[Judged]) -> Judged | None:
    """The headline of a build: of the judges that saw no picture, the one whose ordinary questions and stress twins differ most.

    One that was asked no ordinary questions comes last; None where every judge saw.
    """

    def gap(line: Judged) -> float:
        ordinary, stress = line.ordinary, line.all.stress
        return ordinary.right / ordinary.of - stress.right / max(1, stress.of) if ordinary else -1.0

    return max((line for line in lines if not line.sees), key=gap, default=None)


def _line(
    name: str, choices: Mapping[str, Mapping[str, str]], pairs: Mapping[str, Pair], details: Mapping[str, Any]
) -> Judged:
    """choices: by pair, then by item; a blind judge has one, of the item "", for all twins."""
    answered = [(pairs[pair_id], by_item) for pair_id, by_item in choices.items()]
    return Judged(
        judge=name,
        sees=any("" not in by_item for by_item in choices.values()),
        decides=details.get("decides"),
        ordinary=_ordinary(details.get(ORDINARY)),
        neutral=_reached([each for each in answered if each[0].control.frame == NEUTRAL]),
        framed=_reached([each for each in answered if each[0].control.frame != NEUTRAL]),
        all=_reached(answered),
    )


def _reached(answered: Sequence[tuple[Pair, Mapping[str, str]]]) -> Reached:
    stress, won = list[bool](), list[bool]()
    for pair, choices in answered:
        right = [choices.get(item.item_id, choices.get("")) == item.answer for item in pair.items]
        stress += right[:-1]  # the control twin stands last
        won.append(all(right))
    return Reached(stress=Hits(right=sum(stress), of=len(stress)), pairs=Hits(right=sum(won), of=len(won)))


def _ordinary(counts: Mapping[str, float] | None) -> Ordinary | None:
    """What the manifest holds, with bounds; None where nothing was asked."""
    if not counts or not counts["of"]:
        return None
    right, total = int(counts["right"]), int(counts["of"])
    low, high = binomial(right, total, CONFIDENCE)
    return Ordinary(right=right, of=total, low=low, high=high, by_chance=counts["by chance"])
