"""One file, one way to expect. A prior *expects*: P(answer | words), before anybody looks."""

from collections.abc import Iterable
from typing import Protocol

from pstgen.records import Fact


class Expectation(Protocol):
    """What a fitted prior does."""

    def expect(self, question: tuple[str, str, tuple[str, ...]], answers: tuple[str, ...], /) -> tuple[float, ...]:
        """Return the probability of every answer to `question` (a Fact's); they sum to one."""
        ...


class Prior(Protocol):
    """What a module in this folder defines."""

    def fit(self, facts: Iterable[Fact], /) -> Expectation:
        """Count the known facts of scenes that give no items."""
        ...
