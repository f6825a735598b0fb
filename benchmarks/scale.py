"""From annotations to worded pairs without pixels, for stand-ins for COCO of four sizes: seconds, memory, and what a second worker gives.

    python benchmarks/scale.py                                # 5,000 to 118,287 scenes, with one worker and with two
    python benchmarks/scale.py --sizes 2000,4000              # smaller ones

The stand-ins are those of dress_rehearsal.py without their pictures: instances, keypoints and captions. A fifth of the scenes feeds
the prior, the others give pairs, as in a build of one source; the stations are those of pstgen/build.py. No picture is there, so no
mask is decoded, no edit is tried, and colours are unknown; twins are retrieved. Each run is a process of its own; memory is that of
it and its workers (proportional set size, sampled); its cache is empty, so that nothing was counted before. Pairs and wordings of one worker and of two are compared.
"""

import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import dress_rehearsal as stand_in
import numpy as np
import psutil
import tables

from pstgen import build
from pstgen.core import workers as worker_processes
from pstgen.core.config import BuildConfig, build_config
from pstgen.core.report import Report
from pstgen.questions import prior_scenes, priors, wording
from pstgen.scenes import sources

SPLIT = "train2017"
SIZES = (5_000, 20_000, 60_000, 118_287)
STATIONS = ("listing", "facts and prior", "facts and pairs", "wording")
SECONDS, MEBIBYTES, TIMES = (
    180,
    3 * 1024,
    1.8,
)  # the goals: of the largest size with two workers; of one worker against two
LINEAR = 1.1  # the largest exponent of time by scenes that still counts as linear
STEP = 1.0  # seconds between two samples of memory: taking one holds the process up for some milliseconds


def write(folder: Path, images: int) -> None:
    """The annotations of a stand-in with so many scenes, as COCO's folder has them."""
    full, rest = stand_in.SPLITS[SPLIT], folder / "annotations"
    rest.mkdir(parents=True)
    total = full.scaled(images / full.images)
    ids = np.random.default_rng(stand_in.SEED).choice(stand_in.LAST_ID, total.images, replace=False) + 1
    drawn = stand_in.draw_images(SPLIT, total, ids, stand_in.fit())
    with multiprocessing.Pool(stand_in.CORES) as pool:
        work = stand_in.chunks(drawn, full.chunk, pictures=False)
        stand_in.write_split(drawn, rest, pool.imap(stand_in.draw_chunk, work), None)


def parted(config: BuildConfig) -> prior_scenes.Parts:
    """A fifth of the scenes for the prior, the others for pairs; that no picture is at hand is passed over."""
    entries = sources.load(config.source.name).index(config)
    share = prior_scenes.SHARE
    held = [entry for entry in entries if priors.is_prior_part(entry.id, "", share, config.seed)]
    feeding = {entry.id for entry in held}
    return prior_scenes.Parts([], held, [entry for entry in entries if entry.id not in feeding], frozenset(), share)


def work(root: Path, workers: int) -> dict[str, object]:
    """In a child process: seconds of each station, and what came of it."""
    config = build_config(root=root, split=SPLIT, twins=("matched",), workers=workers, prior_base="none")
    spent, clock = {}, time.perf_counter()

    def done(station: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        spent[station], clock = now - clock, now

    with tempfile.TemporaryDirectory() as place:
        parts = parted(config)
        done("listing")
        run = build.Run(config, Path(place), parts, report=Report(), cores=workers)
        prior = build.fit_prior(build.count_facts(run), run)
        done("facts and prior")
        candidates = build.propose_pairs(prior, run)
        done("facts and pairs")
        pairs = [
            pair
            for candidate in candidates
            for pair in wording.word(candidate, config.judges.wordings, config.questions.frames)
        ]
        done("wording")
    worker_processes.stop()
    text = "\n".join(repr(pair) for pair in pairs)
    usage = [resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "spent": spent,
        "cpu": sum(sum(each[:2]) for each in usage),
        "found": run.report.stations["pairs found"].total(),
        "facts": run.report.stations["known facts"].total(),
        "pairs": len(candidates),
        "wordings": len(pairs),
        "hash": sha256(text.encode()).hexdigest(),
    }


def measured(root: Path, workers: int) -> dict[str, object]:
    """A run in a process of its own, with the peak memory of its tree."""
    command = [sys.executable, __file__, "--root", str(root), "--workers", str(workers)]
    peak = 0.0
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryDirectory() as cache:
        process = subprocess.Popen(command, stdout=out, env=os.environ | {"XDG_CACHE_HOME": cache})
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, stand_in.tree_memory(watched))
            time.sleep(STEP)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
        out.seek(0)
        return json.loads(out.read()) | {"peak": peak}


