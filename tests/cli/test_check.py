"""Promises of `pstgen verify` and `pstgen attack`: what ran and what did not, attackers' times, tables, models."""

import json
import re
import shutil

import pytest
from click.testing import CliRunner

from pstgen import build
from pstgen.cli import main
from pstgen.core.config import build_config
from pstgen.dataset import store
from pstgen.verification import annotations, certificate
from pstgen.verification.findings import Finding
from pstgen.verify import Rebuild


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)), env={"COLUMNS": "100"})


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """A very small set of the world, none of it edited, and what was said of it."""
    out, small = tmp_path_factory.mktemp("built") / "pst", {"scenes": 60, "size": 64, "candidates": 10, "wordings": 1}
    build.build(build_config(source="world", prior_base="world", twins=("matched",), out=out, **small))
    return out, run("verify", out)


@pytest.fixture
def pope(tmp_path):
    file = tmp_path / "pope.json"
    lines = [
        {"image": f"{n}.jpg", "text": f"Is there a cup, {n % 5}?", "label": ["yes", "no"][n % 2]} for n in range(40)
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    return file


UNTESTED = ["additive", "audit", "edited_probe", "file_probe", "image_probe"]


def test_a_check_that_did_not_run_is_not_tested_wherever_it_is_mentioned(verified):
    out, result = verified
    assert result.exit_code == 0, result.output
    kept = certificate.read(out)
    assert kept.sound
    states = {finding.check: finding.state for finding in kept.findings}
    assert [check for check, state in states.items() if state == "not tested"] == UNTESTED
    page = (out / certificate.PAGE).read_text()
    for check in UNTESTED:
        reason = next(finding.untested for finding in kept.findings if finding.check == check)
        assert re.search(rf"^{check} +not tested +{reason[:20]}", result.output, re.MULTILINE)
        assert f">not tested: {reason}<" in page
    assert f"{len(states) - len(UNTESTED)} of {len(states)}</b><span>checks ran, none found anything wrong" in page


def test_the_last_lines_are_the_verdict_the_time_and_what_comes_next(verified):
    out, result = verified
    verdict, time, following = result.stdout.splitlines()[-3:]
    assert re.fullmatch(rf"{out}: sound; \d+ of \d+ checks ran \(not tested: {', '.join(UNTESTED)}\)", verdict)
    assert re.fullmatch(rf"Verified in [\d.]+ s; wrote {out / certificate.NAME}\.", time)
    assert following == f"Next: open {out / certificate.PAGE}, then pstgen audit {out}"


def test_after_an_audit_none_is_suggested(verified, tmp_path):
    folder = tmp_path / "pst"
    shutil.copytree(verified[0], folder)
    dataset = store.open(folder)
    item = next(iter(dataset.items()))
    annotation = annotations.Annotation(
        item=item.item_id, pair=item.pair_id, family=item.family,
        who="anna", verdict="right", seed=0, manifest=dataset.manifest.seal,
    )  # fmt: skip
    annotations.append(folder / annotations.FILE, annotation)
    result = run("verify", folder)
    assert result.stdout.splitlines()[-1] == f"Next: open {folder / certificate.PAGE}"
    assert "(not tested: additive, edited_probe, file_probe, image_probe)" in result.output


def test_where_bytes_differ_it_is_said_that_nothing_else_ran(verified, tmp_path):
    folder = tmp_path / "pst"
    shutil.copytree(verified[0], folder)
    (folder / "README.md").write_text("another card")
    result = run("verify", folder)
    assert result.exit_code == 1
    assert f"{folder}: NOT SOUND (integrity)" in result.stderr
    assert "no other check ran" in result.stderr
    assert "no certificate was written" in result.stdout
    assert "pstgen audit" not in result.output


@pytest.mark.parametrize("problems", [(), ("README.md: differs",)])
def test_rebuild_says_that_it_rebuilds_where_there_is_no_terminal_too(verified, tmp_path, monkeypatch, problems):
    folder = tmp_path / "pst"
    shutil.copytree(verified[0], folder)
    finding = Finding(check="rebuild", summary="built again", problems=problems)
    monkeypatch.setattr(Rebuild, "examine", lambda *_: finding)
    result = run("verify", folder, "--rebuild")
    assert "building it again from its manifest" in result.stderr
    assert result.exit_code == bool(problems)
    assert ("NOT SOUND (rebuild); " in result.stderr) == bool(problems)


def test_every_column_has_a_heading_of_words(verified):
    rules = [
        n
        for n, line in enumerate(verified[1].stdout.splitlines())
        if line.startswith("\N{BOX DRAWINGS LIGHT HORIZONTAL}")
    ]
    assert len(rules) == 4
    lines = verified[1].stdout.splitlines()
    assert lines[rules[0] - 1].split() == ["check", "result", "finding"]
    assert {lines[rules[n] - 1].split()[0] for n in (1, 2, 3)} == {"attacker", "judge"}


def test_judges_coins_and_frames_stand_beside_attackers(verified):
    output = " ".join(verified[1].stdout.split())
    assert "prior: right on " in output
    assert "a coin between the twins' answers wins " in output
    assert "words alone win none" in output
    assert "The most that any reaches: " in output
    findings = {finding.check: finding for finding in certificate.read(verified[0]).findings}
    counts = findings["pairs"].figures
    assert counts["pairs/neutral"] + counts["pairs/framed"] == counts["pairs"]
    attacks = findings["attackers"].attacks
    assert [attack.pairs.chance for attack in attacks] == pytest.approx([counts["coin/options"]] * len(attacks))
    assert [attack.coin for attack in attacks] == pytest.approx([counts["coin/answers"]] * len(attacks))
    assert {line.judge for line in findings["judges"].judges} >= {"prior", "text"}
    page = (verified[0] / certificate.PAGE).read_text()
    assert "What one expects, and what is asked" in page
    assert page.index("neutral: stress twins") < page.index("framed: stress twins") < page.index("all: stress twins")


@pytest.mark.parametrize("folder", ["nosuch", "empty"])
def test_where_there_is_no_stress_test_the_command_that_builds_it_is_named(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    result = run("verify", tmp_path / folder)
    assert result.exit_code == 2
    path = tmp_path / folder
    line = f"{path}: no stress test here (no manifest.json); run `pstgen build --out {path}` first"
    assert result.output == f"pstgen: {line}\n"


def test_a_wordy_verify_prints_the_time_of_every_attacker_and_none_of_it_is_in_the_certificate(verified):
    out, result = verified
    assert "items attacked in" not in result.output
    wordy = run("verify", out, "-v").stderr
    for name in ("boosting", "majority", "metadata", "nearest", "ngrams"):
        assert f"{name}: " in wordy
    assert "items attacked in" in wordy
    assert "second" not in (out / "certificate.json").read_text()


def test_verify_prints_pairs_first_and_says_why_the_contrarian_wins(verified):
    heads = next(line for line in verified[1].output.splitlines() if "attacker " in line and "items" in line)
    assert heads.index("pairs") < heads.index("items") < heads.index("stress") < heads.index("control")
    assert "by design" in verified[1].output


def test_attack_prints_what_each_reached_and_how_long_it_took(pope):
    result = run("attack", pope, "--format", "pope")
    assert result.exit_code == 0, result.output
    assert "metadata" in result.output
    assert "contrarian" not in result.output  # POPE has no lure


def test_attack_prints_the_same_results_as_json(pope):
    result = run("attack", pope, "--format", "pope", "--json")
    attacks = {attack["attacker"]: attack for attack in json.loads(result.stdout)["attacks"]}
    assert attacks["rows"]["items"]["share"] > 0.9
    assert attacks["rows"]["stress"] is None


@pytest.mark.parametrize("option", ["--attacker-lm", "--attacker-vlm"])
def test_an_attackers_model_that_does_not_load_is_exit_3_and_one_line(pope, option, tmp_path):
    result = run("attack", pope, "--format", "pope", option, tmp_path / "no-such-model")
    assert result.exit_code == 3, result.output
    assert "no-such-model" in result.output
    assert "Traceback" not in result.output
