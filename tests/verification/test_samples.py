"""Splits that leak neither pair nor scene."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pstgen.verification.samples import Sample, Split, leaks, splits, with_positions

links = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=80)


def drawn(links):
    return [Sample(f"{n}", f"p{pair}", f"s{scene}", "?", ("a", "b"), 0) for n, (pair, scene) in enumerate(links)]


@given(links, st.integers(2, 6), st.integers(0, 3))
def test_no_pair_and_no_scene_is_in_both_parts_of_a_split(links, number, seed):
    samples = drawn(links)
    for split in splits(samples, number, seed):
        train, test = ([samples[n] for n in indices] for indices in (split.train, split.test))
        assert {sample.pair for sample in train}.isdisjoint(sample.pair for sample in test)
        assert {sample.scene for sample in train}.isdisjoint(sample.scene for sample in test)
        assert leaks(samples, split) == []


@given(links, st.integers(2, 6))
def test_every_sample_is_tested_once_and_its_pair_with_it(links, number):
    samples = drawn(links)
    folds = splits(samples, number, 0)
    assert sorted(n for split in folds for n in split.test.tolist()) == list(range(len(samples)))
    for pair in {sample.pair for sample in samples}:
        assert sum(any(samples[n].pair == pair for n in split.test) for split in folds) == 1


@given(links, st.randoms(use_true_random=False))
def test_the_order_of_samples_moves_none_to_another_fold(links, rng):
    samples = drawn(links)
    mixed = rng.sample(samples, len(samples))
    by_name = [
        sorted(sorted(order[n].name for n in split.test) for split in splits(order, 4, 0)) for order in (samples, mixed)
    ]
    assert by_name[0] == by_name[1]


def test_folds_are_equal_and_nothing_is_left_out_where_nothing_ties_samples_together():
    for split in splits(drawn([(n, 100 + n) for n in range(100)]), 5, 0):
        assert (len(split.test), len(split.train)) == (20, 80)


def test_where_scenes_tie_nearly_all_pairs_together_most_of_them_are_still_trained_on():
    """1,000 pairs over 900 scenes: nearly all are one component, which folds that share no scene would not divide."""
    rng = random.Random(0)
    samples = [sample for pair in range(1000) for sample in drawn([(pair, rng.randrange(900)) for _ in range(2)])]
    folds = splits(samples, 5, 0)
    assert {len(split.test) for split in folds} == {400}
    assert min(len(split.train) for split in folds) > 0.4 * len(samples)


def test_a_planted_leak_is_named():
    samples = drawn([(0, 0), (0, 1), (1, 2), (2, 1)])
    assert leaks(samples, Split(np.array([2, 3]), np.array([0, 1]))) == ["scene s1"]
    assert leaks(samples, Split(np.array([1, 2]), np.array([0]))) == ["pair p0"]


def test_positions_are_those_in_the_set():
    assert [sample.position for sample in with_positions(drawn([(5, 1), (3, 1)]))] == [0, 1]
