"""Every example runs as it is typed, and is as short as promised."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
RECIPE = Path(__file__).with_name("few_steps.yaml").read_text()


def run(name, *words, path=""):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (path, os.environ.get("PYTHONPATH", ""))))}
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """What the first example built, and what it printed."""
    out = tmp_path_factory.mktemp("example") / "pst"
    return out, run("build_on_the_world.py", out)


def test_there_are_five_of_at_most_25_lines():
    lengths = {file.name: len(file.read_text().splitlines()) for file in EXAMPLES.glob("*.py")}
    assert len(lengths) == 5
    assert max(lengths.values()) <= 25, lengths


def test_a_set_is_built_verified_and_shown(world):
    out, printed = world
    assert (out / "certificate.json").is_file()
    assert "the words suggest" in printed


def test_a_model_that_never_looks_wins_no_pair(world):
    printed = run("test_a_model.py", world[0])
    assert "pairs 0.0 %" in printed
    assert "lured in 100.0 %" in printed


def test_own_annotations_give_a_set(photographs, tmp_path):
    file = photographs(tmp_path / "mine", "mine", range(1, 61), prefix="mine")
    printed = run("own_coco_data.py", file, tmp_path / "pst")
    assert "kept" in printed
    assert (tmp_path / "pst" / "manifest.json").is_file()


def test_a_family_from_outside_is_asked_by_its_name_alone(tmp_path):
    site = tmp_path / "site"
    metadata = site / "equal-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: equal\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[pstgen.families]\nequal = new_family\n")
    (site / "new_family.py").write_text((EXAMPLES / "new_family.py").read_text())
    words = ["build", "--source", "world", "--scenes", "1500", "--size", "64", "--family", "equal", "--lm", "none"]
    done = subprocess.run(
        [sys.executable, "-m", "pstgen", *words, "--vlm", "none", "--out", tmp_path / "pst"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(site)},
    )
    assert done.returncode == 0, done.stderr
    assert "equal" in done.stdout


@pytest.mark.slow
def test_two_systems_are_trained_and_compared(tmp_path):
    (tmp_path / "few.yaml").write_text(RECIPE)
    printed = run("train_two_systems.py", tmp_path / "run", tmp_path / "few.yaml")
    assert "perceptual_reward" in printed
    assert (tmp_path / "run" / "report.html").is_file()
