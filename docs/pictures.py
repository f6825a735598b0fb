"""Draws the pictures of README.md and docs/ anew: `python docs/pictures.py`."""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from pstgen import build, store
from pstgen.config import BuildConfig
from pstgen.exporters import sheet
from pstgen.world.draw import draw
from pstgen.world.plan import plan

HERE = Path(__file__).parent


def save(picture: Image.Image, name: str) -> None:
    """As a JPEG with all its colours."""
    picture.save(HERE / name, quality=90, subsampling=0, optimize=True)


def world(columns: int = 10, side: int = 160) -> Image.Image:
    """A hundred scenes."""
    scenes = [draw(plan(0, n, 0.85), side).image for n in range(columns * 10)]
    rows = [np.hstack(scenes[n : n + columns]) for n in range(0, len(scenes), columns)]
    return Image.fromarray(np.vstack(rows))


def main() -> None:
    """A page of the world, 24 pairs, and the two that README.md begins with."""
    save(world(), "world.jpg")
    with tempfile.TemporaryDirectory() as name:
        config = BuildConfig(source="world", scenes=800, size=256, vlm="none", lm="none", out=Path(name) / "pst")
        build.build(build.settled(config))
        dataset = store.open(config.out)
        save(sheet.sheet(sheet.pick(dataset, 24)), "pairs.jpg")
        first = [pair for pair in sheet.pick(dataset, 60) if pair[0].item.frame != "neutral"]
        by_family = {pair[0].item.family: pair for pair in first}
        save(sheet.sheet([by_family[name] for name in ("colour", "existence")], columns=2), "pair.jpg")


if __name__ == "__main__":
    main()
