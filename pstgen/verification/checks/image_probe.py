"""Does an edited image give its answer away to somebody who does not know the question?"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pstgen.core.config import VerifyConfig
from pstgen.dataset.store import Dataset
from pstgen.verification import probes
from pstgen.verification.findings import Finding, ProbeResult, untested
from pstgen.verification.probes import MIN_PAIRS, Features

SECONDS = 5.0


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Of each edited pair the probe says which image has which answer; blind to the question it is right half the time.

    Its answers are sound as long as the lower bound of its accuracy does not pass one half by `config.probe_over`.
    """
    edited = (file for file in probes.image_files(dataset) if file.item.twin != "retrieved")
    pairs = probes.paired((file.item, features(probes.decoded(file))) for file in edited)
    if len(pairs) < MIN_PAIRS:
        return untested("image_probe", f"{len(pairs)} edited pairs, too few to probe")
    accuracy = probes.accuracy(pairs, "answer", classifier, config)
    summary = f"{len(pairs):,} edited pairs: which image has which answer, not knowing the question: {accuracy}"
    sound = accuracy.low <= 0.5 + config.probe_over
    return Finding(
        check="image_probe",
        summary=summary,
        problems=() if sound else (f"edited images give their answer away: {summary}",),
        probes=(ProbeResult(clue="picture", attribute="answer", accuracy=accuracy, sound=sound),),
    )


def features(image: NDArray[np.uint8]) -> Features:
    """(D,) of an (H, W, 3) image: its residuals, and the image, coarsely."""
    return np.concatenate([probes.coarse(image), probes.residuals(image)])


def classifier() -> Any:
    """The classifier that is given two images: linear, since folds are small."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=0.1, max_iter=200)
