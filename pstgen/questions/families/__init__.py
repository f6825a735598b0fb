"""One file, one family of questions. A family *asks*."""

from collections.abc import Iterator
from typing import Protocol

from pstgen.core.records import Fact, Scene


class Family(Protocol):
    """What a module in this folder defines."""

    def ask(self, scene: Scene, /) -> Iterator[Fact]:
        """Every fact of the scene that this family could ask about, unknown ones included."""
        ...

    def answers(self, form: str, about: tuple[str, ...], /) -> tuple[str, ...]:
        """Everything that can be the answer to such a question, in its natural order."""
        ...
