"""Folds that leak neither pair nor scene."""

from hypothesis import given
from hypothesis import strategies as st

from pstgen import cases
from pstgen.cases import Case

links = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=80)


def made(links):
    return [Case(f"{n}", f"p{pair}", f"s{scene}", "?", ("a", "b"), 0) for n, (pair, scene) in enumerate(links)]


@given(links, st.integers(2, 6))
def test_no_pair_and_no_scene_stands_in_two_folds(links, number):
    told = made(links)
    fold = cases.folds(told, number, 0)
    for what in ("pair", "scene"):
        places = {}
        for case, n in zip(told, fold, strict=True):
            assert places.setdefault(getattr(case, what), n) == n


def test_folds_are_about_equal_where_nothing_ties_cases_together():
    fold = cases.folds(made([(n, 100 + n) for n in range(100)]), 5, 0)
    assert sorted(map(fold.tolist().count, range(5))) == [20] * 5
