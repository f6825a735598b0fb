"""Always against what the words suggest: never the lure, where it is known, else never the answer that is usual."""

from collections.abc import Sequence

from pstgen.cases import Case


def attack(learnt: Sequence[Case], asked: Sequence[Case], seed: int, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is learnt)
    """Nothing for the lure, the same for every other option; of those the first is taken."""
    return [tuple(0.0 if n == case.lure else 1.0 for n in range(len(case.options))) for case in asked]
