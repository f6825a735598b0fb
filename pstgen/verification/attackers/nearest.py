"""The answer of the question that is most alike, by the letters of its words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pstgen.verification.attackers import Resources
from pstgen.verification.samples import Sample

NEIGHBOURS = 5
BATCH = 500  # questions at once, so that memory does not grow with the square of the set


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is drawn)
    """Let the nearest questions vote, the more alike the more."""
    distances, neighbours = nearest(train, test)
    scores = []
    for sample, to_each, indices in zip(test, distances, neighbours, strict=True):
        votes = dict.fromkeys(sample.options, 0.0)
        for distance, n in zip(to_each.tolist(), indices.tolist(), strict=True):
            if train[n].correct_option in votes:
                votes[train[n].correct_option] += float(np.exp(-distance))
        scores.append(tuple(votes[option] for option in sample.options))
    return scores


def nearest(train: Sequence[Sample], test: Sequence[Sample]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(N, NEIGHBOURS) cosine distances of the questions of `test` to their nearest of `train`, and which those are."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.neighbors import NearestNeighbors

    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, max_features=20_000)
    known = letters.fit_transform([sample.question for sample in train])
    index = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(train)), metric="cosine").fit(known)
    queries = letters.transform([sample.question for sample in test])
    batches = [index.kneighbors(queries[start : start + BATCH]) for start in range(0, len(test), BATCH)]
    distances, neighbours = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return distances, neighbours
