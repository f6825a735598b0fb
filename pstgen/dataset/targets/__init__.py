"""One file, one perceptual target. A target *renders*."""

from typing import Protocol

from pstgen.core import plugins
from pstgen.core.records import Item, Scene, Target
from pstgen.dataset import limbs


class Renderer(Protocol):
    """What a module in this folder defines."""

    def render(self, scene: Scene, evidence: tuple[int, ...], /) -> Target | None:
        """Draw what an eye should see of these instances; None where the scene does not know it."""
        ...


def load(name: str) -> Renderer:
    """The target of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Renderer = plugins.load("targets", name)
    return plugin


def render(name: str, item: Item, scene: Scene) -> Target | None:
    """Draw the target of that name for an item: of what it asks about, and of no more of a person than the limb in question."""
    return load(name).render(limbs.focus(item, scene), item.evidence)
