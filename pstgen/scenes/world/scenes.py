"""A scene of the world as a record, with its drawing."""

from pathlib import Path

import numpy as np

from pstgen.core.records import Scene
from pstgen.scenes import png
from pstgen.scenes.world import captions
from pstgen.scenes.world.draw import Drawing, draw
from pstgen.scenes.world.plan import Plan, kinds

LICENCE = "CC0-1.0"
VERSION = 2  # to be raised whenever a pixel or a record of any scene changes; the cache and the manifest name it


def scene(plan: Plan, size: int, image: Path, depth: Path) -> tuple[Scene, Drawing]:
    """Draw the plan and describe it; nothing is written."""
    drawing = draw(plan, size)
    rng = np.random.default_rng(np.random.SeedSequence((plan.seed, plan.index, 2)))
    return Scene(
        id=f"world/{plan.index}",
        source="world",
        path=str(image),
        width=size,
        height=size,
        categories=tuple(kinds()),
        instances=drawing.instances,
        captions=captions.write(drawing.instances, plan.place, rng),
        depth_path=str(depth),
        licence=LICENCE,
        complete=True,
    ), drawing


def save(drawing: Drawing, image: Path, depth: Path) -> None:
    """Write image (8-bit RGB) and depth (16-bit millimetres) as PNG. Raises OSError where they cannot be written."""
    for path, pixels in ((image, drawing.image), (depth, drawing.depth)):
        png.write(path, pixels, 3)
