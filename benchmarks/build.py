"""Photographs a second through a build without a VLM, beside the time that decoding their JPEGs alone takes; and `--help`.

`PSTGEN_COCO_ROOT=… python benchmarks/build.py`; without photographs, on a world written as COCO files.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pstgen import build
from pstgen.core.config import WorldConfig, build_config, with_settings
from pstgen.core.report import Refusals
from pstgen.scenes import pixels
from pstgen.scenes.sources import coco
from pstgen.scenes.world import files


def seconds(action) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def child(*words: str) -> tuple[float, float]:
    """Seconds and peak MiB of a process of its own."""
    code = "import resource, sys; from pstgen.cli import main\ntry: main()\nfinally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    start = time.perf_counter()
    run = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return time.perf_counter() - start, int(run.stderr.split()[-1]) / 1024


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(f"pstgen --help        {min(child('--help')[0] for _ in range(5)):.2f} s")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = os.environ.get("PSTGEN_COCO_ROOT")
        config = build_config(root=Path(root)) if root else build_config(root=folder / "world", split="world")
        if not root:
            (folder / "world").mkdir()
            files.write(WorldConfig(n=1000, size=256), folder / "world")
        config = build.with_defaults(config)
        scenes = list(coco.scenes(config, lambda _: True, Refusals()))
        pixels.PICTURES.clear()
        decode = seconds(lambda: [pixels.read(scene.path) for scene in scenes])
        reports = []
        took = seconds(lambda: reports.append(build.build(with_settings(config, out=folder / "pst"))))
        pairs = sum(reports[0].stations["kept"].values())
        print(f"images               {len(scenes)} ({'photographs' if root else 'the world, 256 px'})")
        print(f"decoding alone       {len(scenes) / decode:8.1f} images/s")
        print(f"whole build          {len(scenes) / took:8.1f} images/s, {pairs} pairs, {took:.1f} s")
    print("scenes of the world, peak memory of a build:")
    for scenes_ in (500, 2000, 8000):
        with tempfile.TemporaryDirectory() as name:
            words = [
                "build",
                "--source",
                "world",
                "--scenes",
                str(scenes_),
                "--size",
                "64",
                "--candidates",
                "300",
                "--out",
                f"{name}/pst",
            ]
            took, peak = child(*words)
            print(f"  {scenes_:>6} scenes     {took:6.1f} s {peak:7.0f} MiB")
    print(f"(this process peaked at {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB)")


if __name__ == "__main__":
    main()
