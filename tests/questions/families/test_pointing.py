from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

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
