"""One file, one way to expect. A prior *expects*: P(answer | words), before anybody looks."""

from collections.abc import Iterable
from hashlib import sha256
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


def is_prior_part(scene_id: str, share: float, seed: int) -> bool:
    """Does this scene feed the priors and give no items? A rule that anyone can apply again.

    >>> sum(is_prior_part(f"val2017/{n}", 0.3, 0) for n in range(1000))
    302
    """
    digest = sha256(f"{seed}/{scene_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64
