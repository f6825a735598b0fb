"""Depth map, exact where the source knows it."""

from pstgen.core.records import Scene, Target
from pstgen.scenes import pixels


def render(scene: Scene, evidence: tuple[int, ...], /) -> Target | None:  # noqa: ARG001
    """(H, W) uint16 millimetres, 0 unknown; None where the source has no depth."""
    metres = pixels.depth(scene)
    return None if metres is None else Target(kind="depth", pixels=pixels.read_only(metres))
