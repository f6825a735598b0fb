"""Can anybody win by the words alone, who is trained on the finished set itself?"""

from collections import defaultdict
from collections.abc import Sequence
from time import perf_counter

import numpy as np

from pstgen import cases, plugins
from pstgen.cases import Case
from pstgen.config import VerifyConfig
from pstgen.records import Finding
from pstgen.store import Dataset


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Every attacker is trained and asked in folds grouped by pair and by scene; none may pass `config.most_items`."""
    told = [cases.of(item) for item in dataset.items()]
    figures: dict[str, float] = {}
    problems, lines = list[str](), list[str]()
    for name in plugins.names("attackers"):
        start = perf_counter()
        reached = reach(told, attack(told, name, config), config.confidence)
        figures |= {f"{name}/{what}": figure for what, figure in reached.items()}
        figures[f"{name}/seconds"] = round(perf_counter() - start, 1)
        lines.append(f"{name} {reached['items']:.1%} [{reached['items_low']:.1%}, {reached['items_high']:.1%}]")
        if reached["items_high"] > reached["ceiling"] + config.most_over:
            problems.append(
                f"{name} reaches {reached['items']:.1%} of the items, at most {reached['items_high']:.1%}; "
                f"words alone should reach {reached['ceiling']:.1%}"
            )
        if reached["pairs"] > 0:
            problems.append(f"{name} wins {reached['pairs']:.2%} of the pairs, so the words of twins are not the same")
    return Finding(
        check="attackers",
        summary="items by words alone: " + ", ".join(lines),
        problems=tuple(problems),
        figures=figures,
    )


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


def reach(told: Sequence[Case], chosen: Sequence[int], confidence: float) -> dict[str, float]:
    """Shares of items, of stress and control twins and of pairs that are won, with Clopper-Pearson intervals.

    Twins share their words, so a pair is one draw: a guess by the words hits one of its twins or none. Of pairs that were
    hit the share is a binomial; times pairs over items it is the items' accuracy, bounded alike. ceiling: what is reached
    where every pair is hit once.
    """
    from scipy.stats import binomtest

    pairs: defaultdict[str, list[tuple[str, bool]]] = defaultdict(list)
    for case, choice in zip(told, chosen, strict=True):
        pairs[case.pair].append((case.role, choice == case.answer))
    hits = {name: [hit for _, hit in twins] for name, twins in pairs.items()}
    interval = binomtest(sum(map(any, hits.values())), len(hits)).proportion_ci(confidence)
    won = sum(map(all, hits.values()))
    share = len(hits) / len(told)

    def of(role: str) -> float:
        some = [hit for twins in pairs.values() for other, hit in twins if other == role]
        return sum(some) / max(1, len(some))

    return {
        "items": sum(map(sum, hits.values())) / len(told),
        "items_low": interval.low * share,
        "items_high": interval.high * share,
        "stress": of("stress"),
        "control": of("control"),
        "pairs": won / len(hits),
        "pairs_high": binomtest(won, len(hits)).proportion_ci(confidence).high,
        "ceiling": share,
    }
