"""How likely a language model finds each option: beside its question, and alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pstgen.models.huggingface import open_checked
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
        _known.update(zip(((resources.lm, key) for key in missing), _score(resources, missing), strict=True))
    return [_known[resources.lm, (sample.question, sample.options)] for sample in samples]


def _score(resources: Resources, keys: Sequence[Key]) -> list[NDArray[np.float64]]:
    """Rows that are about equally long are scored side by side."""
    model = open_checked(resources.lm, "text", resources.options)
    order = sorted(range(len(keys)), key=lambda n: len(keys[n][0]) + max(map(len, keys[n][1])))
    endings = [[f" {option}" for option in keys[n][1]] for n in order]
    beside = model.score_texts([ASKED.format(keys[n][0]) for n in order], endings)
    alone = model.score_texts([ALONE] * len(order), endings)
    of_key = dict(zip(order, map(np.column_stack, zip(beside, alone, strict=True)), strict=True))
    return [of_key[n] for n in range(len(keys))]
