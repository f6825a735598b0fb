"""The source's prior: always the lure.

The lure is what the source makes one expect: the judge `prior`, which is always asked unless told otherwise, kept no
wording for which it gives another answer.
"""

from collections.abc import Sequence

from pstgen.verification.attackers import Means
from pstgen.verification.samples import Case

NEEDS = frozenset({"lure"})


def attack(learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is learnt)
    """All for the lure."""
    return [tuple(float(n == case.lure) for n in range(len(case.options))) for case in asked]
