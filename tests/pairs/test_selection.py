from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import Item, Pair, Verdict
from pstgen.pairs import selection


def twins(n, *, options=("1", "2", "3", "4"), lure="1", answer="2"):
    def item(role, right):
        return Item(
            item_id=f"count-{n}-{role}",
            pair_id=f"count-{n}",
            role=role,
            scene_id=f"{n}-{role}",
            image="",
            family="count",
            form="many",
            about=("cup",),
            frame="neutral",
            question="?",
            neutral="?",
            options=options,
            answer=right,
            lure=lure,
        )

    return Pair((item("stress", answer),), item("control", lure))


def verdict(*logprobs):
    return Verdict(item_id="x", judge="prior", logprobs=logprobs)


def test_one_baseline_that_sees_through_it_is_enough_to_drop_a_wording():
    item = twins(0).control
    assert selection.falls(item, [verdict(0, -1, -2, -3), verdict(-0.5, -1, -2, -3)])
    assert not selection.falls(item, [verdict(0, -1, -2, -3), verdict(-1, -0.5, -2, -3)])


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
