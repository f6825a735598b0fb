"""The wheel carries all that a build needs, and runs from anywhere."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def python(*words, **how):
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, check=False, **how)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    python("-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT)
    return next(out.glob("*.whl"))


def test_templates_sources_and_types_are_inside(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"pstgen/_data/templates/{path.name}" for path in (ROOT / "templates").glob("*.yaml")} <= names
    assert {f"pstgen/_data/data_sources/{path.name}" for path in (ROOT / "data_sources").glob("*.yaml")} <= names
    assert "pstgen/py.typed" in names
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in names)


def test_it_builds_a_set_from_another_folder(wheel, tmp_path):
    """Installed without dependencies, which the path of this environment gives; the checkout is out of reach."""
    site, away = tmp_path / "site", tmp_path / "away"
    away.mkdir()
    python("-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel)
    code = "import pstgen, sys; from pstgen.cli import main; print(pstgen.__file__); sys.argv[0] = 'pstgen'; main()"
    words = ["build", "--source", "world", "--scenes", "120", "--size", "64", "--out", "pst"]
    inside = {**os.environ, "PYTHONPATH": str(site), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    told = python("-c", code, *words, cwd=away, env=inside)
    assert str(site) in told
    assert (away / "pst" / "manifest.json").is_file()
