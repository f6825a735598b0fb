"""Can a classifier of the words win, when it is trained on the finished set itself, folds grouped by pair?"""

from collections import defaultdict

from pstgen.config import VerifyConfig
from pstgen.judges import text
from pstgen.records import Finding
from pstgen.store import Dataset


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Train, attack, and bound.

    A pair is one draw, not two: its twins share their words. A guess by the words hits one twin or none, so the share
    of pairs hit is a binomial (Clopper-Pearson interval), and half of it is the item accuracy, bounded alike.
    """
    from scipy.stats import binomtest

    items = list(dataset.items())
    told = text.cross_fit(
        [text.words(item) for item in items],
        [item.answer for item in items],
        [item.options for item in items],
        [item.pair_id for item in items],
        folds=config.folds,
        seed=config.seed,
    )
    right: defaultdict[str, dict[str, bool]] = defaultdict(dict)
    for item, logprobs in zip(items, told, strict=True):
        right[item.pair_id][item.role] = max(range(len(logprobs)), key=logprobs.__getitem__) == item.answer_index
    pairs, hit = len(right), sum(any(twins.values()) for twins in right.values())
    won = [name for name, twins in right.items() if all(twins.values())]
    interval = binomtest(hit, pairs).proportion_ci(config.confidence)
    figures = {
        "item_accuracy": sum(sum(twins.values()) for twins in right.values()) / len(items),
        "item_accuracy_low": interval.low / 2,
        "item_accuracy_high": interval.high / 2,
        "stress_accuracy": sum(twins.get("stress", False) for twins in right.values()) / pairs,
        "control_accuracy": sum(twins.get("control", False) for twins in right.values()) / pairs,
        "pair_accuracy": len(won) / pairs,
    }
    summary = (
        f"items {figures['item_accuracy']:.1%} [{interval.low / 2:.1%}, {interval.high / 2:.1%}], stress "
        f"{figures['stress_accuracy']:.1%}, control {figures['control_accuracy']:.1%}, pairs {figures['pair_accuracy']:.1%}"
    )
    problems = tuple(f"pair {name}: is won by its words, so they are not the same" for name in won[:20])
    return Finding(check="text_attacker", summary=summary, problems=problems, figures=figures)
