"""Pairs are evened out, so that the picture alone does not tell which twin is which.

What is unusual tends to look unusual: where four cups stand on a table, one sees it without the question. So, family by
family, a classifier that knows only the pictures, and has learnt from other scenes, says of each pair which twin is the stress
twin, and which answers "yes". Where it is right more often than a coin, and probably not by chance, among the pairs of
which it is about as sure as many stay that it gets wrong as right: matching by a propensity score (Rosenbaum and Rubin
1983).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pstgen.core import workers
from pstgen.core.records import Item, Pair, Scene, origin
from pstgen.core.statistics import clopper_pearson
from pstgen.scenes import pixels
from pstgen.scenes.picture_features import Features, picture

ENOUGH = 100  # pairs of a family, below which too little can be learnt of their pictures
HALVINGS = 8  # of the scenes: a pair is judged by what was learnt from the other half, whenever its twins fall into one
GROUPS = 4  # of pairs of which the classifier is about equally sure
CONFIDENCE = 0.8  # that it is right more often than a coin
DIGITS = 6  # of a lead: later ones change with the processor
ROUNDS = 3  # at most

Twins = tuple[Item, Item]
Look = Mapping[str, Features]  # by item id
Attribute = Literal["role", "answer"]
YES_NO = {"yes", "no"}
REASON = "the picture alone would tell which twin is which, as of too many"


def even(
    pairs: Sequence[Pair], gallery: Mapping[str, Scene], cores: int = 1, dropped: Counter[tuple[str, str]] | None = None
) -> list[Pair]:
    """Drop pairs until no classifier of pictures surely tells the twins of a family apart; at most ROUNDS times.

    gallery: by id, the scenes that the pairs show, with their images on the disk. dropped: counts what is not kept, by family
    and reason.
    """
    sizes = Counter(pair.family for pair in pairs)
    if not sizes or max(sizes.values()) < ENOUGH:
        return list(pairs)
    look, kept = _look([pair for pair in pairs if sizes[pair.family] >= ENOUGH], gallery, cores), list(pairs)
    for _ in range(ROUNDS):
        before = len(kept)
        for attribute, learn in ATTACKS:
            parts = ((of_family, _look_of(of_family, look)) for of_family in _families(kept))
            evened = workers.parallel_map(partial(_evened, attribute, learn), parts, cores, batch=1)
            kept = [pair for of_family in evened for pair in of_family]
        if len(kept) == before:
            break
    if dropped is not None:
        sizes.subtract(pair.family for pair in kept)
        dropped.update({(family, REASON): n for family, n in sizes.items() if n})
    left = {pair.pair_id for pair in kept}
    return [pair for pair in pairs if pair.pair_id in left]


def _look(pairs: Sequence[Pair], gallery: Mapping[str, Scene], cores: int) -> Look:
    """Each item's picture as a few numbers, and before them the place of its mark, 0 to 1, or -1 where there is none."""
    shown = sorted({_file(item, gallery) for pair in pairs for item in pair.items})
    features = dict(zip(shown, workers.parallel_map(_features, shown, cores), strict=True))

    def look(item: Item) -> Features:
        scene = gallery[item.scene_id]
        mark = (item.mark[0] / scene.width, item.mark[1] / scene.height) if item.mark else (-1.0, -1.0)
        return np.concatenate([np.array(mark, np.float32), features[_file(item, gallery)]])

    return {item.item_id: look(item) for pair in pairs for item in pair.items}


def _look_of(pairs: Iterable[Pair], look: Look) -> Look:
    return {item.item_id: look[item.item_id] for pair in pairs for item in pair.items if item.item_id in look}


def _file(item: Item, gallery: Mapping[str, Scene]) -> str:
    """Of its picture: one that was made for it, or the scene's."""
    return item.image or gallery[item.scene_id].path


def _features(path: str) -> Features:
    return picture(pixels.read(path))


