"""Says what most questions of its kind, with the same options, have as their answer."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from pstgen.verification.attackers import Resources
from pstgen.verification.samples import Sample


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is drawn)
    """Count answers by the set of options."""
    counts: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for sample in train:
        counts[tuple(sorted(sample.options))][sample.correct_option] += 1
    return [tuple(float(counts[tuple(sorted(sample.options))][option]) for option in sample.options) for sample in test]
