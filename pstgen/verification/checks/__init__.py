"""One file, one check of a finished dataset. A check *examines*."""

from collections.abc import Iterable
from itertools import islice
from typing import Protocol

from pstgen.core.config import VerifyConfig
from pstgen.core.records import Finding
from pstgen.dataset.store import Dataset

MOST_PROBLEMS = 20


class Check(Protocol):
    """What a module in this folder defines."""

    def examine(self, dataset: Dataset, config: VerifyConfig, /) -> Finding:
        """Say in one line what was found, and in one line each what is wrong."""
        ...


def untested(check: str, reason: str) -> Finding:
    """The finding of a check that cannot run on this dataset, and why.

    >>> untested("image_probe", "3 edited pairs, too few to probe").state
    'not tested'
    """
    return Finding(check=check, summary=reason, untested=reason)


def some(problems: Iterable[str]) -> tuple[str, ...]:
    """The first problems, and how many more there are.

    >>> some(str(n) for n in range(22))[-2:]
    ('19', '(+2 more)')
    """
    left = iter(problems)
    first = tuple(islice(left, MOST_PROBLEMS))
    more = sum(1 for _ in left)
    return (*first, f"(+{more} more)") if more else first
