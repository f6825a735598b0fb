"""The commonest one and two words of question and options, and the options' order; gradient-boosted trees."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pstgen.verification.attackers import Resources
from pstgen.verification.samples import Sample

MAX_WORDS = 300  # features: single words and two in a row
MAX_OPTIONS = 8  # whose order is a feature


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:
    """Predict whether the correct option is the first of the alphabet, the second, …, so that words count and letters do not.

    Were every option a row of its own, correct or not, words would count only together with it, and in pairs, where each
    answer is correct once, a tree would see nothing to begin with.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.feature_extraction.text import CountVectorizer

    words = CountVectorizer(max_features=MAX_WORDS, binary=True, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b")  # noqa: S106 (a regular expression)
    words.fit([sample.words for sample in train])
    answers = [alphabetical_ranks(sample)[sample.answer] for sample in train]
    if len(set(answers)) < 2:
        return [tuple(float(rank == answers[0]) for rank in alphabetical_ranks(sample)) for sample in test]

    def features(samples: Sequence[Sample]) -> NDArray[np.float32]:
        orders = [(alphabetical_ranks(sample) + [-1] * MAX_OPTIONS)[:MAX_OPTIONS] for sample in samples]
        counts = words.transform([sample.words for sample in samples]).toarray()
        return np.column_stack([counts, orders]).astype(np.float32)

    model = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.2, max_leaf_nodes=15, random_state=resources.seed
    )
    model.fit(features(train), answers)
    probabilities = [
        dict(zip(model.classes_.tolist(), row, strict=True)) for row in model.predict_proba(features(test)).tolist()
    ]
    return [
        tuple(by_rank.get(rank, 0.0) for rank in alphabetical_ranks(sample))
        for sample, by_rank in zip(test, probabilities, strict=True)
    ]


def alphabetical_ranks(sample: Sample) -> list[int]:
    """Of each option, as it stands, its place in the alphabetical order."""
    order = sorted(sample.options)
    return [order.index(option) for option in sample.options]
