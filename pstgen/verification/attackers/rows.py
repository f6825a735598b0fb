"""The place of the row in the file, which no model sees: where its pair begins, whether that is odd."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pstgen.verification import forest
from pstgen.verification.attackers import Resources
from pstgen.verification.samples import Sample

BY_ROWS = True


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:
    """Predict which *letter* is correct."""
    return forest.by_letter(_places(train), train, _places(test), test, resources.seed)


def _places(samples: Sequence[Sample]) -> NDArray[np.float64]:
    """(samples, 3): where each one's pair begins, the same for twins (see `order`); its remainder; number of options."""
    begins: dict[str, int] = {}
    for sample in samples:
        begins.setdefault(sample.pair, sample.position)
    places = ((begins[sample.pair], len(sample.options)) for sample in samples)
    return np.array([[begin, begin % 2, options] for begin, options in places], np.float64)
