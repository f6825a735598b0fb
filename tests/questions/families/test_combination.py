from hypothesis import given
from hypothesis import strategies as st

from pstgen.questions.families import combination
from pstgen.scenes.truth.colour import NAMES


def truths(scene, form):
    return {fact.about: fact.truth for fact in combination.ask(scene) if fact.form == form}


@given(st.sampled_from(NAMES), st.integers(0, 80))
def test_colour_and_half_hold_together_only_where_both_do(scene, thing, colour, x):
    """Oracle: the colour it was given and where its box ends."""
    told = truths(scene(thing("cup", x, 30, id=1, colour=colour)), "look")
    for (_, name, side), truth in told.items():
        there = "left" if x + 20 <= 47 else "right" if x >= 53 else None
        expected = "no" if name != colour else None if there is None else "yes" if there == side else "no"
        assert truth.answer == expected


@given(st.integers(1, 4), st.booleans())
def test_number_and_another_kind(scene, thing, cups, dog):
    some = [thing("cup", 25 * k, 10, id=k + 1) for k in range(cups)]
    told = truths(scene(*some, *([thing("dog", 40, 60, id=9)] if dog else [])), "number")
    for (kind, number, other), truth in told.items():
        if (kind, other) == ("cup", "dog"):
            assert truth.answer == ("yes" if dog and int(number) == cups else "no")


def test_a_tiny_one_leaves_the_number_open_above_what_is_plain(scene, thing):
    some = thing("cup", 0, id=1), thing("cup", 40, id=2), thing("cup", 80, width=4, id=3), thing("dog", 40, 60, id=9)
    told = truths(scene(*some), "number")
    assert told["cup", "1", "dog"].answer == "no"
    assert not told["cup", "2", "dog"].known
