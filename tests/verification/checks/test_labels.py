"""Labels are recomputed from what is in the set, whoever has audited them or not."""

import pytest

from pstgen.core.config import VerifyConfig
from pstgen.dataset import store
from pstgen.verification.checks import labels


def examine(folder):
    return labels.examine(store.open(folder), VerifyConfig(folder=folder))


def test_a_built_set_is_tested_and_sound_without_an_audit(built):
    finding = examine(built)
    assert finding.state == "sound"
    assert finding.summary == f"{store.open(built).manifest.items:,} answers recomputed from annotations and pixels"


@pytest.mark.parametrize(
    ("change", "problem"),
    [({"answer": "neither"}, "the set says 'neither'"), ({"form": "none"}, "its family asks no such question")],
)
def test_a_label_that_does_not_follow_from_the_annotations_is_named(forge, change, problem):
    names = []

    def spoil(rows):
        names.append(rows[0]["item_id"])
        rows[0].update(change)

    (line,) = examine(forge(spoil)).problems
    assert line.startswith(f"item {names[0]}: ")
    assert problem in line
