"""The command, without a browser."""

import getpass
import json
import shutil

import pytest
from click.testing import CliRunner

from pstgen.cli import main
from pstgen.core.config import AuditConfig
from pstgen.core.records import BadInput
from pstgen.verification import annotations, audit


@pytest.fixture
def folder(built, tmp_path):
    shutil.copytree(built, tmp_path / "pst")
    return tmp_path / "pst"


def test_two_people_with_one_seed_see_the_same_labels(folder):
    one, other = (audit.begin(AuditConfig(folder=folder, n=6, who=who)) for who in ("anna", "ben"))
    assert one.told().pages == other.told().pages
    assert len(one.pictures) == 6


def test_whoever_gives_no_name_is_the_user_of_the_machine(folder):
    assert audit.begin(AuditConfig(folder=folder, n=2)).who == getpass.getuser()


def test_no_role_stands_first_or_last_in_all_pairs(folder):
    pages = audit.begin(AuditConfig(folder=folder, n=10_000, who="anna")).told().pages
    assert {page.twins[0].role for page in pages} == {"stress", "control"}


def test_what_was_said_is_taken_up_and_counted(folder):
    begun = audit.begin(AuditConfig(folder=folder, n=4, who="anna"))
    for item, word in zip(begun.pictures, ("right", "wrong", "right"), strict=False):
        begun.say(item, word)
    begun.undo()
    again = audit.begin(AuditConfig(folder=folder, n=6, who="anna"))
    assert again.progress() == "2 of 6 labels judged by anna: 1 right, 1 wrong, 0 ambiguous"


def test_a_folder_that_is_none_is_one_line_and_exit_2(tmp_path):
    told = CliRunner().invoke(main, ["audit", str(tmp_path), "--no-open"])
    assert told.exit_code == 2
    assert "manifest.json" in told.output
    assert "Traceback" not in told.output


def test_an_audit_of_another_build_is_one_line_and_exit_2(folder):
    line = audit.begin(AuditConfig(folder=folder, n=2, who="anna")).told().pages[0]
    stale = {"item": line.twins[0].item, "pair": line.pair, "family": line.family, "who": "anna"}
    stale |= {"verdict": "right", "seed": 0, "manifest": "another"}
    (folder / annotations.FILE).write_text(json.dumps(stale) + "\n")
    told = CliRunner().invoke(main, ["audit", str(folder), "--n", "2", "--no-open"])
    assert told.exit_code == 2
    assert "another build" in told.output


def test_a_set_without_pairs_has_nothing_to_audit(folder, monkeypatch):
    monkeypatch.setattr("pstgen.dataset.store.Dataset.items", lambda _: iter(()))
    with pytest.raises(BadInput, match="no pair"):
        audit.begin(AuditConfig(folder=folder))
