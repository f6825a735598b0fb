"""Promises of `pstgen journal`, and of `--resume` of build and eval."""

import json
import re

import pytest
from click.testing import CliRunner

from pstgen.cli import main
from pstgen.models import journal_file
from pstgen.models.journal import Journal

BUILD = ["build", "--source", "world", "--scenes", "60", "--size", "64", "--vlm", "none", "--candidates", "4"]
BUILD += ["--wordings", "1", "--edited", "2", "--workers", "1"]  # ours that reads words judges, and keeps a journal
ALONE = ["--vlm", "none", "--lm", "none"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)), env={"COLUMNS": "100"})


def keep(judge, count, **failed):
    with Journal(judge, "sha256:0123456789abcdef" * 4) as kept:
        kept.keep({f"{n:064}": (-1.0, -2.0) for n in range(count)}, failed)


def test_it_lists_judges_with_what_they_have():
    keep("vlm/seeing", 1234, a=("Is there a cup?", "500 no"))
    done = run("journal")
    assert done.exit_code == 0, done.output
    assert re.search(r"vlm/seeing\s+sha256:0123456789abcdef\S*…\s+1,234\s+1\s+0\.1 MB\s+0", done.output)
    assert re.search(rf"{re.escape(str(journal_file.path()))}: 1 judges, \d", done.output)
    (row,) = json.loads(run("journal", "--json").stdout)["judges"]
    assert (row["judge"], row["verdicts"], row["failed"]) == ("vlm/seeing", 1234, 1)


def test_it_lists_what_failed_with_the_reasons():
    keep("lm", 1, a=("Is there a cup?", "http://a/v1: 500 no"))
    done = run("journal", "--failed")
    assert done.output.splitlines() == [
        "lm: 'Is there a cup?': http://a/v1: 500 no",
        "1 questions failed and were not answered since",
    ]
    assert json.loads(run("journal", "--failed", "--json").stdout)[0]["reason"] == "http://a/v1: 500 no"


def test_it_prunes_a_judge_of_any_age_and_without_a_name_only_what_is_old():
    keep("lm", 2000)
    keep("vlm/seeing", 10)
    assert "0 verdicts of 0 judges removed" in run("journal", "--prune").output
    done = run("journal", "--prune", "--judge", "lm", "--json")
    assert json.loads(done.stdout)["verdicts"] == 2000
    assert json.loads(done.stdout)["freed"] > 2000 * 80
    done = run("journal", "--prune", "--older", 0)
    assert re.search(r"10 verdicts of 1 judges removed, [\d,]+ bytes freed$", done.output.strip())
    assert json.loads(run("journal", "--json").stdout)["judges"] == []


def test_an_empty_journal_is_no_error():
    done = run("journal")
    assert (done.exit_code, done.output) == (0, f"{journal_file.path()}: 0 judges, 0.0 MB\n")


@pytest.mark.parametrize("words", [("--failed", "--prune"), ("--judge", "lm"), ("--older", "3")])
def test_options_that_do_not_go_together_are_one_line_and_exit_2(words):
    done = run("journal", *words)
    assert done.exit_code == 2
    assert len(done.output.splitlines()) == 1


def asked(monkeypatch):
    """How often verdicts are kept from now on."""
    kept = []
    original = Journal.keep

    def keep(self, verdicts, failed=None):
        kept.extend(verdicts)
        original(self, verdicts, failed)

    monkeypatch.setattr(Journal, "keep", keep)
    return kept


def test_always_is_refused_before_any_work_where_there_is_nothing_to_resume(tmp_path):
    done = run("build", "--source", "world", "--scenes", 60, *ALONE, "--resume", "always", "--out", tmp_path / "pst")
    assert done.exit_code == 2
    assert "--resume always: no model judges in this run" in done.output


@pytest.mark.slow
def test_resume_takes_what_is_kept_or_asks_anew_or_insists_on_it(tmp_path, monkeypatch):
    refused = run(*BUILD, "--resume", "always", "--out", tmp_path / "refused")
    assert refused.exit_code == 2
    assert "--resume always: no run with these settings is in" in refused.output
    kept = asked(monkeypatch)
    hashes = []
    for resume, share in (("auto", 1), ("auto", 0), ("always", 0), ("never", 1)):
        before = len(kept)
        done = run(*BUILD, "--resume", resume, "--out", tmp_path / f"{len(hashes)}")
        assert done.exit_code == 0, done.output
        hashes.append(re.search(r"hash (\w+)", done.output)[1])
        first = len(kept) if not before else first  # noqa: F821 (set by the first run)
        assert len(kept) - before == share * first
    assert first > 50
    assert len(set(hashes)) == 1
    other = run(*BUILD, "--seed", 5, "--resume", "always", "--out", tmp_path / "other")
    assert "the latest one differs in seed" in other.output
