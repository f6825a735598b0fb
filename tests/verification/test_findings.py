"""A finding is sound, not sound or not tested, and an attacker's result says itself what is wrong with it."""

import msgspec
import pytest

from pstgen.core.statistics import Share
from pstgen.dataset.judged import Hits, Judged, Ordinary, Reached
from pstgen.verification.findings import (
    AttackResult,
    AuditResult,
    Finding,
    LabelRates,
    ProbeResult,
    Proportion,
    untested,
)


def share(value, high=None):
    return Share(share=value, low=0.0, high=high or value, bootstrap_low=0.0, bootstrap_high=1.0, chance=0.5)


def result(items=0.5, high=0.5, pairs=0.0):
    return AttackResult(
        attacker="nose", pairs=share(pairs), items=share(items, high), stress=None, control=None, ceiling=0.5, train_share=0.8
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reached", "problems"),
    [
        (result(), []),
        (result(high=0.53), []),
        (
            result(items=0.52, high=0.54),
            ["nose reaches 52.0% of the items, at most 54.0%; words alone should reach 50.0%"],
        ),
        (result(pairs=0.01), ["nose wins 1.00% of the pairs, so something tells twins apart"]),
    ],
)
def test_an_attacker_may_pass_the_ceiling_by_the_tolerance_and_win_no_pair(reached, problems):
    assert list(reached.problems(0.03)) == problems


def test_a_finding_with_a_problem_is_not_sound_and_one_that_could_not_run_is_not_tested():
    assert Finding(check="nose", summary="").state == "sound"
    assert untested("nose", "too few").state == "not tested"
    assert Finding(check="nose", summary="", problems=("smells",), untested="too few").state == "not sound"


def test_a_finding_is_read_back_from_json_as_it_was():
    half = Proportion.from_hits([True, False], 0.95)
    rates = LabelRates(wrong=half, ambiguous=half)
    audit = AuditResult(people=2, labels=rates, pairs_wrong=half, by_family={"count": rates}, agreement=1.0, kappa=None)
    probe = ProbeResult(clue="smell", attribute="role", accuracy=half, sound=True, twins="matched", family="count")
    reached = Reached(stress=Hits(right=1, of=2), pairs=Hits(right=0, of=1))
    ordinary = Ordinary(right=3, of=4, low=0.2, high=0.9, by_chance=2.0)
    judge = Judged(
        judge="ear", sees=False, decides=True, ordinary=ordinary, neutral=reached, framed=reached, all=reached
    )
    finding = Finding(
        check="nose", summary="sniffed", figures={"smells": 1.0}, attacks=(result(),), probes=(probe,), audit=audit,
        judges=(judge,),
    )  # fmt: skip
    assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding
