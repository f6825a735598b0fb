"""The second road: bytes first, every check once, further checks last, and a certificate only of a set that is whole."""

import shutil
from types import SimpleNamespace

import pytest

import pstgen
from pstgen import build
from pstgen.core import plugins, workers
from pstgen.core.config import VerifyConfig, build_config
from pstgen.core.progress import Silent
from pstgen.verification import attack, certificate, checks
from pstgen.verification.findings import Finding
from pstgen.verify import verify


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A very small set of the world, none of it edited."""
    out, small = tmp_path_factory.mktemp("built") / "pst", {"scenes": 60, "size": 64, "candidates": 10, "wordings": 1}
    build.build(build_config(source="world", prior_base="world", twins=("matched",), out=out, **small))
    return out


@pytest.fixture
def folder(built, tmp_path):
    shutil.copytree(built, tmp_path / "pst")
    return tmp_path / "pst"


def test_integrity_comes_first_every_check_once_and_further_ones_last(folder):
    nose = SimpleNamespace(
        examine=lambda dataset, config: Finding(check="nose", summary="nothing smells"),  # noqa: ARG005
        PROVES="Nothing smells.",
    )
    findings = verify(VerifyConfig(folder=folder, folds=2), extra={"nose": nose})
    names = [finding.check for finding in findings]
    assert (names[0], names[-1]) == ("integrity", "nose")
    assert sorted(names) == sorted([*set(plugins.names("checks")) - {"asking"}, "nose"])  # no VLM saw them
    assert certificate.read(folder).proven[-1] == "Nothing smells."


def test_where_bytes_differ_nothing_else_runs_and_no_certificate_is_written(folder):
    (folder / "README.md").write_text("another card")
    (finding,) = verify(VerifyConfig(folder=folder))
    assert (finding.check, finding.state) == ("integrity", "not sound")
    assert not (folder / certificate.NAME).exists()


def test_the_package_verifies_a_folder_by_its_name_and_the_commands_options(folder):
    findings = pstgen.verify(str(folder), folds=2)
    assert all(finding.sound for finding in findings)
    assert certificate.read(folder).thresholds["folds"] == 2


def test_checks_in_several_processes_give_the_same_certificate_as_in_one(folder, monkeypatch):
    real, processes_taken = workers.parallel_map, []

    def parallel_map(function, items, processes, batch):
        processes_taken.append(processes)
        return real(function, items, processes, batch)

    monkeypatch.setattr(checks, "MANY", 1)
    monkeypatch.setattr(attack, "MANY", 1)
    monkeypatch.setattr(workers, "parallel_map", parallel_map)
    progress, written = Steps(), []
    for processes in (1, 2):
        verify(VerifyConfig(folder=folder, folds=2, workers=processes), progress)
        written.append({name: (folder / name).read_bytes() for name in (certificate.NAME, certificate.PAGE)})
    assert processes_taken == [1, 1, 1, 2, 2, 2]  # the rows, then the attackers, then all other checks
    assert written[0] == written[1]
    assert progress.done == progress.planned


@pytest.mark.parametrize("damage", ["cut off", "missing"])
def test_scores_that_cannot_be_read_are_named_before_any_check_looks_into_them(folder, damage):
    scores = folder / "scores.parquet"
    code = scores.read_bytes()
    scores.unlink() if damage == "missing" else scores.write_bytes(code[:-100])
    (finding,) = verify(VerifyConfig(folder=folder, folds=2))
    assert (finding.check, finding.sound) == ("integrity", False)
    assert any(problem.startswith("scores.parquet: ") for problem in finding.problems)


class Steps(Silent):
    """Notes which steps were announced, and which ended."""

    def __init__(self):
        self.planned, self.done = set(), set()

    def plan(self, steps, /):
        self.planned.update(name for name, _ in steps)

    def reach(self, step, done, total, /):
        if done >= total:
            self.done.add(step)


def test_checks_that_share_what_they_work_out_run_in_one_process_one_after_another():
    lists = checks.together(plugins.names("checks"))
    assert ["additive", "image_probe"] in lists
    assert sorted(name for names in lists for name in names) == sorted(plugins.names("checks"))
    spent = [sum(checks.seconds(checks.load(name)) for name in names) for names in lists]
    assert spent == sorted(spent, reverse=True)
