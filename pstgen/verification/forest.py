"""A random forest that predicts which letter is correct."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pstgen.verification.samples import Sample


def by_letter(
    known: NDArray[np.float64],
    train: Sequence[Sample],
    features: NDArray[np.float64],
    test: Sequence[Sample],
    seed: int,
) -> list[tuple[float, ...]]:
    """Predict the letter by features: known, those of `train`, and those of `test`, (samples, features) each."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(n_estimators=100, min_samples_leaf=5, random_state=seed, n_jobs=1)
    model.fit(known, [sample.answer for sample in train])
    letters = model.classes_.tolist()
    shares = [dict(zip(letters, row, strict=True)) for row in model.predict_proba(features).tolist()]
    return [
        tuple(of_letter.get(n, 0.0) for n in range(len(sample.options)))
        for sample, of_letter in zip(test, shares, strict=True)
    ]
