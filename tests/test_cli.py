"""Promises of the command line: what is printed, and the exit code."""

import shutil

import pytest
from click.testing import CliRunner

from pstgen.cli import main

SMALL = ["build", "--source", "world", "--scenes", "150", "--size", "64", "--candidates", "40"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small stress test of the built-in world, and what was printed while it was built."""
    out = tmp_path_factory.mktemp("built") / "pst"
    return out, CliRunner().invoke(main, [*SMALL, "--out", str(out)])


def run(*words, **more):
    return CliRunner().invoke(main, list(map(str, words)), **more)


def test_build_prints_the_funnel_and_what_comes_next(built):
    out, result = built
    assert result.exit_code == 0, result.output
    assert "funnel" in result.output
    assert "kept" in result.output
    assert f"pstgen verify {out}" in result.output


def test_a_built_set_is_sound(built):
    result = run("verify", built[0])
    assert result.exit_code == 0, result.output
    assert "NOT SOUND" not in result.output
    assert (built[0] / "certificate.json").is_file()


def test_a_changed_set_is_not_sound_and_the_file_is_named(built, tmp_path):
    folder = tmp_path / "pst"
    shutil.copytree(built[0], folder)
    card = folder / "README.md"
    card.write_text(card.read_text() + " ")
    result = run("verify", folder)
    assert result.exit_code == 1
    assert "README.md" in result.output


def test_without_photographs_the_world_is_used_and_the_line_says_so(tmp_path, monkeypatch):
    monkeypatch.delenv("PSTGEN_COCO_ROOT", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    result = run("build", *SMALL[3:], "--vlm", "none", "--lm", "none", "--out", tmp_path / "pst")
    assert result.exit_code == 0, result.output
    assert "No photographs found: building on the built-in world." in result.output
    assert "built-in world" in (tmp_path / "pst" / "README.md").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["build", "--source", "nowhere"], "coco"),
        (["build", "--family", "smell"], "colour"),
        (["build", "--root", "/no/such/folder"], "/no/such/folder"),
        (["build", "--annotations", "/no/such.json"], "/no/such.json"),
        (["build", "--scenes", "1"], "2"),
        (["build", "--config", "/no/such.yaml"], "/no/such.yaml"),
        (["verify", "/no/such/pst"], "/no/such/pst"),
        (["fetch", "imagenet"], "imagenet"),
        (["build", "--nonsense"], "nonsense"),
    ],
)
def test_a_users_mistake_is_one_clear_line_and_exit_2(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a checkout may hold a pst/ of its own
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert said in result.output
    assert "Traceback" not in result.output


def test_an_unknown_setting_is_refused_by_name(tmp_path):
    (tmp_path / "run.yaml").write_text("sead: 3\n")
    result = run("build", "--config", tmp_path / "run.yaml")
    assert result.exit_code == 2
    assert "sead" in result.output


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("do not lose me")
    result = run(*SMALL, "--out", tmp_path)
    assert result.exit_code == 2
    assert (tmp_path / "thesis.txt").read_text() == "do not lose me"


def test_a_model_that_does_not_load_is_exit_3_and_leaves_nothing(tmp_path):
    result = run(*SMALL, "--vlm", tmp_path / "no-such-model", "--out", tmp_path / "pst")
    assert result.exit_code == 3, result.output
    assert "no-such-model" in result.output
    assert list(tmp_path.iterdir()) == []
