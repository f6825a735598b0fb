"""An attacker that does not fit the memory is named as not tried, and the others are tried all the same."""

import pytest

from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput, TooLarge, Unavailable
from pstgen.dataset import store
from pstgen.verification import attack
from pstgen.verification.attackers import blinded_tuned
from pstgen.verification.checks import attackers
from pstgen.verification.samples import Sample

WHY = "mine is too large to be fine-tuned on cpu"


def paired(n):
    """Twins share their words."""
    return [
        Sample(f"{k}{a}", f"p{k}", f"s{k}{a}", f"Is there a {('cup', 'dog')[k % 2]}?", ("yes", "no"), a, 0, role)
        for k in range(n)
        for a, role in enumerate(("control", "stress"))
    ]


@pytest.fixture
def settings(tiny_llava, monkeypatch):
    """Of three attackers the one in the middle is too large."""

    def full(*_):
        raise TooLarge(WHY)

    monkeypatch.setattr(blinded_tuned, "tune", full)
    return {"folds": 2, "device": "cpu", "attacker_vlm": str(tiny_llava)}


def test_who_is_too_large_is_named_and_the_others_are_tried(settings):
    untried = {}
    config = VerifyConfig(attackers=("majority", "blinded_tuned", "lured"), **settings)
    runs = list(attack.run_all(paired(10), config, None, untried))
    assert [run.result.attacker for run in runs] == ["majority", "lured"]
    assert untried == {"blinded_tuned": WHY}


def test_where_nobody_keeps_account_of_who_was_not_tried_it_is_an_error(settings):
    config = VerifyConfig(attackers=("majority", "blinded_tuned"), **settings)
    with pytest.raises(TooLarge, match="mine is too large"):
        list(attack.run_all(paired(10), config))


def test_the_check_says_who_was_not_tried_and_why(sound_set, settings, monkeypatch):
    monkeypatch.setattr(attackers, "_write", lambda *_: None)
    chosen = ("majority", "blinded_tuned", "lured")
    finding = attackers.examine(store.open(sound_set), VerifyConfig(folder=sound_set, attackers=chosen, **settings))
    assert finding.summary.startswith("2 attackers: ")
    assert finding.summary.endswith(f"; not tried: blinded_tuned ({WHY})")
    assert {result.attacker for result in finding.attacks} == {"majority", "lured"}
    assert finding.sound


def test_where_nobody_could_be_tried_the_check_says_so(sound_set, settings, monkeypatch):
    monkeypatch.setattr(attackers, "_write", lambda *_: None)
    config = VerifyConfig(folder=sound_set, attackers=("blinded_tuned",), **settings)
    finding = attackers.examine(store.open(sound_set), config)
    assert finding.state == "not tested"
    assert "blinded_tuned" in finding.summary


@pytest.mark.parametrize(
    ("name", "missing"), [("transformer", "lm"), ("blinded", "vlm"), ("blinded_tuned", "vlm"), ("other_scene", "vlm")]
)
def test_an_attacker_that_is_chosen_without_its_model_says_which(name, missing):
    with pytest.raises(BadInput, match=f"--attacker {name}: needs .*{missing}"):
        list(attack.run_all(paired(4), VerifyConfig(attackers=(name,))))


@pytest.mark.parametrize("name", ["blinded", "blinded_tuned"])
def test_an_attacker_whose_model_is_not_there_says_which(name, tmp_path):
    config = VerifyConfig(attackers=(name,), attacker_vlm=str(tmp_path / "nowhere"), folds=2)
    with pytest.raises(Unavailable, match="nowhere: no such model folder"):
        list(attack.run_all(paired(4), config))


def test_only_those_that_are_chosen_attack():
    runs = attack.run_all(paired(6), VerifyConfig(attackers=("lured", "majority")))
    assert [run.result.attacker for run in runs] == ["lured", "majority"]
