"""Says what most questions of its kind, with the same options, have as their answer."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from pstgen.verification.attackers import Means
from pstgen.verification.samples import Case


def attack(learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is drawn)
    """Count answers by the set of options."""
    counted: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for case in learnt:
        counted[tuple(sorted(case.options))][case.options[case.answer]] += 1
    return [tuple(float(counted[tuple(sorted(case.options))][option]) for option in case.options) for case in asked]
