"""Every figure of the README's first page that a command prints: runs the commands, writes docs/figures.json and the table.

`PSTGEN_COCO_ROOT=… python benchmarks/figures.py`; a test compares the README with what was written. It takes about ten
minutes on two cores. Without photographs their lines stay as they are.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
README = CHECKOUT / "README.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
FILE = CHECKOUT / "docs" / "figures.json"
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def pstgen(*words: str) -> tuple[str, float]:
    """What a command printed, and the seconds that it took."""
    start = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-m", "pstgen", *words], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    return run.stdout, time.perf_counter() - start


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def built(*words: str) -> tuple[dict, float]:
    """The JSON of a build, and its seconds."""
    out, took = pstgen("build", *words, "--json", "--quiet")
    return json.loads(out), took


def kept(report: dict) -> str:
    families = report["funnel"]["kept"]
    return f"{sum(families.values()):,} pairs in {NUMBERS[len(families)]} families"


def world(folder: Path) -> Iterator[tuple[str, str]]:
    """The built-in world: drawn, built, verified; what `make demo` does."""
    drawn = subprocess.run(
        [sys.executable, str(CHECKOUT / "benchmarks" / "world.py"), "--drawn"],
        capture_output=True,
        text=True,
        check=True,
    )
    rate = re.search(r"128 px\s+(\d+) scenes/s", drawn.stdout)[1]
    yield "world, drawn with all annotations, 128 px", f"{rate} scenes a second on one core"
    report, build = built("--source", "world", "--out", str(folder / "world"))
    yield (
        "the loop on 2,000 scenes: candidates, edits, four baselines, the eye blinded and seeing",
        f"{duration(build)}, {kept(report)}",
    )
    verified, verify = pstgen("verify", str(folder / "world"), "--json", "--quiet")
    items = next(f["figures"]["items"] for f in json.loads(verified)["findings"] if f["check"] == "pairs")
    yield f"`pstgen verify` of its {items:,.0f} items, all attackers but those with models", duration(verify)
    _, show = pstgen("show", str(folder / "world"), "--picture", str(folder / "pairs.png"))
    yield "`make demo`, after installation", duration(build + verify + show)


def photographs(folder: Path) -> Iterator[tuple[str, str]]:
    """A build on the photographs at hand, with priors from those of train2017, text baselines alone judging."""
    report, took = built("--source", "coco", "--vlm", "none", "--out", str(folder / "photographs"))
    funnel = report["funnel"]
    scenes = [sum(funnel[name].values()) for name in ("scenes for items", "scenes for the prior")]
    yield (
        f"a build on {scenes[0]} photographs, with priors from {scenes[1]} others",
        f"{duration(took)}, {kept(report)}",
    )


def targets() -> Iterator[tuple[str, str]]:
    run = subprocess.run(
        [sys.executable, str(CHECKOUT / "benchmarks" / "targets.py")], capture_output=True, text=True, check=True
    )
    rate = dict(re.findall(r"^\s+(.+?)\s+([\d,]+) a second$", run.stdout, re.MULTILINE))
    yield (
        "targets of 512 x 512 pixels: masks / depth / keypoints",
        f"{rate['mask']} / {rate['depth']} / {rate['keypoints']} a second (pycocotools decodes {rate['pycocotools decode']} masks)",
    )


def started() -> Iterator[tuple[str, str]]:
    yield "`pstgen --help`", f"{min(pstgen('--help')[1] for _ in range(5)):.2f} s"


def main() -> None:
    known = dict(json.loads(FILE.read_text())) if FILE.is_file() else {}
    with tempfile.TemporaryDirectory() as name:
        parts = [
            started(),
            world(Path(name)),
            *([photographs(Path(name))] if os.environ.get("PSTGEN_COCO_ROOT") else []),
        ]
        for part in (*parts, targets()):
            for what, says in part:
                known = {other: said for other, said in known.items() if other.split(" ")[:4] != what.split(" ")[:4]}
                known[what] = says
                print(f"{what:<90} {says}", flush=True)
    FILE.write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n")
    page = README.read_text(encoding="utf-8")
    begin, end = page.index(BEGIN), page.index(END)
    rows = "".join(f"| {what} | {says} |\n" for what, says in known.items())
    README.write_text(f"{page[:begin]}{BEGIN}\n| what | measured |\n|---|---|\n{rows}{page[end:]}", encoding="utf-8")


if __name__ == "__main__":
    main()
