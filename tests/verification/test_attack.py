"""What an attack leaves behind: figures, times, and of every item who was right."""

import logging
import random
from dataclasses import replace

import numpy as np
import pytest

from pstgen.core import workers
from pstgen.core.config import VerifyConfig
from pstgen.verification import attack
from pstgen.verification.samples import Sample

CONFIG = VerifyConfig()


def paired(n):
    """A coin says which twin comes first."""
    rng = random.Random(0)
    lures = [rng.randrange(2) for _ in range(n)]
    return [
        Sample(f"{k}{role}", f"p{k}", f"s{k}{role}", f"Is it {k % 7}?", ("yes", "no"), answer, lure, role)
        for k, lure in enumerate(lures)
        for role, answer in rng.sample([("stress", 1 - lure), ("control", lure)], 2)
    ]


@pytest.fixture(scope="module")
def runs():
    return list(attack.run_all(paired(60), CONFIG))


@pytest.mark.parametrize("chosen", [(), ("ngrams", "lured", "order")])
def test_in_several_processes_attackers_reach_what_they_reach_in_one_and_come_in_the_same_order(chosen, monkeypatch):
    monkeypatch.setattr(attack, "MANY", 1)
    one, two = (list(attack.run_all(paired(30), VerifyConfig(folds=2, attackers=chosen, workers=n))) for n in (1, 2))
    workers.stop()
    assert [run.result for run in one] == [run.result for run in two]
    assert all((a.correct == b.correct).all() for a, b in zip(one, two, strict=True))
    assert not chosen or [run.result.attacker for run in two] == list(chosen)


def test_no_item_and_its_twin_are_more_vulnerable_than_one_item(runs):
    """A text-only attacker is right about one twin at most."""
    s = attack.vulnerability(runs)
    assert s.shape == (120,)
    assert ((s >= 0) & (s <= 1)).all()
    assert (s[::2] + s[1::2] <= 1 + 1e-9).all()


def test_vulnerability_is_the_share_of_attackers_that_are_right(runs):
    correct = ([True, True], [True, False], [True, False], [False, False])
    ways = [attack.AttackRun(result=runs[0].result, correct=np.array(way), seconds=0) for way in correct]
    assert attack.vulnerability(ways).tolist() == [0.75, 0.25]


def test_every_share_has_both_intervals_and_chance(runs):
    result = next(run.result for run in runs if run.result.attacker == "ngrams")
    for share in (result.pairs, result.items, result.stress, result.control):
        assert share.low <= share.share <= share.high
        assert share.bootstrap_low <= share.share <= share.bootstrap_high
    assert result.items.chance == 0.5
    assert result.pairs.chance == pytest.approx(0.25)
    assert result.coin == pytest.approx(0.25)
    assert result.ceiling == 0.5
    assert result.train_share == pytest.approx(0.8)


def test_a_benchmark_without_roles_has_no_share_of_them():
    samples = [Sample(f"{n}", f"{n}", f"{n}", "?", ("yes", "no"), n % 2) for n in range(20)]
    result = attack.measure("x", samples, [0] * 20, CONFIG)
    assert (result.stress, result.control) == (None, None)
    assert (result.items.share, result.ceiling) == (0.5, 1.0)


def test_items_in_neutral_words_are_counted_apart_where_frames_are_known():
    samples = [replace(sample, frame="neutral" if n < 40 else "leading") for n, sample in enumerate(paired(60))]
    right = [sample.answer if n < 40 else 1 - sample.answer for n, sample in enumerate(samples)]
    result = attack.measure("x", samples, right, CONFIG)
    assert (result.neutral.share, result.framed.share) == (1, 0)
    unknown = attack.measure("x", paired(60), right, CONFIG)
    assert (unknown.neutral, unknown.framed) == (None, None)


def test_groups_have_the_ceiling_of_one_in_four_and_their_own_chance():
    samples = [Sample(f"{k}{n}", f"p{k}", f"s{k}{n}", "?", tuple("abcd"), n, 0) for k in range(30) for n in range(4)]
    result = attack.measure("x", samples, [2] * 120, CONFIG)
    assert (result.ceiling, result.items.share, result.items.high) == (0.25, 0.25, 0.25)
    assert result.pairs.chance == pytest.approx(0.25**4)


def test_every_attackers_time_is_logged(caplog):
    with caplog.at_level(logging.INFO, "pstgen"):
        names = [run.result.attacker for run in attack.run_all(paired(20), CONFIG)]
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == names
    assert all(record.getMessage().endswith(" s") for record in caplog.records)
