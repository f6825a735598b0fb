from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import Item
from pstgen.questions import families
from pstgen.questions.families import pointing

spots = st.tuples(st.integers(0, 70), st.integers(0, 70))


def facts(scene):
    return list(pointing.ask(scene))


def kitchen(scene, thing, a, b, **more):
    return scene(thing("cup", *a, 30, 30, id=1), thing("dog", *b, 30, 30, id=2), **more)


@given(spots, spots)
def test_agrees_with_the_corners_of_the_boxes(scene, thing, a, b):
    """Oracle: a mark is on a box if its corners say so."""
    corners = {"cup": a, "dog": b}
    for fact in facts(kitchen(scene, thing, a, b)):
        (left, top), (x, y) = corners[fact.about[0]], fact.mark
        inside = left <= int(x) < left + 30 and top <= int(y) < top + 30
        assert (fact.truth.answer == "yes") == inside


@given(spots)
def test_points_near_an_edge_are_not_asked_about(scene, thing, spot):
    left, top = spot
    for fact in facts(kitchen(scene, thing, spot, (100, 0), width=140)):
        if fact.about[0] == "cup":
            x, y = map(int, fact.mark)
            across, down = (max(start - at, at - start - 29, 0) for at, start in ((x, left), (y, top)))
            depth = min(x - left, left + 29 - x, y - top, top + 29 - y)
            assert depth >= 1 if fact.truth.answer == "yes" else max(across, down) >= 5


@given(spots, spots)
def test_a_kind_gets_one_mark_on_it_and_one_on_something_else_at_most(scene, thing, a, b):
    asked = Counter((fact.about, fact.truth.answer) for fact in facts(kitchen(scene, thing, a, b)))
    assert set(asked.values()) <= {1}
    assert set(asked) <= {
        ((kind, other), answer) for kind, other in (("cup", "dog"), ("dog", "cup")) for answer in ("yes", "no")
    }


@given(spots, spots)
def test_every_mark_is_on_something(scene, thing, a, b):
    """A mark on nothing gives the answer away."""
    asked = facts(kitchen(scene, thing, a, b))
    on = {fact.mark for fact in asked if fact.truth.answer == "yes"}
    for fact in asked:
        other = {"cup": b, "dog": a}[fact.about[0]]
        x, y = map(int, fact.mark)
        assert fact.mark in on or (other[0] <= x < other[0] + 30 and other[1] <= y < other[1] + 30)


def test_the_context_is_another_thing_that_is_plain_to_see(scene, thing):
    some = scene(*(thing(kind, 34 * n, 34 * n, 30, 30, id=n + 1) for n, kind in enumerate(("cup", "dog", "chair"))))
    asked = {fact.about for fact in facts(some)}
    assert asked
    assert {(kind, context) for kind in {kind for kind, _ in asked} for context in ("cup", "dog", "chair")} == asked | {
        (kind, kind) for kind, _ in asked
    }


def test_without_another_thing_nothing_is_asked(scene, thing):
    assert facts(scene(thing("cup", 5, 5, 60, 60))) == []


def test_no_mark_near_a_crowd_asks_about_its_kind(scene, thing):
    crowd = thing("cup", 45, 45, 10, 10, id=2, crowd=True)
    asked = facts(scene(thing("cup", 0, 0, 30, 30, id=1), crowd, thing("dog", 20, 44, 60, 40, id=3)))
    marks = {fact.mark for fact in asked if fact.about[0] == "cup"}
    assert marks
    assert all(max(abs(x - 50), abs(y - 50)) > 5 for x, y in marks)


def test_a_mark_is_expected_where_the_thing_is():
    """Where marks are put is the maker's choice: what is counted is which things are together."""
    for answer in ("yes", "no"):
        other = families.expected_of(("pointing", "on", ("mouse", "keyboard")), answer)
        assert other == (("existence", "given", ("mouse", "keyboard")), answer)
    question = "pointing", "what", ("keyboard",)
    assert families.expected_of(question, "mouse") == (("existence", "given", ("mouse", "keyboard")), "yes")
    assert "mouse" in pointing.answers("what", ("keyboard",))


