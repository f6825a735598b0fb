"""What the project makes, as hashes: write them before the code is moved, and say afterwards what differs.

    python benchmarks/pin.py --write before.json
    python benchmarks/pin.py --against before.json

Builds three sets (the built-in world with all families and edits; COCO's photographs in $PSTGEN_COCO_ROOT; the same with a
tiny random LLaVA), verifies them and trains two systems for two steps, all by the commands that a user types. Hashes go by
the machine's arithmetic and the versions of its libraries, so both files come from one machine. What is timed or has a date
is left out. Exits with 1 where something differs.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

import torch
from safetensors.torch import load_file

HERE = Path(__file__).parents[1]
PSTGEN = Path(sys.executable).with_name("pstgen")
RECIPE = (HERE / "tests" / "few_steps.yaml").read_text().replace("joint_steps: 3", "joint_steps: 2")
TIMED = ("p50", "p95", "first", "energy", "thousand", "seconds", "time", "memory", "price")  # in a figure's name
DATED = {"README.md", "report.html"}  # hold dates and timings


def pstgen(work: Path, *words: str) -> str:
    """What a command prints; an error where it fails."""
    environment = os.environ | {"XDG_CACHE_HOME": str(work / "cache"), "HF_HUB_OFFLINE": "1"}
    print("pstgen", *words, flush=True)
    done = subprocess.run([PSTGEN, *words], cwd=work, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def tiny_llava(out: Path) -> None:
    spec = importlib.util.spec_from_file_location("tiny_llava", HERE / "tests" / "tiny_llava.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.build(out)


def hashes(folder: Path) -> Iterator[tuple[str, str]]:
    """Of every file, and of every figure that is not timed."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(file.relative_to(folder.parent))
        if file.suffix == ".json":
            yield from leaves(name, json.loads(file.read_bytes()))
        elif file.suffix == ".safetensors":
            tensors = load_file(file)
            total = sum(float(torch.nan_to_num(t.double()).abs().sum()) for t in tensors.values())
            yield name, f"{len(tensors)} tensors, {total:.6g}"
        elif file.name not in DATED and file.suffix not in {".pt", ".png", ".svg", ".log"}:
            with file.open("rb") as opened:
                yield name, file_digest(opened, "sha256").hexdigest()


def leaves(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Every figure of a JSON file under its path."""
    if isinstance(value, dict | list) and value:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if not any(word in str(key) for word in TIMED):
                yield from leaves(f"{name}: {key}", inner)
    else:
        yield name, value


def pins(work: Path) -> dict[str, object]:
    """Make everything in `work` and hash it."""
    tiny_llava(work / "llava")
    (work / "few.yaml").write_text(RECIPE)
    sets = {"world": ("--source", "world", "--scenes", "300")}
    if root := os.environ.get("PSTGEN_COCO_ROOT"):
        photographs = ("--source", "coco", "--root", root, "--split", "val2017")
        sets |= {"coco": (*photographs, "--vlm", "none"), "coco_llava": (*photographs, "--vlm", "llava")}
    else:
        print("PSTGEN_COCO_ROOT is not set: no photographs")
    found: dict[str, object] = {}
    for name, words in sets.items():
        pstgen(work, "build", *words, "--out", name)
        pstgen(work, "verify", name)
        found |= hashes(work / name)
    pstgen(work, "train-eval", "--recipe", "few.yaml", "--systems", "standard,perceptual_reward", "--out", "run")
    return found | dict(hashes(work / "run"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="a JSON file of hashes to write")
    parser.add_argument("--against", type=Path, help="a JSON file of hashes to compare with")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pin-") as made:
        work = Path(tempfile.gettempdir()) / "pstgen-pin"  # one path, since some files name it
        Path(made).rename(work)
        try:
            found = pins(work)
        finally:
            work.rename(made)
    if given.write:
        given.write.write_text(json.dumps(found, indent=1))
    if given.against:
        before = json.loads(given.against.read_bytes())
        after = json.loads(json.dumps(found))
        differ = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        for name in differ:
            print(f"{name}: {before.get(name, 'missing')} -> {after.get(name, 'missing')}")
        print(f"{len(differ)} of {len(before)} differ")
        sys.exit(bool(differ))


if __name__ == "__main__":
    main()
