"""Splits that leak neither pair nor scene."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pstgen.verification import samples
from pstgen.verification.samples import Case, Split

links = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=80)


def made(links):
    return [Case(f"{n}", f"p{pair}", f"s{scene}", "?", ("a", "b"), 0) for n, (pair, scene) in enumerate(links)]


@given(links, st.integers(2, 6), st.integers(0, 3))
def test_no_pair_and_no_scene_is_learnt_and_asked_about(links, number, seed):
    told = made(links)
    for split in samples.splits(told, number, seed):
        learnt, asked = ([told[n] for n in rows] for rows in (split.learnt, split.asked))
        assert {case.pair for case in learnt}.isdisjoint(case.pair for case in asked)
        assert {case.scene for case in learnt}.isdisjoint(case.scene for case in asked)
        assert samples.leaks(told, split) == []


@given(links, st.integers(2, 6))
def test_every_case_is_asked_once_and_its_pair_with_it(links, number):
    told = made(links)
    splits = samples.splits(told, number, 0)
    assert sorted(n for split in splits for n in split.asked.tolist()) == list(range(len(told)))
    for pair in {case.pair for case in told}:
        assert sum(any(told[n].pair == pair for n in split.asked) for split in splits) == 1


@given(links, st.randoms(use_true_random=False))
def test_the_order_of_cases_moves_nobody_to_another_fold(links, rng):
    told = made(links)
    mixed = rng.sample(told, len(told))
    by_name = [
        sorted(sorted(some[n].name for n in split.asked) for split in samples.splits(some, 4, 0))
        for some in (told, mixed)
    ]
    assert by_name[0] == by_name[1]


def test_folds_are_equal_and_nothing_is_left_out_where_nothing_ties_cases_together():
    for split in samples.splits(made([(n, 100 + n) for n in range(100)]), 5, 0):
        assert (len(split.asked), len(split.learnt)) == (20, 80)


def test_where_scenes_tie_nearly_all_pairs_together_most_of_them_are_learnt_from_all_the_same():
    """1,000 pairs over 900 scenes: nearly all are one component, which folds that part no scene would not divide."""
    rng = random.Random(0)
    told = [case for pair in range(1000) for case in made([(pair, rng.randrange(900)) for _ in range(2)])]
    splits = samples.splits(told, 5, 0)
    assert {len(split.asked) for split in splits} == {400}
    assert min(len(split.learnt) for split in splits) > 0.4 * len(told)


def test_a_planted_leak_is_named():
    told = made([(0, 0), (0, 1), (1, 2), (2, 1)])
    assert samples.leaks(told, Split(np.array([2, 3]), np.array([0, 1]))) == ["scene s1"]
    assert samples.leaks(told, Split(np.array([1, 2]), np.array([0]))) == ["pair p0"]


def test_places_are_those_in_the_set():
    assert [case.place for case in samples.placed(made([(5, 1), (3, 1)]))] == [0, 1]
