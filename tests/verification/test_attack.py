"""What an attack leaves behind: figures, times, and of every item who was right."""

import logging
import random

import pytest

from pstgen.core.config import VerifyConfig
from pstgen.verification import attack
from pstgen.verification.samples import Case

CONFIG = VerifyConfig()


def paired(n):
    """A coin says which twin comes first."""
    rng = random.Random(0)
    lures = [rng.randrange(2) for _ in range(n)]
    return [
        Case(f"{k}{role}", f"p{k}", f"s{k}{role}", f"Is it {k % 7}?", ("yes", "no"), answer, lure, role)
        for k, lure in enumerate(lures)
        for role, answer in rng.sample([("stress", 1 - lure), ("control", lure)], 2)
    ]


@pytest.fixture(scope="module")
def reached():
    return list(attack.run(paired(60), CONFIG))


def test_no_item_and_its_twin_are_more_vulnerable_than_one_item(reached):
    """A text-only attacker is right about one twin at most."""
    s = attack.vulnerability(reached)
    assert s.shape == (120,)
    assert ((s >= 0) & (s <= 1)).all()
    assert (s[::2] + s[1::2] <= 1 + 1e-9).all()


def test_vulnerability_is_the_share_of_attackers_that_are_right():
    told = paired(1)
    right = [case.answer for case in told]
    ways = (right, [right[0]] * 2, [right[0]] * 2, [right[1]] * 2)
    assert attack.vulnerability([attack.reach("x", told, way, CONFIG) for way in ways]).tolist() == [0.75, 0.5]


def test_every_share_is_told_with_both_intervals_and_chance(reached):
    figures = attack.figures(reached)
    for what in ("pairs", "items", "stress", "control"):
        share = figures[f"ngrams/{what}"]
        assert figures[f"ngrams/{what}/low"] <= share <= figures[f"ngrams/{what}/high"]
        assert figures[f"ngrams/{what}/bootstrap_low"] <= share <= figures[f"ngrams/{what}/bootstrap_high"]
    assert figures["ngrams/items/chance"] == 0.5
    assert figures["ngrams/pairs/chance"] == pytest.approx(0.25)
    assert figures["ngrams/ceiling"] == 0.5
    assert figures["ngrams/learnt"] == pytest.approx(0.8)
    assert not any("seconds" in name for name in figures)


def test_a_benchmark_without_roles_has_no_figure_of_them():
    told = [Case(f"{n}", f"{n}", f"{n}", "?", ("yes", "no"), n % 2) for n in range(20)]
    reached = attack.reach("x", told, [0] * 20, CONFIG)
    assert (reached.stress, reached.control) == (None, None)
    assert "x/stress" not in attack.figures([reached])
    assert (reached.items.share, reached.ceiling) == (0.5, 1.0)


def test_groups_have_the_ceiling_of_one_in_four_and_their_own_chance():
    told = [Case(f"{k}{n}", f"p{k}", f"s{k}{n}", "?", tuple("abcd"), n, 0) for k in range(30) for n in range(4)]
    reached = attack.reach("x", told, [2] * 120, CONFIG)
    assert (reached.ceiling, reached.items.share, reached.items.high) == (0.25, 0.25, 0.25)
    assert reached.pairs.chance == pytest.approx(0.25**4)


def test_every_attackers_time_is_logged(caplog):
    with caplog.at_level(logging.INFO, "pstgen"):
        names = [one.attacker for one in attack.run(paired(20), CONFIG)]
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == names
    assert all(record.getMessage().endswith(" s") for record in caplog.records)
