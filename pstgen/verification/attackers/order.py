"""The place of a twin among its twins: is the one for which the lure, or the first option, is right the first, or the last?"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from pstgen.verification.attackers import Resources
from pstgen.verification.samples import Sample

BY_ROWS = True
ALPHA = 1e-5  # where places of lures are even, they look uneven this seldom


def attack(train: Sequence[Sample], test: Sequence[Sample], resources: Resources, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is drawn)
    """The lure at the place where it is usually right, anything else elsewhere; the lure everywhere if no place stands out.

    Where no lure is known, the first option stands for it.

    Telling twins apart by chance would win pairs by chance, so a place counts only where it is beyond doubt.
    """
    usual = _usual_place(train)
    return [
        tuple(
            float((n == max(sample.lure, 0)) == (usual.get(twins, place) == place)) for n in range(len(sample.options))
        )
        for sample, (place, twins) in zip(test, _places(test), strict=True)
    ]


def _usual_place(train: Sequence[Sample]) -> dict[int, int]:
    """Number of twins → the place where the lure is right more often than chance allows."""
    from scipy.stats import chisquare

    counted: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for sample, (place, twins) in zip(train, _places(train), strict=True):
        counted[twins][place] += sample.answer == max(sample.lure, 0)
    by_twins = {n: [places[place] for place in range(n)] for n, places in counted.items() if n > 1 and places.total()}
    return {n: counts.index(max(counts)) for n, counts in by_twins.items() if chisquare(counts).pvalue < ALPHA}


def _places(samples: Sequence[Sample]) -> list[tuple[int, int]]:
    """Of each sample, how many of its twins come before it, and how many twins there are."""
    sizes = Counter(sample.pair for sample in samples)
    passed: Counter[str] = Counter()
    places = []
    for sample in samples:
        places.append((passed[sample.pair], sizes[sample.pair]))
        passed[sample.pair] += 1
    return places
