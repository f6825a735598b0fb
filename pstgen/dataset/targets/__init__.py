"""One file, one perceptual target. A target *renders*."""

from typing import Protocol

from pstgen.core.records import Scene, Target


class Renderer(Protocol):
    """What a module in this folder defines."""

    def render(self, scene: Scene, evidence: tuple[int, ...], /) -> Target | None:
        """Draw what an eye should see of these instances; None where the scene does not know it."""
        ...
