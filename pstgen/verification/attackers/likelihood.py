"""A language model as it is: the option that its question makes likelier than it is anyhow."""

from collections.abc import Sequence

from pstgen.verification.attackers import Resources
from pstgen.verification.likelihood import likelihoods
from pstgen.verification.samples import Sample

NEEDS = frozenset({"lm"})


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is learned)
    """Pointwise mutual information of option and question (Holtzman et al. 2021)."""
    return [tuple((rows[:, 0] - rows[:, 1]).tolist()) for rows in likelihoods(resources, test)]
