"""How many pairs and questions builds of several sizes come to: what `pstgen build --dry-run` interpolates between.

    python benchmarks/build_rates.py world 100 300 1000
    PSTGEN_COCO_ROOT=… python benchmarks/build_rates.py coco 40 90 188   # COCO's folder, or dress_rehearsal's stand-in, unpacked
    python benchmarks/build_rates.py world 300 --models      # judged by the models that come with pstgen, in an empty cache

Every build is a real one with the defaults, by text baselines alone unless models are wanted; a line of YAML each is printed, as
pstgen/evaluation/dry_run/rates.yaml has them. Without models a minute or so for 1,000 scenes; with them, many.
"""

import argparse
import json
import os
import resource
import sqlite3
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow.parquet as pq

from pstgen import build
from pstgen.core.config import build_config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", choices=("world", "coco"))
    parser.add_argument("scenes", type=int, nargs="+")
    parser.add_argument("--models", action="store_true")
    parser.add_argument("--candidates", type=int, default=500)
    parser.add_argument("--wordings", type=int, default=4)
    given = parser.parse_args()
    for scenes in given.scenes:
        with tempfile.TemporaryDirectory() as work:
            if given.models:
                os.environ["XDG_CACHE_HOME"] = f"{work}/cache"
            point = measured(given, scenes, Path(work))
        print(f"- {json.dumps(point)}", flush=True)


def measured(given: argparse.Namespace, scenes: int, work: Path) -> dict[str, object]:
    """Of one build. fallen: pairs that misled the text baselines; left: their wordings; new: texts among all wordings."""
    few = {"scenes": scenes} if given.source == "world" else {"limit": scenes}
    models = {} if given.models else {"vlm": "none", "lm": "none"}
    size = {"candidates": given.candidates, "wordings": given.wordings}
    before = seconds()
    config = build.with_defaults(build_config(source=given.source, out=work / "pst", **few, **models, **size))
    report = build.build(config)
    stations = {name: counted.total() for name, counted in report.stations.items()}
    rows = pq.read_table(work / "pst" / "scores.parquet").to_pylist()
    by_judge = defaultdict(list)
    for row in rows:
        by_judge[row["judge"]].append(row)
    point: dict[str, object] = {
        "scenes": stations["scenes for items"],
        "pairs": dict(sorted(report.stations["pairs found"].items())),
        "candidates": stations["candidate pairs"],
        "wordings": len(by_judge["prior"]),
        "texts": len({(row["question"], tuple(row["options"])) for row in by_judge["prior"]}),
        "fallen": stations["fooled text"],
        "left": sum(row["choice"] == row["lure"] for row in by_judge["text"]),
        "kept": stations["kept"],
        "seconds": round(seconds() - before, 1),
    }
    if given.models:
        point["judges"] = {name: of_judge(of) for name, of in by_judge.items() if name not in {"prior", "text"}}
        point["verdicts"], point["bytes"] = journal()
    return point


def of_judge(rows: list[dict[str, object]]) -> dict[str, int]:
    texts = {(row["question"], tuple(row["options"])) for row in rows}
    return {"wordings": len(rows), "texts": len(texts), "fooled": sum(row["choice"] == row["lure"] for row in rows)}


def journal() -> tuple[dict[str, int], int]:
    """Verdicts that were kept, by judge, and the bytes of their file."""
    file = Path(os.environ["XDG_CACHE_HOME"]) / "pstgen" / "verdicts" / "journal-1.sqlite"
    with sqlite3.connect(file) as connection:
        names = connection.execute("SELECT name FROM verdicts JOIN judges ON judges.id = verdicts.judge").fetchall()
    return dict(Counter(name for (name,) in names)), sum(each.stat().st_size for each in file.parent.glob("journal-*"))


def seconds() -> float:
    """Of CPU time, of this process and its workers."""
    return sum(sum(resource.getrusage(of)[:2]) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


if __name__ == "__main__":
    main()
