"""Does an edited image give its answer away to somebody who does not know the question?"""

from collections import defaultdict
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.config import VerifyConfig
from pstgen.judges.text import folds_of
from pstgen.records import Finding, origin
from pstgen.store import Dataset
from pstgen.truth import pixels

LEVELS = 2  # residuals are cut off at, as in SPAM features (Pevny, Bas and Fridrich 2010)
GRID = 8  # cells a side, of the coarse picture
LEAST = 20  # pairs, to say anything
FILTERS = ([[0, 0, 0], [-1, 1, 0], [0, 0, 0]], [[0, -1, 0], [0, 1, 0], [0, 0, 0]], [[0, 1, 0], [1, -4, 1], [0, 1, 0]])


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Of each edited pair the probe says which image has which answer; blind to the question it is right half the time.

    Its answers are sound as long as the lower bound of its accuracy does not pass one half.
    """
    pairs: defaultdict[str, list[tuple[str, str, NDArray[np.float32]]]] = defaultdict(list)
    for row in dataset.rows():
        if row.item.twin != "retrieved":
            look = features(pixels.decoded(row.image))
            pairs[row.item.pair_id].append((row.item.answer, origin(row.item.scene_id), look))
    twins = [sorted(told, key=lambda twin: twin[0]) for _, told in sorted(pairs.items()) if len(told) == 2]
    if len(twins) < LEAST:
        return Finding(check="image_probe", summary=f"{len(twins)} edited pairs, too few to probe")
    right = probe(
        np.stack([first for (_, _, first), _ in twins]),
        np.stack([second for _, (_, _, second) in twins]),
        [scene for (_, scene, _), _ in twins],
        folds=config.folds,
        seed=config.seed,
    )
    from scipy.stats import binomtest

    interval = binomtest(int(right.sum()), len(right)).proportion_ci(config.confidence)
    figures = {"accuracy": float(right.mean()), "accuracy_low": interval.low, "accuracy_high": interval.high}
    summary = (
        f"{len(right):,} edited pairs: which image has which answer, not knowing the question: "
        f"{right.mean():.1%} [{interval.low:.1%}, {interval.high:.1%}]"
    )
    seen = interval.low > 0.5
    problems = (f"edited images give their answer away: {summary}",) if seen else ()
    return Finding(check="image_probe", summary=summary, problems=problems, figures=figures)


def features(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N,) of an (H, W, 3) image: how neighbouring high-pass residuals go together, and the picture, coarsely."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    told = [cv2.resize(grey, (GRID, GRID), interpolation=cv2.INTER_AREA).ravel() / 255]
    for kernel in FILTERS:
        rest = np.clip(np.rint(cv2.filter2D(grey, cv2.CV_32F, np.array(kernel, np.float32)) / 2), -LEVELS, LEVELS)
        level = (rest + LEVELS).astype(np.int64)
        for one, other in ((level[:, :-1], level[:, 1:]), (level[:-1], level[1:])):
            counted = np.bincount((one * (2 * LEVELS + 1) + other).ravel(), minlength=(2 * LEVELS + 1) ** 2)
            told.append(np.sqrt(counted / counted.sum()))
    return np.concatenate(told).astype(np.float32)


def probe(
    first: NDArray[np.float32], second: NDArray[np.float32], scenes: Sequence[str], *, folds: int, seed: int
) -> NDArray[np.bool_]:
    """Of each pair, is it told which is which? (N,) bool.

    first, second: (N, features) of the images with the alphabetically first and second answer. Logistic regression of
    their difference, each pair learnt both ways round, folds grouped by scene.
    """
    from sklearn.linear_model import LogisticRegression

    difference = first - second
    difference /= difference.std(0) + 1e-6
    fold = folds_of(scenes, folds, seed)
    right = np.zeros(len(first), dtype=bool)
    for held in np.unique(fold):
        learnt = difference[fold != held]
        if len(learnt):
            labels = np.repeat([1, 0], len(learnt))
            model = LogisticRegression(C=0.1, max_iter=200, fit_intercept=False)
            model.fit(np.concatenate([learnt, -learnt]), labels)
            right[fold == held] = model.decision_function(difference[fold == held]) > 0
    return right
