"""One file, one check of a finished dataset. A check *examines*."""

from collections.abc import Iterable
from itertools import islice
from typing import Protocol

from pyarrow import ArrowInvalid

from pstgen.core import plugins, workers
from pstgen.core.config import VerifyConfig
from pstgen.dataset.store import Dataset
from pstgen.verification.findings import Finding

MAX_PROBLEMS = 20
MANY = 400  # items for which worker processes pay


class Check(Protocol):
    """What a module in this folder defines. Its docstring begins with the question that the check answers.

    It may define more: `ANEW = True`, where it works out anew what the set says, and such checks come first; `applies(dataset)`, false where the check has nothing to say of a dataset and is left out; `PROVES`, what follows where the check is sound, as a sentence of the certificate; `SECONDS`, how
    long it usually takes, for the progress that is shown (1.0 where it is not said); `SHARES`, a name of what it works out that
    other checks use too: those that share it run in one process, one after another; `SPREADS = True`, where it divides its work
    among processes by itself, and so has them to itself.
    """

    def examine(self, dataset: Dataset, config: VerifyConfig, /) -> Finding:
        """Sum up in one line what was found, and name what is wrong, one line each."""
        ...


def load(name: str) -> Check:
    """The check of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Check = plugins.load("checks", name)
    return plugin


def proves(check: Check) -> str:
    """What follows where the check is sound, "" where nothing does."""
    sentence: str = getattr(check, "PROVES", "")
    return sentence


def works_out_anew(check: Check) -> bool:
    """Does the check work out anew what the set says, rather than look for what should not be there?"""
    return bool(getattr(check, "ANEW", False))


def spreads(check: Check) -> bool:
    """Does the check divide its work among processes by itself?"""
    return bool(getattr(check, "SPREADS", False))


def together(names: Iterable[str]) -> list[list[str]]:
    """The checks of these names, those in one list that share what they work out; lists that take longest come first."""
    lists: dict[str, list[str]] = {}
    for name in names:
        lists.setdefault(getattr(load(name), "SHARES", name), []).append(name)
    return sorted(lists.values(), key=lambda each: -sum(seconds(load(name)) for name in each))


def seconds(check: Check) -> float:
    """How long the check usually takes."""
    usual: float = getattr(check, "SECONDS", 1.0)
    return usual


def applies(check: Check, dataset: Dataset) -> bool:
    """Is there anything in the dataset that the check is about? Of files that cannot be read, what comes first says so."""
    try:
        return bool(getattr(check, "applies", lambda _: True)(dataset))
    except (ArrowInvalid, OSError):
        return True


def processes(dataset: Dataset, config: VerifyConfig) -> int:
    """How many processes work on the set at once."""
    return (config.workers or workers.cores()) if dataset.manifest.items >= MANY else 1


def first_problems(problems: Iterable[str]) -> tuple[str, ...]:
    """The first problems, and how many more there are.

    >>> first_problems(str(n) for n in range(22))[-2:]
    ('19', '(+2 more)')
    """
    remaining = iter(problems)
    first = tuple(islice(remaining, MAX_PROBLEMS))
    more = sum(1 for _ in remaining)
    return (*first, f"(+{more} more)") if more else first
