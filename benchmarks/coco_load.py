"""Reading COCO's annotations: ours beside pycocotools and hotcoco, time and peak memory, each in a process of its own.

    python benchmarks/coco_load.py                             # files of val2017's and of train2017's size
    python benchmarks/coco_load.py --peers OTHER/bin/python    # an interpreter that has hotcoco, where this one lacks it

The files are synthetic: as many images, instances and points a polygon as COCO has. Every reader also finds the annotations of each
image, one image after another. Printed are wall time, CPU time, and the peak of resident memory above what the imports take.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = {"val2017": (5_000, 36_781), "train2017": (118_287, 860_001)}
POINTS = 22  # a polygon, about COCO's mean
MODULES = {"ours": "pstgen.scenes.coco_files", "pycocotools": "pycocotools.coco", "hotcoco": "hotcoco"}
NAMES = {"ours": "pstgen"}
FASTER, LIGHTER = 8, 0.4  # the goals, against pycocotools
MISSING = "not installed"


def write(file: Path, images: int, instances: int) -> None:
    """A file of that size, streamed."""
    import numpy as np

    rng = np.random.default_rng(0)
    polygons = [np.round(rng.uniform(0, 480, 2 * POINTS), 2).tolist() for _ in range(500)]
    with file.open("w") as out:
        out.write('{"info":{},"licenses":[],"images":[')
        rows = (
            {
                "id": n,
                "file_name": f"{n:012}.jpg",
                "width": 640,
                "height": 480,
                "license": 1,
                "coco_url": "http://x/" + "y" * 50,
            }
            for n in range(images)
        )
        out.write(",".join(map(json.dumps, rows)))
        out.write('],"annotations":[')
        for n in range(instances):
            row = {
                "id": n,
                "image_id": int(rng.integers(images)),
                "category_id": 1 + n % 80,
                "iscrowd": 0,
                "area": 500.5,
            }
            row |= {"bbox": polygons[n % 500][:4], "segmentation": [polygons[n % 500]]}
            out.write("," * bool(n) + json.dumps(row))
        out.write('],"categories":[')
        out.write(
            ",".join(json.dumps({"id": 1 + n, "name": f"thing {n}", "supercategory": "x"}) for n in range(80)) + "]}"
        )


def ours(file: str) -> int:
    from pstgen.scenes import coco_files

    split = coco_files.read(coco_files.Given(Path(file), "val2017"))
    return sum(len(split.by_image.of(picture.id)) for picture in split.instances.images)


def pycocotools(file: str) -> int:
    from pycocotools.coco import COCO

    read = COCO(file)
    return sum(len(read.imgToAnns[image]) for image in read.imgs)


def hotcoco(file: str) -> int:
    from hotcoco import COCO

    read = COCO(file)
    return sum(len(read.get_ann_ids(img_ids=[image])) for image in read.get_img_ids())


def measure(reader: str, file: str) -> None:
    """In a child process: seconds, CPU seconds, and the peak of memory above the imports; null where the reader is missing."""
    try:
        __import__(MODULES[reader])
    except ModuleNotFoundError:
        print("null", file=sys.stderr)
        return
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, spent = time.perf_counter(), time.process_time()
    found = {"ours": ours, "pycocotools": pycocotools, "hotcoco": hotcoco}[reader](file)
    took, spent = time.perf_counter() - start, time.process_time() - spent
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"seconds": took, "cpu": spent, "mebibytes": peak, "instances": found}), file=sys.stderr)


def measured(reader: str, file: Path, python: str, runs: int) -> dict[str, float] | None:
    """The fastest of some runs, or None where the reader is missing."""
    command = [python, __file__, "--reader", reader, "--file", str(file)]
    done = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(runs)]
    found = [json.loads(run.stderr.splitlines()[-1]) for run in done]
    return None if None in found else min(found, key=lambda run: run["seconds"])


def rows(name: str, found: dict[str, dict[str, float] | None]) -> list[list[str]]:
    """Of one file, a row a reader."""
    mine, lines = found["ours"], []
    for reader, run in found.items():
        label = NAMES.get(reader, reader)
        if run is None:
            lines.append([name, label, MISSING, *[""] * 4])
            continue
        times = "" if reader == "ours" else f"{run['seconds'] / mine['seconds']:.1f} x"
        share = "" if reader == "ours" else f"{mine['mebibytes'] / run['mebibytes']:.2f}"
        figures = (f"{run['seconds']:.2f} s", f"{run['cpu']:.2f} s", f"{run['mebibytes']:,.0f} MiB", times, share)
        lines.append([name, label, *figures])
    return lines


def verdict(name: str, found: dict[str, dict[str, float] | None]) -> str:
    """Do the goals hold, in wall time and memory?"""
    import tables

    mine, theirs = found["ours"], found["pycocotools"]
    faster, lighter = theirs["seconds"] / mine["seconds"], mine["mebibytes"] / theirs["mebibytes"]
    return (
        f"- {name}: {faster:.1f} times as fast as pycocotools (goal: {FASTER}), {theirs['cpu'] / mine['cpu']:.1f} times in CPU time: "
        f"{tables.verdict(faster >= FASTER)}.\n"
        f"- {name}: {lighter:.2f} of its memory (goal: at most {LIGHTER}): {tables.verdict(lighter <= LIGHTER)}."
    )


def main() -> None:
    import tables

    parser = tables.parser(__doc__)
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="the interpreter that runs hotcoco")
    parser.add_argument("--only", choices=tuple(SIZES), help="a file of this size alone")
    parser.add_argument("--runs", type=int, default=3, help="of every reader; the fastest counts")
    for name in ("--reader", "--file"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.reader:
        measure(given.reader, given.file)
        return
    lines: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in (given.only,) if given.only else SIZES:
            file = Path(folder) / f"instances_{name}.json"
            write(file, *SIZES[name])
            found = {
                reader: measured(reader, file, given.peers if reader == "hotcoco" else sys.executable, given.runs)
                for reader in MODULES
            }
            counts = {run["instances"] for run in found.values() if run}
            if counts != {SIZES[name][1]}:
                raise SystemExit(f"{name}: readers found {counts} instances, not {SIZES[name][1]:,}")
            lines += rows(name, found)
            print(*(" | ".join(line) for line in lines[-len(found) :]), sep="\n", flush=True)
            file.unlink()
    head = ["file", "reader", "time", "CPU time", "peak memory", "ours is faster by", "ours takes, of its memory"]
    tables.show(
        "coco_load", f"{tables.table(head, lines, left=2)}\n\n{verdict(name, found)}\n\n{tables.load()}", given.write
    )


if __name__ == "__main__":
    main()
