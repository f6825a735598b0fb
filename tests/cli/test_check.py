"""Promises of `pstgen verify` and `pstgen attack` about attackers: their times, their table, their models."""

import json

import pytest
from click.testing import CliRunner

from pstgen import build
from pstgen.cli import main
from pstgen.config import BuildConfig


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)), env={"COLUMNS": "100"})


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """A very small set of the world, and what was said of it."""
    out = tmp_path_factory.mktemp("built") / "pst"
    build.build(BuildConfig(source="world", scenes=60, size=64, candidates=10, wordings=1, out=out))
    return out, run("verify", out)


@pytest.fixture
def pope(tmp_path):
    file = tmp_path / "pope.json"
    lines = [
        {"image": f"{n}.jpg", "text": f"Is there a cup, {n % 5}?", "label": ["yes", "no"][n % 2]} for n in range(40)
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    return file


def test_verify_prints_the_time_of_every_attacker_and_none_of_it_is_in_the_certificate(verified):
    out, result = verified
    for name in ("boosting", "majority", "metadata", "nearest", "ngrams"):
        assert f"{name}: " in result.output
    assert "items attacked in" in result.output
    figures = next(
        f for f in json.loads((out / "certificate.json").read_text())["findings"] if f["check"] == "attackers"
    )
    assert not any("second" in name for name in figures["figures"])


def test_verify_prints_pairs_first_and_says_why_the_contrarian_wins(verified):
    heads = next(line for line in verified[1].output.splitlines() if "attacker " in line and "items" in line)
    assert heads.index("pairs") < heads.index("items") < heads.index("stress") < heads.index("control")
    assert "by design" in verified[1].output


def test_attack_prints_what_each_reached_and_how_long_it_took(pope):
    result = run("attack", pope, "--format", "pope")
    assert result.exit_code == 0, result.output
    assert "metadata" in result.output
    assert "contrarian" not in result.output  # POPE tells no lure


@pytest.mark.parametrize("option", ["--attacker-lm", "--attacker-vlm"])
def test_an_attackers_model_that_does_not_load_is_exit_3_and_one_line(pope, option, tmp_path):
    result = run("attack", pope, "--format", "pope", option, tmp_path / "no-such-model")
    assert result.exit_code == 3, result.output
    assert "no-such-model" in result.output
    assert "Traceback" not in result.output