def test_on_photographs_only_what_a_caption_names_and_what_holds_nothing_else_is_marked(scene, thing):
    def asked(kind, caption):
        things = thing(kind, 5, 5, 30, 30, id=1), thing("dog", 60, 60, 30, 30, id=2)
        return {fact.about[0] for fact in facts(scene(*things, complete=False, captions=(caption,)))}

    assert asked("horse", "A horse and a dog.") == {"horse", "dog"}
    assert "horse" not in asked("horse", "A dog.")
    assert asked("cup", "A cup and a dog.") == {"dog"}


# ------------------------------------------------------------------------------------------------ what is at the mark


def what(mark, options=("cup", "kite", "oven", "sheep"), context="dog"):
    words = {"frame": "neutral", "question": "?", "neutral": "?", "lure": "cup", "image": "", "role": "control"}
    return Item(item_id="i", pair_id="p", scene_id="s", family="pointing", form="what", about=(context,), options=options, answer="cup", mark=mark, **words)  # fmt: skip


KINDS = ("cup", "dog", "kite", "oven", "sheep")
MARKS = [(float(x), float(y)) for x in (10, 30, 50, 70, 90) for y in (10, 30, 50, 70, 90)]


@given(spots, spots, st.sampled_from(MARKS))
def test_what_is_at_the_mark_agrees_with_the_corners_of_the_boxes(scene, thing, a, b, mark):
    """Oracle: known is what the mark is inside of, and only if no other option is near."""
    office = scene(
        thing("cup", *a, 30, 30, id=1),
        thing("kite", *b, 30, 30, id=2),
        thing("dog", 105, 0, 30, 30, id=3),
        width=140,
        categories=KINDS,
    )
    mark = mark[0] * 1.4, mark[1]
    fact = families.fact_of(what((round(mark[0], 1), mark[1])), office)
    inside = {
        kind
        for kind, (left, top) in (("cup", a), ("kite", b))
        if left <= int(mark[0]) < left + 30 and top <= int(mark[1]) < top + 30
    }
    if fact.truth.known:
        assert {fact.truth.answer} == inside
        assert fact.evidence == ((1,) if inside == {"cup"} else (2,))
    else:
        assert fact.truth.reason == "the mark is not on one of them alone"


@pytest.mark.parametrize("mark", MARKS)
def test_it_is_known_at_the_middle_of_an_option_and_nowhere_else(scene, thing, mark):
    room = scene(thing("cup", 0, 0, 20, 20, id=1), thing("dog", 60, 60, 40, 40, id=2), categories=KINDS)
    assert families.fact_of(what(mark), room).truth.answer == ("cup" if mark == (10, 10) else None)


def test_another_option_may_be_elsewhere_but_not_unsure_and_near(scene, thing):
    def answer(*more):
        cup, dog = thing("cup", 0, 0, 40, 40, id=1, within=(200, 200)), thing("dog", 120, 120, 60, 60, id=2, within=(200, 200))  # fmt: skip
        office = scene(cup, dog, *more, width=200, height=200, categories=KINDS)
        return families.fact_of(what((20.0, 20.0)), office).truth.answer

    assert answer() == "cup"
    assert answer(thing("kite", 150, 10, 30, 30, id=3, within=(200, 200))) == "cup"
    assert answer(thing("kite", 16, 16, 40, 40, id=3, within=(200, 200))) is None


def test_without_its_context_or_off_the_grid_nothing_is_asked(scene, thing):
    cup, dog = thing("cup", 0, 0, 20, 20, id=1), thing("dog", 60, 60, 40, 40, id=2)
    assert families.fact_of(what((10.0, 10.0)), scene(cup, categories=KINDS)) is None
    assert families.fact_of(what((10.0, 11.0)), scene(cup, dog, categories=KINDS)) is None


def test_a_mark_of_yes_and_no_is_worked_out_as_the_scene_is_asked(scene, thing):
    room = kitchen(scene, thing, (5, 5), (60, 60))
    for fact in facts(room):
        item = replace(what(fact.mark, ("yes", "no")), form="on", about=fact.about, answer="yes")
        assert families.fact_of(item, room) == fact
