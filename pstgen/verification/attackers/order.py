"""The place of a twin among its twins: is the one for which the lure is right the first, or the last?"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from pstgen.verification.attackers import Means
from pstgen.verification.samples import Case

NEEDS = frozenset({"lure"})
ALPHA = 1e-5  # places of lures that are even seem uneven this seldom


def attack(learnt: Sequence[Case], asked: Sequence[Case], means: Means, /) -> list[tuple[float, ...]]:  # noqa: ARG001 (nothing is drawn)
    """The lure at the place where it is usually right, anything else elsewhere; where no place is, the lure for all.

    Telling twins apart by chance would win pairs by chance, so a place counts only where it is beyond doubt.
    """
    usual = _usual(learnt)
    return [
        tuple(float((n == case.lure) == (usual.get(of, place) == place)) for n in range(len(case.options)))
        for case, (place, of) in zip(asked, _places(asked), strict=True)
    ]


def _usual(learnt: Sequence[Case]) -> dict[int, int]:
    """Number of twins → the place where the lure is right more often than chance allows."""
    from scipy.stats import chisquare

    counted: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for case, (place, of) in zip(learnt, _places(learnt), strict=True):
        counted[of][place] += case.answer == case.lure
    told = {of: [by[place] for place in range(of)] for of, by in counted.items() if of > 1 and by.total()}
    return {of: counts.index(max(counts)) for of, counts in told.items() if chisquare(counts).pvalue < ALPHA}


def _places(cases: Sequence[Case]) -> list[tuple[int, int]]:
    """Of each case, how many of its twins come before it, and how many twins there are."""
    sizes = Counter(case.pair for case in cases)
    passed: Counter[str] = Counter()
    told = []
    for case in cases:
        told.append((passed[case.pair], sizes[case.pair]))
        passed[case.pair] += 1
    return told
