"""How likely a language model finds each option: beside its question, and alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pstgen.models.huggingface import Model, open_checked
from pstgen.verification.attackers import Resources
from pstgen.verification.samples import Sample

ALONE = "Answer:"  # instead of a question
ASKED = "Question: {}\nAnswer:"
Key = tuple[str, tuple[str, ...]]

_known: dict[tuple[str, Key], NDArray[np.float64]] = {}  # by model and question: folds ask for the same ones again


def likelihoods(resources: Resources, samples: Sequence[Sample]) -> list[NDArray[np.float64]]:
    """Of each sample (options, 2): nats of an option beside the question, and alone. Raises Unavailable where no model loads."""
    keys = dict.fromkeys((sample.question, sample.options) for sample in samples)
    missing = [key for key in keys if (resources.lm, key) not in _known]
    if missing:
        model = open_checked(resources.lm, "text", resources.options)
        _known.update({(resources.lm, key): _score(model, key) for key in missing})
    return [_known[resources.lm, (sample.question, sample.options)] for sample in samples]


def _score(model: Model, key: Key) -> NDArray[np.float64]:
    question, options = key
    rows = model.score_texts([ASKED.format(question), ALONE], [f" {option}" for option in options])
    return np.array(rows).T
