from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.config import SelectionConfig
from pstgen.core.records import Item, Pair, Verdict
from pstgen.pairs import selection

CONFIG = SelectionConfig()


def twins(n, *, family="count", options=("1", "2", "3", "4"), lure="1", answer="2", pull=0.5, scenes=None, about="cup"):
    def item(role, right, scene):
        return Item(
            item_id=f"{family}-{n}-{role}",
            pair_id=f"{family}-{n}",
            role=role,
            scene_id=str(scene),
            image="",
            family=family,
            form="many",
            about=(about,),
            frame="neutral",
            question="?",
            neutral="?",
            options=options,
            answer=right,
            lure=lure,
            difficulty=pull,
        )

    a, b = scenes or (f"{family}{n}a", f"{family}{n}b")
    return Pair((item("stress", answer, a),), item("control", lure, b))


def verdict(*logprobs):
    return Verdict(item_id="x", judge="prior", logprobs=logprobs)


def test_one_baseline_that_sees_through_it_is_enough_to_drop_a_wording():
    item = twins(0).control
    assert selection.falls(item, [verdict(0, -1, -2, -3), verdict(-0.5, -1, -2, -3)])
    assert not selection.falls(item, [verdict(0, -1, -2, -3), verdict(-1, -0.5, -2, -3)])


def test_a_pair_stays_once_in_its_first_wording():
    first, again = twins(0), twins(0)
    assert selection.select([first, again], CONFIG) == [first]


def test_the_strongest_pull_comes_first_where_a_scene_may_not_give_all():
    wordings = [twins(n, pull=n / 10, scenes=("s", f"t{n}"), about=f"thing{n}") for n in range(9)]
    kept = selection.select(wordings, SelectionConfig(pairs_per_scene=2, max_family_share=1.0))
    assert [pair.control.difficulty for pair in kept] == [0.8, 0.7]


def test_a_large_family_takes_the_scenes_that_a_small_one_leaves():
    large = [twins(n, pull=0.9, scenes=("s", f"t{n}"), about=f"thing{n}") for n in range(5)]
    small = twins(9, pull=0.1, scenes=("s", "t9"), family="existence")
    kept = selection.select([*large, small], SelectionConfig(pairs_per_scene=2, max_family_share=1.0))
    assert [pair.family for pair in kept] == ["existence", "count"]


def test_what_asks_again_of_a_thing_in_a_scene_comes_last():
    first, again, other = (
        twins(0, pull=0.9, scenes=("a", "b")),
        twins(1, pull=0.8, scenes=("a", "c")),
        twins(2, pull=0.1),
    )
    assert selection.select([first, again, other], CONFIG) == [first, other, again]


@given(
    st.lists(
        st.tuples(st.sampled_from(["existence", "count", "colour"]), st.sampled_from(["yes", "no"]), st.floats(0, 1)),
        max_size=60,
    ),
    st.floats(0.4, 1.0),
)
def test_no_family_is_more_than_its_share(drawn, share):
    wordings = [
        twins(n, family=f, options=("yes", "no"), lure=lure, answer="no" if lure == "yes" else "yes", pull=pull)
        if f == "existence"
        else twins(n, family=f, pull=pull)
        for n, (f, lure, pull) in enumerate(drawn)
    ]
    families = Counter(pair.family for pair in selection.select(wordings, SelectionConfig(max_family_share=share)))
    if len(families) > 1:
        assert max(families.values()) <= max(share * families.total(), 1)


@given(st.integers(0, 60))
def test_lure_and_answer_land_on_each_letter_equally_often(n):
    lettered = list(selection.lettered([twins(k) for k in range(n)]))
    for pick in (lambda pair: pair.options.index(pair.lure), lambda pair: pair.stress[0].answer_index):
        places = Counter(map(pick, lettered))
        assert max(places.values(), default=0) - min((places[k] for k in range(4)), default=0) <= 3
    if n % 12 == 0 and n:
        assert len(set(Counter(pair.stress[0].answer_index for pair in lettered).values())) == 1


def test_twins_keep_one_order_and_all_their_options():
    for pair in selection.lettered([twins(k) for k in range(24)]):
        assert pair.stress[0].options == pair.control.options
        assert set(pair.options) == {"1", "2", "3", "4"}


def test_of_two_options_each_letter_is_the_lure_equally_often():
    lettered = selection.lettered([twins(n, options=("yes", "no"), lure="yes", answer="no") for n in range(8)])
    assert Counter(pair.options.index("yes") for pair in lettered) == {0: 4, 1: 4}


@pytest.mark.parametrize("share", [0.5, 0.6])
def test_one_family_alone_is_left_as_it_is(share):
    wordings = [twins(n) for n in range(7)]
    assert len(selection.select(wordings, SelectionConfig(max_family_share=share))) == 7
