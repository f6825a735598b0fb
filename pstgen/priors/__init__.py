"""One file, one way to expect. A prior *expects*: P(answer | words), before anybody looks."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Protocol

from pstgen.records import Fact, origin


class Expectation(Protocol):
    """What a fitted prior does."""

    def expect(self, question: tuple[str, str, tuple[str, ...]], answers: tuple[str, ...], /) -> tuple[float, ...]:
        """Return the probability of every answer to `question` (a Fact's); they sum to one."""
        ...

    def strongest(self, least: int, /) -> list[tuple[tuple[str, str, tuple[str, ...]], str, int, int]]:
        """Questions answered `least` times or more that one answer dominates: question, answer, how often, of how many."""
        ...


class Prior(Protocol):
    """What a module in this folder defines."""

    def fit(self, facts: Iterable[Fact], /) -> Expectation:
        """Count the known facts of scenes that give no items."""
        ...


def is_prior_part(scene_id: str, split: str, share: float, seed: int) -> bool:
    """Does this scene feed the prior and give no items? A rule that anyone can apply again; of an edited one, its origin.

    split: a split of its own for the prior; else a hash draws `share` of the scenes.

    >>> sum(is_prior_part(f"val2017/{n}", "", 0.3, 0) for n in range(1000))
    311
    >>> is_prior_part("train2017/9", "train2017", 0.3, 0)
    True
    """
    scene_id = origin(scene_id)
    if split:
        return scene_id.startswith(f"{split}/")
    digest = sha256(f"{seed}/{scene_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64
