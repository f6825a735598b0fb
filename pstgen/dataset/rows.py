"""A row of a dataset: an item with all that it shows, and its cells in the parquet's columns (docs/dataset.md)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from pstgen.core.records import Association, Item, Region, Scene, Target
from pstgen.dataset import limbs, schema
from pstgen.scenes.png import encode as png

Cells = dict[str, Any]  # column → value


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One item with all that it shows. image: the original file's bytes; suffix: ".jpg" or ".png".

    depth_kind: "exact", "estimated" or "". chain: what is to be seen, in words.
    """

    item: Item
    scene: Scene
    image: bytes
    suffix: str
    targets: tuple[Target, ...] = ()
    depth_kind: str = ""
    chain: str = ""


def cells(row: Row) -> Cells:
    """A row's value in every column; pictures are encoded."""
    item, scene = row.item, row.scene
    name = scene.id.replace("/", "-")
    drawn = {
        target.kind: {"bytes": png(target.pixels), "path": target_name(scene, target.kind)} for target in row.targets
    }
    bare = replace(scene, path="", depth_path="")
    return {
        **{name: getattr(item, name) for name in schema.COLUMNS if hasattr(item, name)},
        "image": {"bytes": row.image, "path": f"{name}{row.suffix}"},
        "neutral_question": item.neutral,
        "pull_counts": item.pull_counts and item.pull_counts._asdict(),
        "evidence": _evidence(item, scene),
        "mark": {"x": item.mark[0], "y": item.mark[1]} if item.mark else None,
        **{f"{schema.TARGET}{kind}": drawn.get(kind) for kind in schema.targets()},
        "depth_kind": row.depth_kind,
        "chain": row.chain,
        "licence": scene.licence,
        "source": scene.source,
        "source_image_id": scene.id,
        "scene": _canonical(bare),
    }


def _canonical(bare: Scene) -> str:
    """As it is written once it has been read: an area of 77 is 77.0."""
    return msgspec.json.encode(msgspec.json.decode(msgspec.json.encode(bare), type=Scene)).decode()


def target_name(scene: Scene, kind: str) -> str:
    """What the picture of a target is called."""
    return f"{scene.id.replace('/', '-')}-{kind}.png"


def _evidence(item: Item, scene: Scene) -> dict[str, Any]:
    things = [thing for thing in limbs.focus(item, scene).instances if thing.id in item.evidence]
    regions = [thing.region for thing in things] or [Region(x=0, y=0, width=scene.width, height=scene.height)]
    joints = [joint for thing in things for joint in thing.keypoints if joint.visibility]
    return msgspec.to_builtins({"regions": regions, "keypoints": joints, "instances": item.evidence})  # type: ignore[no-any-return]


@contextmanager
def on_disk(row: Row) -> Iterator[Scene]:
    """The row's scene with its image and depth as files, as long as the context lasts, so that pixels can be asked."""
    with tempfile.TemporaryDirectory(prefix="pstgen-") as name:
        image = Path(name) / f"image{row.suffix}"
        image.write_bytes(row.image)
        depth = next((target.pixels for target in row.targets if target.kind == "depth"), None)
        depth_path = Path(name) / "depth.png"
        if depth is not None:
            depth_path.write_bytes(png(depth))
        yield replace(row.scene, path=str(image), depth_path=str(depth_path) if depth is not None else "")


def item(cells: Cells) -> Item:
    """The item of a row's cells, without its image."""
    return Item(
        item_id=cells["item_id"],
        pair_id=cells["pair_id"],
        role=cells["role"],
        scene_id=cells["source_image_id"],
        image="",
        family=cells["family"],
        form=cells["form"],
        about=tuple(cells["about"]),
        frame=cells["frame"],
        question=cells["question"],
        neutral=cells["neutral_question"],
        options=tuple(cells["options"]),
        answer=cells["answer"],
        lure=cells["lure"],
        twin=cells["twin"],
        difficulty=cells["difficulty"],
        pull_counts=Association(**counted) if (counted := cells.get("pull_counts")) else None,
        pull_lm=cells.get("pull_lm"),
        pull_vlm=cells.get("pull_vlm"),
        evidence=tuple(cells["evidence"]["instances"]),
        label=cells["label"],
        mark=(cells["mark"]["x"], cells["mark"]["y"]) if cells["mark"] else None,
    )


def row(cells: Cells) -> Row:
    """The row of its cells; pictures of targets are decoded."""
    pictures = {kind: cells[f"{schema.TARGET}{kind}"] for kind in schema.targets_of(cells)}
    return Row(
        item=item(cells),
        scene=msgspec.json.decode(cells["scene"], type=Scene),
        image=cells["image"]["bytes"],
        suffix=Path(cells["image"]["path"]).suffix,
        targets=tuple(Target(kind=kind, pixels=_pixels(p["bytes"])) for kind, p in pictures.items() if p),
        depth_kind=cells["depth_kind"],
        chain=cells["chain"],
    )


def _pixels(code: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(code, np.uint8), cv2.IMREAD_UNCHANGED)
