"""Runs attackers/ over cases, ours or of other people's benchmarks, and says what words alone reach."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from pstgen import cases, plugins
from pstgen.cases import Case
from pstgen.config import VerifyConfig

BY_LURE = frozenset({"lured", "contrarian"})


@dataclass(frozen=True)
class Reached:
    """What one attacker reached: shares of items, of stress and control twins and of pairs, with bounds.

    ceiling: of items, where every pair is hit once; chance: of items, by drawing options. seconds: of the attack.
    """

    attacker: str
    items: float
    items_low: float
    items_high: float
    stress: float
    control: float
    pairs: float
    pairs_high: float
    ceiling: float
    chance: float
    seconds: float


def run(told: Sequence[Case], config: VerifyConfig) -> Iterator[Reached]:
    """Every attacker that fits: those that go by the lure need one."""
    for name in plugins.names("attackers"):
        if name not in BY_LURE or all(case.lure >= 0 for case in told):
            start = perf_counter()
            yield reach(name, told, attack(told, name, config), config.confidence, start)


def attack(told: Sequence[Case], name: str, config: VerifyConfig) -> list[int]:
    """The attacker's choice of every case, from a model that saw neither its pair nor its scene."""
    fold = cases.folds(told, config.folds, config.seed)
    chosen = [0] * len(told)
    for held in np.unique(fold).tolist():
        learnt = [case for case, n in zip(told, fold, strict=True) if n != held]
        asked = [n for n in range(len(told)) if fold[n] == held]
        if learnt:
            scores = plugins.load("attackers", name).attack(learnt, [told[n] for n in asked], config.seed)
            for n, line in zip(asked, scores, strict=True):
                chosen[n] = int(np.argmax(line))
    return chosen


def reach(
    name: str, told: Sequence[Case], chosen: Sequence[int], confidence: float, start: float | None = None
) -> Reached:
    """Count what was won, with Clopper-Pearson intervals.

    Twins share their words, so a pair is one draw: a guess by the words hits one of its twins or none. Of pairs that were
    hit the share is a binomial; times pairs over items it is the items' accuracy, bounded alike. Where no pair has twins,
    that is the plain interval of items.
    """
    from scipy.stats import binomtest

    pairs: defaultdict[str, list[tuple[str, bool]]] = defaultdict(list)
    for case, choice in zip(told, chosen, strict=True):
        pairs[case.pair].append((case.role, choice == case.answer))
    hits = [[hit for _, hit in twins] for twins in pairs.values()]
    interval = binomtest(sum(map(any, hits)), len(hits)).proportion_ci(confidence)
    won, share = sum(map(all, hits)), len(hits) / len(told)

    def of(role: str) -> float:
        some = [hit for twins in pairs.values() for other, hit in twins if other == role]
        return sum(some) / max(1, len(some))

    return Reached(
        attacker=name,
        items=sum(map(sum, hits)) / len(told),
        items_low=interval.low * share,
        items_high=interval.high * share,
        stress=of("stress"),
        control=of("control"),
        pairs=won / len(hits),
        pairs_high=binomtest(won, len(hits)).proportion_ci(confidence).high,
        ceiling=share,
        chance=float(np.mean([1 / len(case.options) for case in told])),
        seconds=round(perf_counter() - start, 1) if start else 0.0,
    )
