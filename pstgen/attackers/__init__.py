"""One file, one way to win by words alone. An attacker *attacks*."""

from collections.abc import Sequence
from typing import Protocol

from pstgen.cases import Case


class Attacker(Protocol):
    """What a module in this folder defines."""

    def attack(self, learnt: Sequence[Case], asked: Sequence[Case], seed: int, /) -> list[tuple[float, ...]]:
        """Learn from some cases, whose answers are given, and score every option of others; the highest is the answer."""
        ...
