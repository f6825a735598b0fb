"""Differences and how sure one may be of them."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pstgen.core import statistics
from pstgen.evaluation.metrics import plain


@settings(deadline=None)  # SciPy is imported by the first call
@given(st.integers(0, 9), st.integers(0, 9))
def test_mcnemar_is_the_binomial_tail_of_the_questions_that_part_them(better, worse):
    number = better + worse
    one = {f"b{n}": 1.0 for n in range(better)} | {f"w{n}": 0.0 for n in range(worse)} | {"same": 1.0}
    other = {name: 1 - score for name, score in one.items() if name != "same"} | {"same": 1.0}
    tail = sum(comb(number, k) for k in range(min(better, worse) + 1)) / 2**number
    assert statistics.mcnemar(one, other) == pytest.approx(min(1.0, 2 * tail))
    assert statistics.mcnemar(one, other) == pytest.approx(statistics.mcnemar(other, one))


def test_questions_that_only_one_answered_do_not_count():
    one, other = {"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 0.0, "b": 0.0, "d": 1.0}
    assert statistics.mcnemar(one, other) == pytest.approx(0.5)
    assert statistics.mcnemar({}, {}) == 1


def test_of_scores_between_the_larger_wins():
    assert statistics.mcnemar({"a": 0.6, "b": 0.3}, {"a": 0.3, "b": 0.6}) == 1
    assert statistics.mcnemar(dict.fromkeys("abcdef", 0.9), dict.fromkeys("abcdef", 0.3)) == pytest.approx(2 / 2**6)


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
def test_the_bootstrap_stays_between_the_least_and_the_largest(values, seed):
    low, high = statistics.bootstrap_mean(values, [n // 2 for n in range(len(values))], 200, seed)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9


def test_five_seeds_have_students_interval():
    middle, low, high = statistics.interval([1, 2, 3, 4, 5])
    assert middle == 3
    reach = 2.776445 * (2.5 / 5) ** 0.5  # Student's t of 4, from a table
    assert (low, high) == pytest.approx((3 - reach, 3 + reach), rel=1e-6)
    assert statistics.interval([2.0, 2.0]) == (2, 2, 2)


@given(st.text())
def test_an_answer_made_plain_is_plain(text):
    once = plain(text)
    assert plain(f"  {once.upper()} ") in {plain(once.upper()), once}
    assert once == once.strip()
