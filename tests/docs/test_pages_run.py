"""Every command and every program of a page is run, in the order of the page, with what the page presupposes."""

import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import pages
import running
import stages

ADDED = {  # words of a command, and options that make it small where it does not name them
    "build": "--wordings 1 --candidates 12 --lm none",
    "build --source world": "--scenes 120 --size 64 --vlm none",
    "build --source coco": "--family relation",
    "build --annotations": "--family relation",
    "train-eval": "--recipe few.yaml --systems standard,perceptual_reward",
}
LEFT_OUT = {  # beginnings of lines that are not run, and why
    "git clone ADDRESS": "loads this repository",
    "make demo": "installs everything; its two commands are the lines below it",
    ". .venv/bin/activate": "an environment is there",
    "pip install": "pstgen is installed, and a test changes no environment",
    "transformers serve": "a server is there; tests/models/test_endpoint_server.py starts this very one",
    "python -m venv lmms": "installs a harness of other people",
    "python -m venv vlme": "installs a harness of other people",
    "PSTGEN_LMMS_EVAL=$PWD/": "runs these tests themselves",
    "pstgen build --source coco --vlm ~/models/qwen --engine ray --ray-address": "needs a cluster of machines",
}
ENDS_WITH = {"verify pst/ --most-wrong 0.05": 1}  # the exit code of a command whose page says that it finds something
LEAVES = {  # what is there after a page was run
    "README.md": [
        "results/smolvlm.json",
        "leaderboard.html",
        "gallery/index.html",
        "photos/certificate.json",
        "again/manifest.json",
    ],
    "docs/annotations.md": ["pst/manifest.json", "free/manifest.json"],
    "docs/attack.md": ["report.html", "vulnerable.parquet"],
    "docs/audit.md": ["pst/audit.jsonl", "pst/certificate.json"],
    "docs/cluster.md": [
        "build.log",
        "photos/certificate.json",
        "merged/manifest.json",
        "existence/manifest.json",
        "count/manifest.json",
    ],
    "docs/dataset.md": ["gallery/index.html", "page/index.html"],
    "docs/endpoint.md": ["results/qwen.json", "photos/manifest.json"],
    "docs/evaluate.md": ["results/qwen.json", "results/mine.json", "leaderboard.html", "mini.json"],
    "docs/exit-codes.md": ["pst/certificate.json"],
    "docs/new-family.md": ["pairs.png", "pst/certificate.json"],
    "docs/publish.md": ["pst/CHANGELOG.md", "new/CHANGELOG.md"],
    "docs/scaling.md": ["photos/manifest.json"],
    "docs/training-on-pairs.md": ["test/certificate.json", "train/manifest.json"],
    "docs/training.md": ["runs/train-eval/report.html", "runs/llava/report.html"],
    "docs/tutorial.md": ["pst/certificate.json", "pairs.png", "leaderboard.html", "results/eye.json"],
}
NEEDS = {"--engine ray": "ray", "from trl": "trl", "from swift": "swift"}  # what a piece says, and the package it needs
QUICK = {"docs/attack.md", "docs/exit-codes.md", "pstgen/models/weights/eye/README.md"}
SHOWING = {page.relative_to(pages.CHECKOUT).as_posix(): [*running.pieces(page)] for page in pages.PAGES}
NAMES = [name for name, pieces in SHOWING.items() if any(running.lines(piece, tuple(LEFT_OUT)) for piece in pieces)]


def needs(piece):
    """The package that a piece needs beside what is installed for tests; "" if none."""
    return next((package for words, package in NEEDS.items() if words in piece.text), "")


def shown(name, package=""):
    """The pieces of a page that need this package, or none."""
    return [piece for piece in SHOWING[name] if needs(piece) == package]


@pytest.fixture(scope="session")
def store(tmp_path_factory, sound_set):
    return stages.Store(tmp_path_factory.mktemp("store"), sound_set)


@pytest.fixture
def shell(store, tmp_path, monkeypatch):
    """Sets the stage of a page."""
    with ExitStack() as servers:

        def set_stage(name):
            folder, home = tmp_path / "here", tmp_path / "home"
            folder.mkdir()
            (home / "models").mkdir(parents=True)
            environment = {
                "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "HF_HOME": str(home / "hub"),
                "HF_HUB_OFFLINE": "1", "PSTGEN_COCO_ROOT": "", "PYTHONPATH": "", "NO_COLOR": "1", "OMP_NUM_THREADS": "1",
            }  # fmt: skip
            monkeypatch.setenv("XDG_CACHE_HOME", environment["XDG_CACHE_HOME"])
            stage = stages.Stage(folder, home, store, servers, environment=environment)
            stages.STAGES[name](stage)
            made = running.Shell(folder, stage.replaced, ADDED, tuple(LEFT_OUT), stage.environment)
            running.install(made)
            return made

        yield set_stage


def check(pieces, shell):
    """Run the pieces; what each printed."""
    printed = ""
    for piece in pieces:
        output, calls = running.run(piece, shell)
        expected = [(words, ENDS_WITH.get(words, 0)) for words, _ in calls]
        assert calls == expected, output
        printed += output
    return printed


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in NAMES])
def test_what_a_page_shows_runs(name, shell):
    set_up = shell(name)
    printed = check(shown(name), set_up)
    assert [file for file in LEAVES.get(name, ()) if not (set_up.folder / file).exists()] == []
    assert name != "docs/exit-codes.md" or printed.endswith("\nsound\n")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "package"), [(n, p) for n in NAMES for p in NEEDS.values() if shown(n, p)])
def test_what_needs_another_package_runs_where_that_is(name, package, shell):
    pytest.importorskip(package)
    check(shown(name, package), shell(name))


def test_what_is_not_run_still_stands_in_a_page():
    lines = [line for pieces in SHOWING.values() for piece in pieces for line in piece.text.splitlines()]
    assert [start for start in LEFT_OUT if not any(line.startswith(start) for line in lines)] == []


def test_of_our_own_commands_only_that_of_a_cluster_is_not_run():
    assert sum(start.startswith("pstgen") for start in LEFT_OUT) == 1


def test_every_page_with_something_to_run_has_a_stage():
    assert set(stages.STAGES) == set(NAMES)
