"""One file, one way to find a twin. A twin maker *pairs*."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from pstgen.config import BuildConfig
from pstgen.priors import Expectation
from pstgen.records import Candidate, Fact


class Twins(Protocol):
    """What a module in this folder defines."""

    def pair(self, facts: Iterable[Fact], prior: Expectation, config: BuildConfig, /) -> Iterator[Candidate]:
        """Pairs of known facts with one question and two answers, one of which is the lure."""
        ...
