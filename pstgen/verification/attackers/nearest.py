"""The answer of the question that is most alike, by the letters of its words."""

from collections.abc import Sequence

import numpy as np

from pstgen.verification.attackers import Means
from pstgen.verification.samples import Case

NEIGHBOURS = 5
AT_ONCE = 500  # questions, so that memory does not grow with the square of the set


def attack(learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is drawn)
    """Let the nearest questions vote, the more alike the more."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.neighbors import NearestNeighbors

    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, max_features=20_000)
    known = letters.fit_transform([case.question for case in learnt])
    index = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(learnt)), metric="cosine").fit(known)
    found = letters.transform([case.question for case in asked])
    parts = [index.kneighbors(found[start : start + AT_ONCE]) for start in range(0, len(asked), AT_ONCE)]
    distances, rows = (np.concatenate(some) for some in zip(*parts, strict=True))
    told = []
    for case, distance, row in zip(asked, distances, rows, strict=True):
        votes = dict.fromkeys(case.options, 0.0)
        for far, n in zip(distance.tolist(), row.tolist(), strict=True):
            answer = learnt[n].options[learnt[n].answer]
            if answer in votes:
                votes[answer] += float(np.exp(-far))
        told.append(tuple(votes[option] for option in case.options))
    return told
