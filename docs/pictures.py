"""Draws the pictures of README.md and docs/ anew: `python docs/pictures.py`."""

import inspect
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from pstgen import build
from pstgen.core import plugins
from pstgen.core.config import build_config
from pstgen.core.records import Fact, Truth
from pstgen.dataset import sampling, store
from pstgen.dataset.exporters import sheet
from pstgen.questions import wording
from pstgen.scenes.world.draw import draw
from pstgen.scenes.world.plan import plan

HERE = Path(__file__).parent


def save(picture: Image.Image, name: str) -> None:
    """As a JPEG with all its colours."""
    picture.save(HERE / name, quality=90, subsampling=0, optimize=True)


def world(columns: int = 10, side: int = 160) -> Image.Image:
    """A hundred scenes."""
    scenes = [draw(plan(0, n, 0.85), side).image for n in range(columns * 10)]
    rows = [np.hstack(scenes[n : n + columns]) for n in range(0, len(scenes), columns)]
    return Image.fromarray(np.vstack(rows))


def families(dataset: store.Dataset) -> str:
    """Page of families: of each its rule of truth, one pair with its target, and the pair in every frame."""
    told = ["# The families", "", "Made by `python docs/pictures.py` from a build on the built-in world.", ""]
    by_family = {pair.pair.family: pair for pair in sampling.pick(dataset, 200)}
    for name in plugins.names("families"):
        doc = inspect.cleandoc(plugins.load("families", name).__doc__)
        question, _, rule = doc.partition("\n\n")
        told += [f"## {name}", "", f"**{question}**", "", rule, ""]
        if name not in by_family:
            told += ["No pair in this build.", ""]
            continue
        pair = by_family[name]
        save(sheet.sheet([pair], columns=1), f"families/{name}.jpg")
        told += [f"![A pair of the family {name}](families/{name}.jpg)", ""]
        told += [f"- *{row.item.role}*: {row.chain}" for row in pair.rows]
        told += ["", "| frame | the pair's lure in that frame |", "|---|---|"]
        item = pair.control.item
        fact = Fact(scene_id="", family=name, form=item.form, about=item.about, truth=Truth(item.answer))
        told += [f"| {frame} | {wording.ask(fact, frame, item.lure, 0)} |" for frame in wording.frames(name)]
        told.append("")
    return "\n".join(told)


def main() -> None:
    """A page of the world, 24 pairs, the page of families, and the pairs that README.md begins with."""
    save(world(), "world.jpg")
    (HERE / "families").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        config = build_config(source="world", scenes=1000, size=256, vlm="none", lm="none", out=Path(name) / "pst")
        build.build(build.with_defaults(config))
        dataset = store.open(config.out)
        save(sheet.sheet([pair for pair in sampling.pick(dataset, 40) if len(pair.rows) == 2][:24]), "pairs.jpg")
        (HERE / "families.md").write_text(families(dataset), encoding="utf-8")
        first = [
            pair for pair in sampling.pick(dataset, 90) if pair.pair.control.frame != "neutral" and len(pair.rows) == 2
        ]
        by_kind = {(pair.pair.family, pair.control.item.twin == "matched"): pair for pair in first}
        chosen = [by_kind[kind] for kind in (("colour", False), ("existence", True)) if kind in by_kind]
        save(sheet.sheet(chosen, columns=2), "pair.jpg")


if __name__ == "__main__":
    main()
