"""Intervals of shares and of means, which agree where both are right, and the test of a difference."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from pstgen.core import statistics

HITS = st.lists(st.integers(0, 2), min_size=5, max_size=60)


def share_of(right, counted=2, confidence=0.95, seed=0):
    right = np.array(right, np.int64)
    counted = np.full(len(right), counted)
    return statistics.share_of_pairs(right, counted, chance=0.5, confidence=confidence, seed=seed)


@given(HITS)
def test_a_share_is_between_its_bounds(right):
    share = share_of(right)
    assert 0 <= share.low <= share.share <= share.high <= 1
    assert 0 <= share.bootstrap_low <= share.share + 1e-9
    assert share.share - 1e-9 <= share.bootstrap_high <= 1


@given(HITS, st.integers(0, 9))
def test_the_same_seed_draws_the_same_interval(right, seed):
    assert share_of(right, seed=seed) == share_of(right, seed=seed)


def test_single_items_have_the_plain_interval_of_clopper_and_pearson():
    share = share_of([1] * 30 + [0] * 70, counted=1)
    expected = binomtest(30, 100).proportion_ci(0.95)
    assert (share.low, share.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_whoever_hits_one_twin_of_each_pair_has_half_of_the_items_for_certain():
    share = share_of([1] * 300)
    assert share.high == 0.5
    assert share.low > 0.49
    assert (share.bootstrap_low, share.bootstrap_high) == (0.5, 0.5)


@pytest.mark.parametrize("mix", [(0.5, 0.5, 0), (0.2, 0.8, 0), (0.3, 0.3, 0.4), (0.1, 0.1, 0.8)])
def test_both_intervals_agree_roughly(mix):
    """Pairs with two right answers make Clopper-Pearson's interval wider, never too narrow."""
    right = np.random.default_rng(1).choice(3, size=2000, p=mix)
    share = share_of(right)
    assert share.low == pytest.approx(share.bootstrap_low, abs=0.02)
    assert share.high == pytest.approx(share.bootstrap_high, abs=0.02)
    assert share.high - share.low >= 0.9 * (share.bootstrap_high - share.bootstrap_low)


def test_who_hits_both_twins_is_above_one_half_by_both_intervals():
    share = share_of([2] * 60 + [1] * 40)
    assert share.share == 0.8
    assert share.low > 0.65
    assert share.bootstrap_low > 0.7


def test_ninety_five_in_a_hundred_intervals_hold_the_truth():
    rng, held = np.random.default_rng(0), np.zeros(2)
    for n in range(300):
        share = share_of(rng.choice(3, size=150, p=(0.3, 0.5, 0.2)), seed=n)
        truth = (0.5 + 2 * 0.2) / 2
        held += [share.low <= truth <= share.high, share.bootstrap_low <= truth <= share.bootstrap_high]
    assert held[0] >= 0.95 * 300
    assert held[1] >= 0.9 * 300


def test_more_confidence_is_a_wider_interval():
    wide, narrow = (share_of([0, 1, 1, 2] * 20, confidence=confidence) for confidence in (0.99, 0.8))
    assert wide.low < narrow.low
    assert wide.high > narrow.high
    assert wide.bootstrap_low < narrow.bootstrap_low


def test_pairs_without_answers_do_not_count():
    right, counted = np.array([1, 0, 0]), np.array([2, 2, 0])
    assert statistics.share_of_pairs(right, counted, chance=0, confidence=0.95, seed=0).share == 0.25


def test_a_share_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing"):
        share_of([0, 0], counted=0)


def test_twins_that_agree_widen_the_interval_as_they_are_one_draw():
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 2, 200).astype(float)
    twice = np.repeat(drawn, 2)
    by_pair = statistics.bootstrap_mean(twice, [n // 2 for n in range(400)], 2000, 0)
    by_item = statistics.bootstrap_mean(twice, range(400), 2000, 0)
    alone = statistics.bootstrap_mean(drawn, range(200), 2000, 0)
    assert by_pair == pytest.approx(alone, abs=0.01)
    assert by_pair[1] - by_pair[0] > 1.2 * (by_item[1] - by_item[0])


def test_the_bootstrap_is_the_normal_interval_where_that_holds():
    values = np.random.default_rng(1).integers(0, 2, 400).astype(float)
    low, high = statistics.bootstrap_mean(values, range(400), 4000, 3)
    reach = 1.96 * values.std() / 400**0.5
    assert (low, high) == pytest.approx((values.mean() - reach, values.mean() + reach), abs=0.006)
    assert (low, high) == statistics.bootstrap_mean(values, range(400), 4000, 3)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.integers(0, 5))
def test_the_bootstrap_stays_between_the_smallest_and_the_largest(values, seed):
    low, high = statistics.bootstrap_mean(values, [n // 2 for n in range(len(values))], 200, seed)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9


def test_five_seeds_have_students_interval():
    middle, low, high = statistics.student_interval([1, 2, 3, 4, 5])
    assert middle == 3
    reach = 2.776445 * (2.5 / 5) ** 0.5  # Student's t of 4, from a table
    assert (low, high) == pytest.approx((3 - reach, 3 + reach), rel=1e-6)
    assert statistics.student_interval([2.0, 2.0]) == (2, 2, 2)


@settings(deadline=None)  # SciPy is imported by the first call
@given(st.integers(0, 9), st.integers(0, 9))
def test_mcnemar_is_the_binomial_tail_of_the_questions_on_which_systems_differ(better, worse):
    number = better + worse
    first = {f"b{n}": 1.0 for n in range(better)} | {f"w{n}": 0.0 for n in range(worse)} | {"same": 1.0}
    second = {name: 1 - score for name, score in first.items() if name != "same"} | {"same": 1.0}
    tail = sum(comb(number, k) for k in range(min(better, worse) + 1)) / 2**number
    assert statistics.mcnemar(first, second) == pytest.approx(min(1.0, 2 * tail))
    assert statistics.mcnemar(first, second) == pytest.approx(statistics.mcnemar(second, first))


def test_questions_that_only_one_system_answered_do_not_count():
    first, second = {"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 0.0, "b": 0.0, "d": 1.0}
    assert statistics.mcnemar(first, second) == pytest.approx(0.5)
    assert statistics.mcnemar({}, {}) == 1


def test_of_scores_between_0_and_1_the_larger_wins():
    assert statistics.mcnemar({"a": 0.6, "b": 0.3}, {"a": 0.3, "b": 0.6}) == 1
    assert statistics.mcnemar(dict.fromkeys("abcdef", 0.9), dict.fromkeys("abcdef", 0.3)) == pytest.approx(2 / 2**6)


def test_a_share_of_draws_has_the_bounds_of_pairs_of_one_item_each():
    right = np.array([1] * 7 + [0] * 13)
    assert statistics.binomial(7, 20, 0.95) == pytest.approx(statistics.clopper_pearson(right, 20, 0.95))
    low, high = statistics.binomial(3 * 10**17, 10**18, 0.95)  # a number that somebody else wrote takes no memory
    assert low == pytest.approx(high, abs=1e-6)
