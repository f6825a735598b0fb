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
ALL = 1_000_000  # pairs


def save(picture: Image.Image, name: str) -> None:
    """As a JPEG with all its colours."""
    picture.save(HERE / name, quality=90, subsampling=0, optimize=True)


def world(columns: int = 10, side: int = 160) -> Image.Image:
    """A hundred scenes."""
    scenes = [draw(plan(0, n, 0.85), side).image for n in range(columns * 10)]
    rows = [np.hstack(scenes[n : n + columns]) for n in range(0, len(scenes), columns)]
    return Image.fromarray(np.vstack(rows))


def families(datasets: list[store.Dataset]) -> str:
    """Page of families: of each its rule of truth, one pair with its target, and the pair in every frame."""
    lines = ["# The families", "", "Made by `python docs/pictures.py` from builds on the built-in world.", ""]
    by_family = {
        pair.pair.family: pair for dataset in reversed(datasets) for pair in sampling.pick(dataset, 200)
    }  # of the first that has it
    for name in plugins.names("families"):
        doc = inspect.cleandoc(plugins.load("families", name).__doc__)
        question, _, rule = doc.partition("\n\n")
        lines += [f"## {name}", "", f"**{question}**", "", rule, ""]
        if name not in by_family:
            lines += ["No pair in this build.", ""]
            continue
        pair = by_family[name]
        save(sheet.sheet([pair], columns=1), f"families/{name}.jpg")
        lines += [f"![A pair of the family {name}](families/{name}.jpg)", ""]
        lines += [f"- *{row.item.role}*: {row.chain}" for row in pair.rows]
        lines += ["", "| frame | the pair's lure in that frame |", "|---|---|"]
        item = pair.control.item
        fact = Fact(scene_id="", family=name, form=item.form, about=item.about, truth=Truth(item.answer))
        lines += [f"| {frame} | {wording.ask(fact, frame, item.lure, 0)} |" for frame in wording.frames(name)]
        lines.append("")
    return "\n".join(lines)


def directions(dataset: store.Dataset) -> Image.Image:
    """Three pairs in neutral words: unexpected and present, expected and absent, and one with four options."""
    neutral = [
        pair
        for pair in sampling.pick(dataset, ALL)
        if (pair.control.item.frame, pair.control.item.twin) == ("neutral", "matched")
        and all(len(row.item.evidence) == 1 for row in pair.rows)
    ]
    colours = [pair for pair in neutral if pair.pair.family == "colour" and len(pair.rows) == 2]
    there = [pair for pair in neutral if pair.pair.family == "existence" and len(pair.control.item.options) == 4]
    chosen = [next(pair for pair in colours if pair.control.item.lure == lure) for lure in ("no", "yes")]
    return sheet.sheet([*chosen, there[0]], columns=3)


def make(out: Path, scenes: int, *families: str) -> store.Dataset:
    """A build on the built-in world that asks no model."""
    config = build_config(source="world", scenes=scenes, size=256, vlm="none", lm="none", families=families, out=out)
    build.build(build.with_defaults(config))
    return store.open(out)


def main() -> None:
    """A page of the world, 24 pairs, the page of families, and the pairs that README.md and why.md show."""
    save(world(), "world.jpg")
    (HERE / "families").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        dataset = make(Path(name) / "pst", 1000)
        save(sheet.sheet([pair for pair in sampling.pick(dataset, 40) if len(pair.rows) == 2][:24]), "pairs.jpg")
        save(directions(dataset), "why.jpg")
        rare = make(Path(name) / "text", 2000, "text")  # a word is seldom seen whole
        (HERE / "families.md").write_text(families([dataset, rare]), encoding="utf-8")
        first = [
            pair for pair in sampling.pick(dataset, 90) if pair.pair.control.frame != "neutral" and len(pair.rows) == 2
        ]
        by_kind = {(pair.pair.family, pair.control.item.twin == "matched"): pair for pair in first}
        chosen = [by_kind[kind] for kind in (("colour", False), ("existence", True)) if kind in by_kind]
        save(sheet.sheet(chosen, columns=2), "pair.jpg")


if __name__ == "__main__":
    main()
