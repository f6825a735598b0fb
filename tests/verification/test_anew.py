"""Rows are read once, whatever is worked out anew of them."""

from pstgen.core.config import VerifyConfig
from pstgen.dataset import store
from pstgen.verification import anew
from pstgen.verification.checks import labels, targets


def test_both_checks_together_decode_the_rows_once(sound_set, monkeypatch):
    passes, real = [], store.Dataset.rows
    monkeypatch.setattr(store.Dataset, "rows", lambda dataset: passes.append(1) or real(dataset))
    dataset, config = store.open(sound_set), VerifyConfig(folder=sound_set)
    findings = [check.examine(dataset, config) for check in (labels, targets)]
    assert [finding.state for finding in findings] == ["sound", "sound"]
    assert len(passes) == 1
    kinds = sum(len(row.targets) for row in real(dataset))
    assert findings[1].summary == f"{kinds:,} targets rendered anew"


def test_the_next_set_is_worked_out_by_itself(sound_set):
    first, second = store.open(sound_set), store.open(sound_set)
    assert anew.rows(first) is anew.rows(first)
    assert anew.rows(first) is not anew.rows(second)
