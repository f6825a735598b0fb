"""A vision-language model, as it is, that is given the words and no image."""

from collections.abc import Sequence

from pstgen.models.huggingface import open_checked
from pstgen.verification.attackers import Resources
from pstgen.verification.finetune import scores
from pstgen.verification.samples import Sample

NEEDS = frozenset({"vlm"})


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is learned)
    """What it guesses."""
    return scores(open_checked(resources.vlm, options=resources.options), test)
