"""Always against the source's prior: never the lure."""

from collections.abc import Sequence

from pstgen.verification.attackers import Resources
from pstgen.verification.samples import Sample

NEEDS = frozenset({"lure"})


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is learned)
    """Nothing for the lure, the same for every other option, of which the first is chosen."""
    return [tuple(0.0 if n == sample.lure else 1.0 for n in range(len(sample.options))) for sample in test]
