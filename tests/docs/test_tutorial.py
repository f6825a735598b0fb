"""What a page marks with `<!-- run -->` runs as it stands, in its order, on a small set in pst/."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pstgen.cli import main

sys.path.insert(0, str(Path(__file__).parent))
import pages

MARKED = [page for page in pages.PAGES if any(block.run for block in pages.blocks(page))]


@pytest.mark.parametrize("page", MARKED, ids=lambda page: page.name)
def test_what_is_marked_to_run_runs(page, small_set, tmp_path, monkeypatch):
    shutil.copytree(small_set, tmp_path / "pst")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    printed = "".join(ran(block, tmp_path) for block in pages.blocks(page) if block.run)
    if page.name == "tutorial.md":
        assert "pst: sound" in printed
        assert "guesses wins 0.0%" in printed  # who never looks
        assert (tmp_path / "gallery" / "index.html").is_file()
        assert (tmp_path / "leaderboard.html").is_file()
    if page.name == "README.md":
        pairs, *_ = printed.split()
        assert float(pairs) == 0  # always the first option


def test_the_tutorial_and_the_readme_are_run():
    assert {page.name for page in MARKED} >= {"README.md", "tutorial.md"}


def ran(block, folder):
    """What the block printed."""
    if block.language == "python":
        environment = os.environ | {"HF_HOME": str(folder / "hub"), "HF_HUB_OFFLINE": "1"}
        words = (
            [sys.executable, "-W", "error", "-c", block.text]
            if "datasets" not in block.text
            else [sys.executable, "-c", block.text]
        )
        return subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout
    printed = ""
    for words in pages.typed(block.text):
        assert words[0] == "pstgen"
        result = CliRunner().invoke(main, words[1:])
        assert result.exit_code == 0, (words, result.output)
        printed += result.output
    return printed
