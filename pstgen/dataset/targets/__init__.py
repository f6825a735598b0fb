"""One file, one perceptual target. A target *renders*."""

from typing import Protocol

from pstgen.core import plugins
from pstgen.core.records import Scene, Target


class Renderer(Protocol):
    """What a module in this folder defines."""

    def render(self, scene: Scene, evidence: tuple[int, ...], /) -> Target | None:
        """Draw what an eye should see of these instances; None where the scene does not know it."""
        ...


def load(name: str) -> Renderer:
    """The target of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Renderer = plugins.load("targets", name)
    return plugin
