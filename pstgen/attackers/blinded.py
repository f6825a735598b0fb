"""A vision-language model, as it is, that is given the words and no image."""

from collections.abc import Sequence

from pstgen.attackers import Means
from pstgen.cases import Case
from pstgen.likelihood import Model
from pstgen.tuning import scores

NEEDS = frozenset({"vlm"})


def attack(learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is learnt)
    """What it guesses."""
    return scores(Model(means.vlm, means.device), asked)
