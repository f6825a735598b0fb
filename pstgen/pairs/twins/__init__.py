"""One file, one way to find a twin. A twin maker *pairs*."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from pstgen.core import plugins
from pstgen.core.records import Candidate, Fact, Scene
from pstgen.pairs.context import PairContext


class Maker(Protocol):
    """Finds twins while scenes pass: it looks at each, perhaps in a worker process, and takes in what it found in their order."""

    def wants(self, /) -> bool:
        """Could another scene give it anything?"""
        ...

    def look(self, scene: Scene, facts: Sequence[Fact], /) -> Any:
        """What can be found in a scene with its known facts alone. It changes nothing here, and can be sent to another process."""
        ...

    def take(self, found: Any, /) -> Iterator[Candidate]:
        """Take in what was found in a scene; yield the pairs that it gives by itself."""
        ...

    def rest(self, /) -> Iterator[Candidate]:
        """When every scene has passed, yield the pairs that scenes give together."""
        ...


class Twins(Protocol):
    """What a module in this folder defines."""

    def open(self, context: PairContext, /) -> Maker:
        """Begin."""
        ...


def load(name: str) -> Twins:
    """The twin maker of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Twins = plugins.load("twins", name)
    return plugin
