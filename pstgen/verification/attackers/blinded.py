"""A vision-language model, as it is, that is given the words and no image."""

from collections.abc import Sequence

from pstgen.models.huggingface import Model
from pstgen.verification.attackers import Means
from pstgen.verification.finetune import scores
from pstgen.verification.samples import Case

NEEDS = frozenset({"vlm"})


def attack(learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is learnt)
    """What it guesses."""
    return scores(Model(means.vlm, means.device), asked)
