"""Always what the words suggest: the lure, which is what the source's prior expects."""

from collections.abc import Sequence

from pstgen.cases import Case


def attack(learnt: Sequence[Case], asked: Sequence[Case], seed: int, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is learnt)
    """All for the lure."""
    return [tuple(float(n == case.lure) for n in range(len(case.options))) for case in asked]
