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
    first, second = (audit.begin(AuditConfig(folder=folder, n=6, who=who)) for who in ("anna", "ben"))
    assert first.start().pairs == second.start().pairs
    assert len(first.pictures) == 6


def test_whoever_gives_no_name_is_the_user_of_the_machine(folder):
    assert audit.begin(AuditConfig(folder=folder, n=2)).who == getpass.getuser()


def test_no_role_stands_first_or_last_in_all_pairs(folder):
    pairs = audit.begin(AuditConfig(folder=folder, n=10_000, who="anna")).start().pairs
    assert {pair.twins[0].role for pair in pairs} == {"stress", "control"}


def test_earlier_verdicts_are_taken_up_and_counted(folder):
    begun = audit.begin(AuditConfig(folder=folder, n=4, who="anna"))
    for item, rating in zip(begun.pictures, ("right", "wrong", "right"), strict=False):
        begun.judge(item, rating)
    begun.undo()
    again = audit.begin(AuditConfig(folder=folder, n=6, who="anna"))
    assert again.progress() == (
        "2 of 6 labels judged by anna: 1 right, 1 wrong, 0 ambiguous; of 1 pair: with a wrong label 100.0% [2.5%, 100.0%], "
        "with an ambiguous one 0.0% [0.0%, 97.5%], with either 100.0% [2.5%, 100.0%]"
    )


def test_a_folder_without_a_stress_test_is_one_line_and_exit_2(tmp_path):
    result = CliRunner().invoke(main, ["audit", str(tmp_path), "--no-open"])
    assert result.exit_code == 2
    assert "manifest.json" in result.output
    assert "Traceback" not in result.output


def test_an_audit_of_another_build_is_one_line_and_exit_2(folder):
    pair = audit.begin(AuditConfig(folder=folder, n=2, who="anna")).start().pairs[0]
    stale = {"item": pair.twins[0].item, "pair": pair.pair, "family": pair.family, "who": "anna"}
    stale |= {"verdict": "right", "seed": 0, "manifest": "another"}
    (folder / annotations.FILE).write_text(json.dumps(stale) + "\n")
    result = CliRunner().invoke(main, ["audit", str(folder), "--n", "2", "--no-open"])
    assert result.exit_code == 2
    assert "another build" in result.output


def test_a_set_without_pairs_has_nothing_to_audit(folder, monkeypatch):
    monkeypatch.setattr("pstgen.dataset.store.Dataset.items", lambda _: iter(()))
    with pytest.raises(BadInput, match="no pair"):
        audit.begin(AuditConfig(folder=folder))
