"""A build that is shared out: all parts together make the very set that one build makes."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from pstgen import build, shards
from pstgen.cli import main
from pstgen.core.config import build_config, with_settings
from pstgen.dataset import store
from pstgen.dataset.parts import Shard
from pstgen.models.panel import COMPARED


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def shared_out(tmp_path, of, **settings):
    """The folders of one build, of its merged parts, and how many verdicts no part had."""
    config = build.with_defaults(build_config(source="world", out=str(tmp_path / "whole"), **settings))
    build.build(config)
    parts = [tmp_path / str(n) for n in range(1, of + 1)]
    for n, part in enumerate(parts, 1):
        shards.build_part(with_settings(config, out=str(part), workers=n), Shard(n, of))
    _, _, new = shards.merge(parts[::-1], tmp_path / "merged")
    return tmp_path / "whole", tmp_path / "merged", new


@pytest.fixture
def few(tiny_llava, monkeypatch, tmp_path):
    """Settings of a small build with a random model. Nothing is known of what it said before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return {"scenes": 60, "size": 64, "candidates": 6, "wordings": 1, "vlm": str(tiny_llava), "lm": "none"}


def test_merged_parts_have_the_bytes_of_one_build(few, tmp_path):
    whole, merged, new = shared_out(tmp_path, 2, **few)
    assert files(whole) == files(merged)
    assert new < 3 * 2 * COMPARED  # the other ways of asking are compared on a few items of the set


@pytest.mark.slow
def test_so_they_have_where_models_decide(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    whole, merged, _ = shared_out(tmp_path, 3, scenes=120)
    assert files(whole) == files(merged)
    assert {"lm", "vlm/blank"} & {score.judge for score in store.open(whole).scores() if score.kept}


def test_the_commands_say_what_comes_next(few, tmp_path):
    options = [f"--{name}={value}" for name, value in (few | {"vlm": "none"}).items()]
    for n in (1, 2):
        made = CliRunner().invoke(
            main, ["build", "--source=world", *options, f"--shard={n}/2", f"--out={tmp_path / str(n)}"]
        )
        assert made.exit_code == 0, made.output
        assert f"part {n}/2, " in made.output
    alone = CliRunner().invoke(main, ["merge", str(tmp_path / "1"), "--out", str(tmp_path / "pst")])
    assert (alone.exit_code, alone.output.splitlines()[-1]) == (2, "pstgen: of 2 parts 1 are missing: 2")
    merged = CliRunner().invoke(main, ["merge", *(str(tmp_path / n) for n in "12"), "--out", str(tmp_path / "pst")])
    assert merged.exit_code == 0, merged.output
    assert f"Next: pstgen verify {tmp_path / 'pst'}" in merged.output
