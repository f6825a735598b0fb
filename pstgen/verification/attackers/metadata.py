"""No words at all: letters, lengths, the order of options."""

from collections.abc import Sequence

import numpy as np

from pstgen.verification import forest
from pstgen.verification.attackers import Resources
from pstgen.verification.samples import Sample

MAX_OPTIONS = 8  # whose lengths and order are features


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:
    """Predict which *letter* is correct; a forest finds what lengths and orders have to do with it."""
    return forest.by_letter(
        np.array(list(map(form, train))), train, np.array(list(map(form, test))), test, resources.seed
    )


def form(sample: Sample) -> list[int]:
    """Number of options; letters, spaces and commas of the question; length and alphabetical rank of each option."""
    ranks = {option: rank for rank, option in enumerate(sorted(sample.options))}
    lengths = [len(option) for option in sample.options[:MAX_OPTIONS]]
    order = [ranks[option] for option in sample.options[:MAX_OPTIONS]]
    missing = MAX_OPTIONS - len(lengths)
    question = [len(sample.question), sample.question.count(" "), sample.question.count(",")]
    return [len(sample.options), *question, *lengths, *[0] * missing, *order, *[-1] * missing]
