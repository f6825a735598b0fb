"""A check that cannot run on a set does not call it sound: it is not tested, and says why."""

import pytest

from pstgen.core import plugins
from pstgen.core.config import VerifyConfig
from pstgen.dataset import store
from pstgen.verification import checks

PROBES = ["edited_probe", "file_probe", "image_probe"]


def examine(folder, name):
    return checks.load(name).examine(store.open(folder), VerifyConfig(folder=folder))


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_with_too_few_pairs_is_not_tested(forge, name):
    def shrink(rows):
        kept = sorted({row["pair_id"] for row in rows})[:10]
        rows[:] = [row for row in rows if row["pair_id"] in kept]

    finding = examine(forge(shrink), name)
    assert finding.sound
    assert finding.state == "not tested"
    assert "too few" in finding.untested
    assert finding.probes == ()


def test_a_detector_of_edits_needs_edited_pairs_and_not_only_edited_pictures(forge):
    """Pairs that show the same two scenes count once, so many edited pictures may be of few pairs."""

    def merge(rows):
        edited = [row for row in rows if row["twin"] != "matched"]
        for row in edited:
            row["source_image_id"] = f"{row['role']}+edit"
        assert len(edited) >= 40

    finding = examine(forge(merge), "edited_probe")
    assert finding.state == "not tested"
    assert finding.untested.startswith("1 edited pairs")


def test_the_additive_attacker_is_not_tested_without_a_family_of_a_hundred_pairs(built):
    assert "no family has 100" in examine(built, "additive").untested


@pytest.mark.parametrize("name", sorted(set(plugins.names("checks")) - {"additive", "asking", "audit"}))
def test_on_a_set_that_is_large_enough_every_other_check_runs_but_the_audit(built, name):
    assert examine(built, name).state == "sound"
