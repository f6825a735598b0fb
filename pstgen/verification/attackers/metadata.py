"""No words at all: letters, lengths, the order of options, the place of the question in the set."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pstgen.verification.attackers import Resources
from pstgen.verification.samples import Sample

MAX_OPTIONS = 8  # whose lengths and order are features


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:
    """Predict which *letter* is correct; a forest finds what lengths and orders have to do with it."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(n_estimators=100, min_samples_leaf=5, random_state=resources.seed, n_jobs=1)
    model.fit(features(train), [sample.answer for sample in train])
    probabilities = [
        dict(zip(model.classes_.tolist(), row, strict=True)) for row in model.predict_proba(features(test)).tolist()
    ]
    return [
        tuple(by_letter.get(n, 0.0) for n in range(len(sample.options)))
        for sample, by_letter in zip(test, probabilities, strict=True)
    ]


def features(samples: Sequence[Sample]) -> NDArray[np.float64]:
    """(samples, features): the form of each, and where its pair begins, which is the same for twins (see `order`)."""
    begins: dict[str, int] = {}
    for sample in samples:
        begins.setdefault(sample.pair, sample.position)
    return np.stack([[*form(sample), begins[sample.pair], begins[sample.pair] % 2] for sample in samples])


def form(sample: Sample) -> list[int]:
    """Number of options; letters, spaces and commas of the question; length and alphabetical rank of each option."""
    ranks = {option: rank for rank, option in enumerate(sorted(sample.options))}
    lengths = [len(option) for option in sample.options[:MAX_OPTIONS]]
    order = [ranks[option] for option in sample.options[:MAX_OPTIONS]]
    missing = MAX_OPTIONS - len(lengths)
    question = [len(sample.question), sample.question.count(" "), sample.question.count(",")]
    return [len(sample.options), *question, *lengths, *[0] * missing, *order, *[-1] * missing]
