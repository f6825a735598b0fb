"""Two kinds of interval, which agree where both are right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pstgen.core import statistics

HITS = st.lists(st.integers(0, 2), min_size=5, max_size=60)


def of(right, asked=2, confidence=0.95, seed=0):
    right = np.array(right, np.int64)
    return statistics.of_pairs(right, np.full(len(right), asked), chance=0.5, confidence=confidence, seed=seed)


@given(HITS)
def test_a_share_is_between_its_bounds(right):
    share = of(right)
    assert 0 <= share.low <= share.share <= share.high <= 1
    assert 0 <= share.bootstrap_low <= share.share + 1e-9
    assert share.share - 1e-9 <= share.bootstrap_high <= 1


@given(HITS, st.integers(0, 9))
def test_the_same_seed_draws_the_same_interval(right, seed):
    assert of(right, seed=seed) == of(right, seed=seed)


def test_single_items_have_the_plain_interval_of_clopper_and_pearson():
    share = of([1] * 30 + [0] * 70, asked=1)
    expected = binomtest(30, 100).proportion_ci(0.95)
    assert (share.low, share.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_whoever_hits_one_twin_of_each_pair_has_half_of_the_items_for_certain():
    share = of([1] * 300)
    assert share.high == 0.5
    assert share.low > 0.49
    assert (share.bootstrap_low, share.bootstrap_high) == (0.5, 0.5)


@pytest.mark.parametrize("mix", [(0.5, 0.5, 0), (0.2, 0.8, 0), (0.3, 0.3, 0.4), (0.1, 0.1, 0.8)])
def test_both_intervals_agree_roughly(mix):
    """A pair that is hit twice costs Clopper-Pearson some width, never its cover."""
    right = np.random.default_rng(1).choice(3, size=2000, p=mix)
    share = of(right)
    assert share.low == pytest.approx(share.bootstrap_low, abs=0.02)
    assert share.high == pytest.approx(share.bootstrap_high, abs=0.02)
    assert share.high - share.low >= 0.9 * (share.bootstrap_high - share.bootstrap_low)


def test_who_wins_both_twins_is_beyond_one_half_by_both_intervals():
    share = of([2] * 60 + [1] * 40)
    assert share.share == 0.8
    assert share.low > 0.65
    assert share.bootstrap_low > 0.7


def test_ninety_five_in_a_hundred_intervals_hold_the_truth():
    rng, held = np.random.default_rng(0), np.zeros(2)
    for n in range(300):
        share = of(rng.choice(3, size=150, p=(0.3, 0.5, 0.2)), seed=n)
        truth = (0.5 + 2 * 0.2) / 2
        held += [share.low <= truth <= share.high, share.bootstrap_low <= truth <= share.bootstrap_high]
    assert held[0] >= 0.95 * 300
    assert held[1] >= 0.9 * 300


def test_more_confidence_is_a_wider_interval():
    wide, narrow = of([0, 1, 1, 2] * 20, confidence=0.99), of([0, 1, 1, 2] * 20, confidence=0.8)
    assert wide.low < narrow.low
    assert wide.high > narrow.high
    assert wide.bootstrap_low < narrow.bootstrap_low


def test_pairs_of_which_nothing_was_asked_do_not_count():
    right, asked = np.array([1, 0, 0]), np.array([2, 2, 0])
    assert statistics.of_pairs(right, asked, chance=0, confidence=0.95, seed=0).share == 0.25


def test_a_share_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing"):
        of([0, 0], asked=0)
