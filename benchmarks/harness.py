"""The same model on the same items: `pstgen eval` beside lmms-eval, which stands in an environment of its own.

    python -m venv build/lmms && build/lmms/bin/pip install lmms-eval decord "filelock<3.20"
    python benchmarks/harness.py --lmms build/lmms/bin/python

Both load the eye from its folder and let it answer in its own words, greedily, on the CPU; lmms-eval by its class for LLaVA, one item
at a time, which is the only way that this class knows for prompts of different lengths. Each runs as a command, three times on a few items and on all:
the difference of the quickest runs is the time an item takes, the rest is what starting costs. `pstgen eval` without the blind look, which lmms-eval does
not take.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

import tables

from pstgen.dataset.exporters import lmms_eval

EYE = files("pstgen") / "models" / "weights" / "eye"
FEW = 4  # pairs, of which a short run asks
ROUNDS = 3  # of a short run and a whole one: starting takes longer than all answers, and its time varies


def seconds(words: list[str], folder: Path, cache: Path) -> tuple[float, str]:
    """How long a command takes, without a network, and what it prints. Ends the program where it fails."""
    begun = time.perf_counter()
    env = os.environ | {
        "HF_HOME": str(cache),
        "XDG_CACHE_HOME": str(cache),
        "HF_HUB_OFFLINE": "1",
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: exit code {done.returncode}\n{done.stderr[-3000:]}")
    return time.perf_counter() - begun, done.stdout


def ours(pst: Path, work: Path, limit: int | None) -> tuple[float, int, float]:
    """Seconds, items and share of pairs."""
    words = [
        sys.executable,
        "-m",
        "pstgen",
        "eval",
        str(pst),
        "--model",
        "eye",
        "--ask",
        "generate",
        "--no-blind",
        "--no-neutral",
    ]
    more = ["--limit", str(limit)] if limit else []
    took, out = seconds([*words, *more, "--resume", "never", "--device", "cpu", "--json"], work, work / "ours")
    result = json.loads(out)
    (whole,) = (group for group in result["groups"] if group["kind"] == "all")
    return took, len(result["answers"]), whole["figures"]["pairs"]["share"]


def theirs(task: Path, work: Path, python: str, limit: int | None) -> tuple[float, int, float]:
    """The same of lmms-eval."""
    out = work / f"out-{limit}"
    words = [
        python,
        "-m",
        "lmms_eval",
        "--model",
        "llava_hf",
        "--batch_size",
        "1",
        "--include_path",
        ".",
        "--tasks",
        lmms_eval.IN_WORDS,
    ]
    words += [
        "--model_args",
        f"pretrained={EYE},device=cpu,device_map=cpu,dtype=float32",
        "--log_samples",
        "--output_path",
        str(out),
    ]
    took, printed = seconds([*words, *(["--limit", str(limit)] if limit else [])], task, work / "theirs")
    log = next(out.rglob("*_samples_*.jsonl"), None)
    if log is None:  # its exit code is 0 all the same
        raise SystemExit(f"lmms-eval left no answers:\n{printed[-3000:]}")
    share = re.search(r"\|pst_pair *\|[^|]*\| *([\d.]+) *\|", printed)
    if share is None:
        raise SystemExit(f"lmms-eval printed no share of pairs:\n{printed[-3000:]}")
    return took, len(log.read_text().splitlines()), float(share[1])


def measured(run, few) -> tuple[float, float, float, int]:
    """Milliseconds an item, seconds of starting, share of pairs, items: of ROUNDS runs of a few and of all items in turn, the quickest each."""
    rounds = [(run(few), run(None)) for _ in range(ROUNDS)]
    short, took = (min(seconds for seconds, *_ in runs) for runs in zip(*rounds, strict=True))
    (_, count, _), (_, items, share) = rounds[0]
    each = (took - short) / (items - count)
    return 1e3 * each, took - each * items, share, items


def main() -> None:
    parser = tables.parser(__doc__)
    parser.add_argument("--lmms", help="the Python that has lmms-eval; without it there is nothing to compare with")
    parser.add_argument("--scenes", type=int, default=600, help="of the built-in world, from which the set is built")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        pst, task = work / "pst", work / "task"
        pstgen = [sys.executable, "-m", "pstgen"]
        seconds(
            [*pstgen, "build", "--source", "world", "--scenes", str(given.scenes), "--out", str(pst)],
            work,
            work / "build",
        )
        seconds([*pstgen, "export", str(pst), "--to", "lmms-eval", "--out", str(task)], work, work / "build")
        each, start, share, items = measured(lambda limit: ours(pst, work, limit), FEW)
        rows = [["`pstgen eval --ask generate`", f"{each:.1f}", "", f"{start:.1f}", f"{share:.4f}"]]
        line = f"{items:,} items."
        if given.lmms and (python := Path(given.lmms).absolute()).is_file():
            other, began, won, same = measured(lambda limit: theirs(task, work, str(python), limit), 2 * FEW)
            rows.append(
                ["lmms-eval, `llava_hf`", f"{other:.1f}", f"{other / each:.1f} x", f"{began:.1f}", f"{won:.4f}"]
            )
            line += f" The same items: {same == items}. Ahead (goal): {tables.verdict(other > each)}."
        else:
            rows.append(["lmms-eval, `llava_hf`", "not installed", "", "", ""])
    head = ["harness", "ms an item", "ours is faster by", "starting, s", "pairs won"]
    tables.show("harness", f"{tables.table(head, rows)}\n\n{line} {tables.load()}", given.write)


if __name__ == "__main__":
    main()
