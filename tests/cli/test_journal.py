"""`pstgen journal` shows what is kept of models' verdicts, and removes what is no longer wanted."""

import json

import pytest
from click.testing import CliRunner

from pstgen.cli import main
from pstgen.models.journal import Journal


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def filled():
    """Three verdicts of a judge with a long revision, and a question that failed."""
    with Journal("vlm/seeing", "sha256:" + "0" * 64) as kept:
        kept.keep({f"{n:064}": (-1.0, -2.0) for n in range(3)}, {"x": ("Is it red?", "500 overloaded")})


def typed(*words):
    done = CliRunner().invoke(main, ["journal", *words])
    return done.exit_code, done.output


def test_an_empty_journal_is_said_to_be_empty():
    code, output = typed()
    assert code == 0
    assert output.rstrip().endswith("0 judges, 0.0 MB")


@pytest.mark.usefixtures("filled")
def test_judges_stand_in_a_table_and_in_json():
    code, output = typed()
    assert code == 0
    assert "vlm/seeing" in output
    assert output.rstrip().splitlines()[-1].partition(": ")[2].startswith("1 judges, ")
    (row,) = json.loads(typed("--json")[1])["judges"]
    assert (row["judge"], row["verdicts"], row["failed"]) == ("vlm/seeing", 3, 1)


@pytest.mark.usefixtures("filled")
def test_failed_questions_are_named_with_the_reason():
    assert typed("--failed")[1].splitlines()[0] == "vlm/seeing: 'Is it red?': 500 overloaded"


@pytest.mark.usefixtures("filled")
def test_pruning_says_what_went():
    assert typed("--prune")[1].startswith("0 verdicts of 0 judges removed")
    assert typed("--prune", "--judge", "vlm")[1].startswith("3 verdicts of 1 judges removed")
    assert json.loads(typed("--json")[1])["judges"] == []


@pytest.mark.parametrize("words", [("--failed", "--prune"), ("--older", "3"), ("--judge", "vlm")])
def test_options_that_contradict_each_other_are_refused(words):
    code, output = typed(*words)
    assert (code, output.count("\n")) == (2, 1)
