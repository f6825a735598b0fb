"""The built-in world: scenes a second a core with all annotations, memory however many; and where a build's time goes.

`python benchmarks/world.py [--drawn]`
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from pstgen import build
from pstgen.core.config import WorldConfig, build_config
from pstgen.core.progress import Silent
from pstgen.scenes.world import files
from pstgen.scenes.world.plan import plan
from pstgen.scenes.world.scenes import scene


def rate(size: int, n: int) -> float:
    start = time.perf_counter()
    for index in range(n):
        scene(plan(0, index, 0.85), size, None, None)
    return n / (time.perf_counter() - start)


def written(n: int) -> tuple[float, float]:
    """Scenes a second written as COCO files, and the process's peak after it."""
    with tempfile.TemporaryDirectory() as name:
        start = time.perf_counter()
        files.write(WorldConfig(n=n), Path(name))
        return n / (time.perf_counter() - start), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Clock(Silent):
    """Adds up the time between the things that pass, by what they are."""

    def __init__(self):
        self.spent = {}

    def __call__(self, things, step, total=None, /):
        start = time.perf_counter()
        yield from things
        self.spent[step] = self.spent.get(step, 0.0) + time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drawn", action="store_true", help="only the rate of drawing")
    given = parser.parse_args()
    for size in (64, 128, 256, 512):
        print(f"drawn and annotated, {size:>3} px   {rate(size, 400 if size < 256 else 100):6.0f} scenes/s on one core")
    if given.drawn:
        return
    for n in (500, 4000):
        speed, peak = written(n)
        print(f"written, 128 px, {n:>5} scenes {speed:6.0f} scenes/s, peak {peak:5.0f} MiB")
    with tempfile.TemporaryDirectory() as name:
        clock, start = Clock(), time.perf_counter()
        report = build.build(build.with_defaults(build_config(source="world", out=Path(name) / "pst")), clock)
        print(
            f"build of 2000 scenes: {time.perf_counter() - start:.0f} s, {sum(report.stations['kept'].values())} pairs"
        )
        for what, spent in clock.spent.items():
            print(f"  {what:<26}{spent:6.1f} s")


if __name__ == "__main__":
    main()
