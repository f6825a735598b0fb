"""Always against the source's prior: never the lure."""

from collections.abc import Sequence

from pstgen.verification.attackers import Means
from pstgen.verification.samples import Case

NEEDS = frozenset({"lure"})


def attack(learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is learnt)
    """Nothing for the lure, the same for every other option; of those the first is taken."""
    return [tuple(0.0 if n == case.lure else 1.0 for n in range(len(case.options))) for case in asked]
