"""Targets rendered per second, beside pycocotools decoding the same masks: `python benchmarks/targets.py`."""

import argparse
import time

from pycocotools import mask as coco_mask

from pstgen.core import plugins
from pstgen.core.config import build_config
from pstgen.core.report import Refusals
from pstgen.scenes import pixels
from pstgen.scenes.sources import world as source

SCENES, SIZE = 150, 512


def spent(work, things):
    begun = time.perf_counter()
    for thing in things:
        work(*thing)
    return time.perf_counter() - begun


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    config = build_config(source="world", scenes=SCENES, size=SIZE)
    scenes = list(source.scenes(config, lambda _: True, Refusals()))
    items = [(scene, (thing.id,)) for scene in scenes for thing in scene.instances]
    codes = [
        ({"size": [scene.height, scene.width], "counts": thing.rle},) for scene in scenes for thing in scene.instances
    ]
    plain = spent(coco_mask.decode, codes)
    print(f"{len(items)} items of {SIZE}x{SIZE} pixels")
    print(f"  pycocotools decode {len(codes) / plain:8,.0f} a second")
    for name in plugins.names("targets"):
        pixels.PICTURES.clear()
        pixels.MASKS.clear()
        render = plugins.load("targets", name).render
        took = spent(render, items)
        print(f"  {name:<18} {len(items) / took:8,.0f} a second")


if __name__ == "__main__":
    main()
