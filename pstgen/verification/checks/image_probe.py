"""Does an edited image give its answer away to somebody who does not know the question?"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pstgen.core.config import VerifyConfig
from pstgen.core.records import Finding
from pstgen.dataset.store import Dataset
from pstgen.verification import probes
from pstgen.verification.checks import untested
from pstgen.verification.probes import LEAST, Numbers


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Of each edited pair the probe says which image has which answer; blind to the question it is right half the time.

    Its answers are sound as long as the lower bound of its accuracy does not pass one half by `config.probe_over`.
    """
    seen = (
        (picture.item, look(probes.decoded(picture)))
        for picture in probes.pictures(dataset)
        if picture.item.twin != "retrieved"
    )
    couples = probes.couples(seen)
    if len(couples) < LEAST:
        return untested("image_probe", f"{len(couples)} edited pairs, too few to probe")
    told = probes.told(couples, "answer", probe, config)
    summary = f"{len(couples):,} edited pairs: which image has which answer, not knowing the question: {told}"
    leaks = told.low > 0.5 + config.probe_over
    problems = (f"edited images give their answer away: {summary}",) if leaks else ()
    return Finding(check="image_probe", summary=summary, problems=problems, figures=told.figures("answer"))


def look(image: NDArray[np.uint8]) -> Numbers:
    """(D,) of an (H, W, 3) image: its residuals, and the picture, coarsely."""
    return np.concatenate([probes.coarse(image), probes.residuals(image)])


def probe() -> Any:
    """The classifier that looks at two images: linear, since folds are small."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=0.1, max_iter=200)
