"""Can a classifier of the words win, when it is trained on the finished set itself, folds grouped by pair?"""

from collections import defaultdict

from pstgen.config import VerifyConfig
from pstgen.judges import text
from pstgen.records import Finding
from pstgen.store import Dataset


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Train, attack, and bound.

    A pair is one draw, not several: its twins share their words. A guess by the words hits one twin or none, so the share
    of pairs hit is a binomial (Clopper-Pearson interval); times pairs over items it is the item accuracy, bounded alike.
    """
    from scipy.stats import binomtest

    items = list(dataset.items())
    told = text.by_family(items, folds=config.folds, seed=config.seed)
    right: defaultdict[str, list[tuple[str, bool]]] = defaultdict(list)
    for item, logprobs in zip(items, told, strict=True):
        hit = max(range(len(logprobs)), key=logprobs.__getitem__) == item.answer_index
        right[item.pair_id].append((item.role, hit))
    won = [name for name, twins in right.items() if all(hit for _, hit in twins)]
    lucky = sum(any(hit for _, hit in twins) for twins in right.values())
    interval = binomtest(lucky, len(right)).proportion_ci(config.confidence)
    share = len(right) / len(items)
    figures = {
        "item_accuracy": sum(hit for twins in right.values() for _, hit in twins) / len(items),
        "item_accuracy_low": interval.low * share,
        "item_accuracy_high": interval.high * share,
        "stress_accuracy": _share(right, "stress"),
        "control_accuracy": _share(right, "control"),
        "pair_accuracy": len(won) / len(right),
    }
    summary = (
        f"items {figures['item_accuracy']:.1%} [{interval.low * share:.1%}, {interval.high * share:.1%}], stress "
        f"{figures['stress_accuracy']:.1%}, control {figures['control_accuracy']:.1%}, pairs {figures['pair_accuracy']:.1%}"
    )
    problems = tuple(f"pair {name}: is won by its words, so they are not the same" for name in won[:20])
    return Finding(check="text_attacker", summary=summary, problems=problems, figures=figures)


def _share(right: dict[str, list[tuple[str, bool]]], role: str) -> float:
    hits = [hit for twins in right.values() for other, hit in twins if other == role]
    return sum(hits) / max(1, len(hits))
