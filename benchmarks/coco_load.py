"""Reading COCO's annotations: ours beside pycocotools, time and peak memory, each in a process of its own.

The files are synthetic, of val2017's and train2017's size: as many images, instances and points a polygon.
`python benchmarks/coco_load.py`
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIZES = {"val2017": (5_000, 36_781), "train2017": (118_287, 860_001)}
POINTS = 22  # a polygon, about COCO's mean


def write(file: Path, images: int, instances: int) -> None:
    """A file of that size, streamed."""
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


def theirs(file: str) -> int:
    from pycocotools.coco import COCO

    read = COCO(file)
    return sum(len(read.imgToAnns[image]) for image in read.imgs)


def measure(reader: str, file: str) -> None:
    """In a child process: seconds and the peak of memory above the imports."""
    function = {"ours": ours, "pycocotools": theirs}[reader]
    __import__("pstgen.scenes.coco_files" if reader == "ours" else "pycocotools.coco")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    found = function(file)
    took = time.perf_counter() - start
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"seconds": took, "mebibytes": peak, "instances": found}), file=sys.stderr)


def main() -> None:
    if len(sys.argv) == 3:
        measure(*sys.argv[1:])
        return
    print(f"{'file':<12}{'reader':<14}{'seconds':>9}{'MiB':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for name, size in SIZES.items():
            file = Path(folder) / f"instances_{name}.json"
            write(file, *size)
            told = {}
            for reader in ("ours", "pycocotools"):
                runs = [
                    subprocess.run(
                        [sys.executable, __file__, reader, str(file)], capture_output=True, text=True, check=True
                    )
                    for _ in range(3 if name == "val2017" else 1)
                ]
                told[reader] = min(
                    (json.loads(run.stderr.splitlines()[-1]) for run in runs), key=lambda run: run["seconds"]
                )
                print(
                    f"{name:<12}{reader:<14}{told[reader]['seconds']:>9.2f}{told[reader]['mebibytes']:>9.0f}",
                    flush=True,
                )
            assert told["ours"]["instances"] == told["pycocotools"]["instances"]
            ratio = told["pycocotools"]["seconds"] / told["ours"]["seconds"]
            share = told["ours"]["mebibytes"] / told["pycocotools"]["mebibytes"]
            print(f"{name:<12}{'':<14}{ratio:>8.1f}x{share:>9.2f}")
            file.unlink()


if __name__ == "__main__":
    main()
