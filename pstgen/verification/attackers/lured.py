"""The source's prior: always the lure.

The lure is what the source makes one expect: the judge `prior`, which always judges unless the settings leave it out, kept
no wording for which it gives another answer.
"""

from collections.abc import Sequence

from pstgen.verification.attackers import Resources
from pstgen.verification.samples import Sample

NEEDS = frozenset({"lure"})


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is learned)
    """Everything for the lure."""
    return [tuple(float(n == sample.lure) for n in range(len(sample.options))) for sample in test]