def total(run: dict) -> float:
    return sum(run["spent"].values())


def row(scenes: int, workers: int, run: dict) -> list[str]:
    stations = (f"{run['spent'][name]:.1f}" for name in STATIONS)
    came = (f"{run[name]:,}" for name in ("found", "pairs", "wordings"))
    return [
        f"{scenes:,}",
        str(workers),
        *stations,
        f"{total(run):.1f}",
        f"{run['cpu']:.1f}",
        f"{run['peak']:,.0f}",
        *came,
    ]


def slope(sizes: list[int], of: list[float]) -> float:
    """The exponent of scenes by which it grows, fitted to all sizes; 1 is linear."""
    return float(np.polyfit(np.log(sizes), np.log(of), 1)[0])


def verdicts(runs: dict[tuple[int, int], dict], sizes: list[int]) -> list[str]:
    """Which goals hold, a line each."""
    last, pooled = sizes[-1], runs[sizes[-1], 2]
    times = total(runs[last, 1]) / total(pooled)
    took, peak = total(pooled), pooled["peak"]
    holds = tables.verdict(took < SECONDS and peak < MEBIBYTES)
    lines = [
        f"- {last:,} scenes, two workers: {took:.0f} s, {peak:,.0f} MiB (goals: {SECONDS} s, {MEBIBYTES:,} MiB): {holds}."
    ]
    lines.append(
        f"- Two workers are {times:.2f} times as fast as one (goal: {TIMES}): {tables.verdict(times >= TIMES)}."
    )
    if len(sizes) > 1:
        grown = {
            name: slope(sizes, [figure(runs[size, 1]) for size in sizes])
            for name, figure in (("time", total), ("CPU time", lambda run: run["cpu"]))
        }
        shown = ", ".join(f"{name} grows with scenes to the power of {power:.2f}" for name, power in grown.items())
        lines.append(
            f"- With one worker {shown} (goal: linear, at most {LINEAR}): {tables.verdict(grown['CPU time'] <= LINEAR)}."
        )
    return lines


def main() -> None:
    parser = tables.parser(__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="scenes, parted by commas")
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.root:
        print(json.dumps(work(given.root, given.workers)))
        return
    sizes, runs = sorted(map(int, given.sizes.split(","))), {}
    for scenes in sizes:
        with tempfile.TemporaryDirectory(prefix="pstgen-scale-") as place:
            write(Path(place), scenes)
            for workers in (1, 2):
                runs[scenes, workers] = measured(Path(place), workers)
                print(" | ".join(row(scenes, workers, runs[scenes, workers])), flush=True)
        if runs[scenes, 1]["hash"] != runs[scenes, 2]["hash"]:
            raise SystemExit(f"{scenes:,} scenes: one worker and two give different pairs")
    head = [
        "scenes",
        "workers",
        *(f"{name}, s" for name in STATIONS),
        "all, s",
        "CPU, s",
        "memory, MiB",
        "pairs found",
        "candidates",
        "wordings",
    ]
    text = tables.table(head, [row(*key, run) for key, run in runs.items()], left=0)
    tables.show("scale", "\n".join([text, "", *verdicts(runs, sizes), "", tables.load()]), given.write)


if __name__ == "__main__":
    main()