def _families(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    families: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        families[pair.family].append(pair)
    yield from families.values()


def _evened(attribute: Attribute, learn: Callable[[], Any], part: tuple[list[Pair], Look]) -> list[Pair]:
    """The pairs of one family, without those that make it too easy. A group counts with each of its stress twins."""
    pairs, look = part
    tried = [pair for pair in pairs if attribute == "role" or set(pair.options) == YES_NO]
    if len(tried) < ENOUGH:
        return pairs
    owners, twins = zip(
        *((n, twins) for n, pair in enumerate(tried) for twins in _ordered(pair, attribute)), strict=True
    )
    lead: NDArray[np.float64] = np.round(np.bincount(owners, weights=leads(twins, look, learn)), DIGITS)
    gone = {tried[n].pair_id for n in _surplus(lead)}
    return [pair for pair in pairs if pair.pair_id not in gone]


def _ordered(pair: Pair, attribute: Attribute) -> Iterator[Twins]:
    """Each stress twin beside the control twin; or first the twin that answers "yes"."""
    for stress in pair.stress:
        first = attribute == "role" or stress.answer == "yes"
        yield (stress, pair.control) if first else (pair.control, stress)


def leads(pairs: Sequence[Twins], look: Look, learn: Callable[[], Any]) -> NDArray[np.float64]:
    """(N,) of each two twins, by how much the first looks more like a first twin than the second does.

    What is learnt is learnt from scenes of the other half. 0 where no halving tests them.
    """
    import sklearn.ensemble  # noqa: F401 (whose threads are limited only once it is loaded)
    from threadpoolctl import threadpool_limits

    first, second = (np.stack([look[twins[n].item_id] for twins in pairs]) for n in (0, 1))
    scenes = [frozenset(origin(item.scene_id) for item in twins) for twins in pairs]
    sums, tests = np.zeros(len(pairs)), np.zeros(len(pairs))
    with threadpool_limits(1):  # several threads sum in another order elsewhere
        for n in range(HALVINGS):
            halves = halves_of(scenes, f"balance/{n}")
            for train, test in (halves, halves[::-1]):
                if len(train) and len(test):
                    model = learn().fit(np.concatenate([first[train], second[train]]), np.repeat([1, 0], len(train)))
                    sums[test] += model.decision_function(first[test]) - model.decision_function(second[test])
                    tests[test] += 1
    return sums / np.maximum(tests, 1)


def halves_of(scenes: Sequence[frozenset[str]], salt: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the pairs whose scenes are all in one half, and of those whose scenes are all in the other.

    scenes: that each pair shows. Scenes are halved, since nearly all of a large set's are tied together by some pair.
    """
    half = {scene: sha256(f"{salt}/{scene}".encode()).digest()[0] % 2 for scene in set[str]().union(*scenes)}
    sides = [{half[scene] for scene in names} for names in scenes]
    first, second = (np.array([n for n, side in enumerate(sides) if side == {which}], np.int64) for which in (0, 1))
    return first, second


def _surplus(lead: NDArray[np.float64]) -> Iterator[int]:
    """Of each group of about equal leads, the last of those that are right beyond as many as are wrong; none where chance may do it."""
    right = (lead[lead != 0] > 0).astype(np.int64)
    if not len(right) or clopper_pearson(right, len(right), CONFIDENCE)[0] <= 0.5:
        return
    order = np.argsort(np.abs(lead), kind="stable")
    for group in np.array_split(order, GROUPS):
        hits = sorted(int(n) for n in group if lead[n] > 0)
        yield from hits[int(np.sum(lead[group] < 0)) :]


def _linear() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=0.02, max_iter=300))


def _boosted() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, min_samples_leaf=10, l2_regularization=1.0, max_bins=64, early_stopping=False, random_state=0
    )  # fmt: skip


ATTACKS: tuple[tuple[Attribute, Callable[[], Any]], ...] = (("role", _linear), ("answer", _linear), ("role", _boosted))
