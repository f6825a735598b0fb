"""How likely a language model finds each option, beside the question and alone, and how long it is: what that tells is learnt."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pstgen.verification.attackers import Resources
from pstgen.verification.likelihood import likelihoods
from pstgen.verification.samples import Sample

NEEDS = frozenset({"lm"})


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:
    """Options of a question against each other: what counts is by how much one surpasses their mean."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(random_state=resources.seed))
    right = [n == sample.answer for sample in train for n in range(len(sample.options))]
    model.fit(np.concatenate(_features(train, resources)), right)
    return [tuple(model.decision_function(rows).tolist()) for rows in _features(test, resources)]


def _features(samples: Sequence[Sample], resources: Resources) -> list[NDArray[np.float64]]:
    """Of each sample (options, 4)."""
    rows = [
        np.column_stack([likely, [(len(option), len(option.split())) for option in sample.options]])
        for sample, likely in zip(samples, likelihoods(resources, samples), strict=True)
    ]
    return [row - row.mean(axis=0) for row in rows]
