"""Words and picture side by side, never related to each other: do they tell which twin is the stress twin?

An additive model scores an option by f(words) + g(picture) (EMAP, Hessel and Lee 2020). Twins share their words, so f cancels
and g alone puts them in order: the twin whose picture looks more as the lure's pictures look. Where it does so more often
than a coin, the odder picture is the stress twin, and a pair may be won without what the question is about.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pstgen.core import statistics
from pstgen.core.config import VerifyConfig
from pstgen.core.records import Item
from pstgen.dataset.store import Dataset
from pstgen.pairs.balance import halves_of
from pstgen.scenes.picture_features import Features
from pstgen.verification import probes
from pstgen.verification.findings import Finding, ProbeResult, Proportion
from pstgen.verification.probes import ENOUGH, MIN_PAIRS, PairFeatures

SECONDS = 15.0
SHARES = "pictures"
HALVINGS = 6  # of the scenes; what a pair reaches is its mean over those that test it
BINS = 64  # of a feature's values, and of lures: the commonest, and all the others
CLUE = "words + picture"


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Halve the scenes, learn on one half what is a stress twin's picture, and put the twins of the other half in order.

    Sound as long as no family with at least ENOUGH tested pairs has a lower bound that passes one half by
    `config.probe_over`. Scenes are halved, since nearly all of a large set's are tied together by some pair.
    """
    families = probes.by_family(probes.pictures(dataset))
    return find([pair for of_family in families.values() for pair in of_family], config)


def find(pairs: Sequence[PairFeatures], config: VerifyConfig) -> Finding:
    """The finding about these pairs; no two of one family show the same two scenes."""
    order = in_order(pairs, config.seed)
    results = tuple(_results(pairs, order, config))
    judged = [result for result in results if result.accuracy.total >= ENOUGH]
    return Finding(
        check="additive",
        summary=_summary(order, results),
        problems=tuple(_problem(result) for result in judged if not result.sound),
        figures={"order": float(np.nanmean(order))} if results else {},  # of all families' tested pairs
        probes=results,
        untested="" if judged else _too_few(results),
    )


def in_order(pairs: Sequence[PairFeatures], seed: int) -> NDArray[np.float64]:
    """(N,) of each pair, how often its twins are put in the right order, 0 to 1; NaN where no halving tests it."""
    import sklearn.ensemble  # noqa: F401 (whose threads are limited only once it is loaded)
    from threadpoolctl import threadpool_limits

    sums, tests = np.zeros(len(pairs)), np.zeros(len(pairs))
    with threadpool_limits(1):  # several threads sum in another order elsewhere
        for n in range(HALVINGS):
            halves = halves_of([pair.scenes for pair in pairs], f"{seed}/{n}")
            for train, test in (halves, halves[::-1]):
                if len(train) and len(test):
                    sums[test] += _right_order([pairs[k] for k in train], [pairs[k] for k in test], seed)
                    tests[test] += 1
    sums[tests == 0] = np.nan
    return sums / np.maximum(tests, 1)


def _right_order(train: Sequence[PairFeatures], test: Sequence[PairFeatures], seed: int) -> NDArray[np.float64]:
    """(N,) of each pair of `test`: 1 where the lure is thought likelier of the control twin, 0.5 where of both alike."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    codes = _codes(pair.control for pair in train)
    rows = [_rows(train, codes, twin) for twin in (0, 1)]  # of stress twins, of control twins
    model = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.1, max_leaf_nodes=15, min_samples_leaf=10, l2_regularization=1.0, max_bins=BINS,
        categorical_features=[0, 1, 2], early_stopping=False, random_state=seed,
    ).fit(np.concatenate(rows), np.repeat([0, 1], len(train)))  # fmt: skip
    stress, control = (model.decision_function(_rows(test, codes, twin)) for twin in (0, 1))
    order: NDArray[np.float64] = (np.sign(control - stress) + 1) / 2
    return order


def _rows(pairs: Sequence[PairFeatures], codes: Mapping[tuple[int, str], int], twin: int) -> Features:
    """(N, 3 + D): family, form and lure as numbers, then the picture."""
    kinds = [[codes.get(kind, BINS - 1) for kind in enumerate(_kind(pair.control))] for pair in pairs]
    pictures = [pair.features[twin] for pair in pairs]
    return np.column_stack([np.array(kinds), np.stack(pictures)]).astype(np.float32)


def _kind(item: Item) -> tuple[str, str, str]:
    """What is known of the words: never the thing that the question is about."""
    return item.family, f"{item.family} {item.form}", item.lure


def _codes(items: Iterable[Item]) -> dict[tuple[int, str], int]:
    """(column, value) → its number, the commonest first; those that are left out share the last number."""
    columns = zip(*map(_kind, items), strict=True)
    codes: dict[tuple[int, str], int] = {}
    for n, column in enumerate(columns):
        values, counts = np.unique(column, return_counts=True)
        codes |= {(n, str(values[k])): rank for rank, k in enumerate(np.argsort(-counts, kind="stable")[: BINS - 1])}
    return codes


def _results(pairs: Sequence[PairFeatures], order: NDArray[np.float64], config: VerifyConfig) -> Iterator[ProbeResult]:
    """Of each family with enough tested pairs to say anything."""
    names = np.array([pair.control.family for pair in pairs])
    for family in sorted(set(names.tolist())):
        tested = order[(names == family) & ~np.isnan(order)]
        if len(tested) >= MIN_PAIRS:
            share = _bounded(tested, config)
            sound = len(tested) < ENOUGH or share.low <= 0.5 + config.probe_over
            yield ProbeResult(clue=CLUE, attribute="role", accuracy=share, sound=sound, family=family)


def _bounded(order: NDArray[np.float64], config: VerifyConfig) -> Proportion:
    """Their mean, with a bootstrap's 95 % interval over pairs."""
    low, high = statistics.bootstrap_mean(order.tolist(), range(len(order)), statistics.DRAWS, config.seed)
    return Proportion(share=float(order.mean()), low=low, high=high, total=len(order))


def _summary(order: NDArray[np.float64], results: Sequence[ProbeResult]) -> str:
    tested = order[~np.isnan(order)]
    if not results:
        return f"{len(tested):,} pairs tested"
    most = max(results, key=lambda result: result.accuracy.low)
    return (
        f"{len(tested):,} pairs: words and picture, never related, put {tested.mean():.1%} of the twins in order, "
        f"where a coin does 50%; most surely in {most.family}: {most.accuracy}"
    )


def _problem(result: ProbeResult) -> str:
    return (
        f"{result.family}: words and picture, never related, tell the stress twin in {result.accuracy} "
        f"of {result.accuracy.total:,} pairs, so the odder picture tends to be the stress twin"
    )


def _too_few(results: Sequence[ProbeResult]) -> str:
    most = max(results, key=lambda result: result.accuracy.total, default=None)
    largest = f"the most are {most.accuracy.total}, of {most.family}" if most else f"none has {MIN_PAIRS}"
    return f"too few pairs to say: no family has {ENOUGH} that could be tested, {largest}"
