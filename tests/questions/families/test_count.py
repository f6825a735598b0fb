from hypothesis import given
from hypothesis import strategies as st

from pstgen.questions.families import count


def truths(scene):
    return {fact.about[0]: fact.truth for fact in count.ask(scene) if fact.form == "many"}


@given(st.integers(1, 9))
def test_counts_what_is_annotated_up_to_six(scene, thing, n):
    some = scene(*(thing("cup", 60 * k, id=k + 1, within=(600, 100)) for k in range(n)), width=600)
    assert truths(some)["cup"].answer == (str(n) if n <= 6 else None)


def test_a_crowd_or_a_tiny_one_makes_the_number_unknown(scene, thing):
    assert truths(scene(thing("cup", 0), thing("cup", 50, crowd=True)))["cup"].reason == "a crowd"
    assert truths(scene(thing("cup", 0), thing("cup", 50, width=4)))["cup"].reason == "one is tiny"


def test_on_photographs_a_like_thing_makes_the_number_unknown(scene, thing):
    photo = scene(thing("cup", 0), thing("wine glass", 50), complete=False)
    assert not truths(photo)["cup"].known
    assert truths(scene(thing("cup", 0), thing("wine glass", 50)))["cup"].answer == "1"


def test_the_evidence_is_every_one_of_them(scene, thing):
    some = scene(thing("cup", 0, id=5), thing("dog", 40, id=6), thing("cup", 70, id=7))
    assert {fact.about[0]: fact.evidence for fact in count.ask(some)} == {"cup": (5, 7), "dog": (6,)}


@given(st.integers(1, 9))
def test_exactly_so_many_agrees_with_how_many(scene, thing, n):
    some = scene(*(thing("cup", 60 * k, id=k + 1, within=(600, 100)) for k in range(n)), width=600)
    told = {fact.about[1]: fact.truth.answer for fact in count.ask(some) if fact.form == "exactly"}
    assert told == {m: "yes" if m == str(n) else "no" for m in ("1", "2", "3", "4")}


def test_more_than_so_many_is_known_where_the_number_is_not(scene, thing):
    some = scene(*(thing("cup", 30 * k, id=k + 1) for k in range(3)), thing("cup", 0, 60, width=4, id=9))
    told = {fact.about[1:]: fact.truth.answer for fact in count.ask(some)}
    assert told == {(): None, ("1",): "no", ("2",): "no", ("3",): None, ("4",): None}


def test_a_hand_at_the_edge_makes_the_number_of_people_unknown(scene, thing):
    whole, hand = thing("person", 30, 10, 40, 60, id=1), thing("person", 80, 10, id=2)
    photo = scene(whole, hand, complete=False, captions=("a person",))
    assert truths(photo)["person"].reason == "of one there is hardly more than a hand"
    assert truths(scene(whole, complete=False, captions=("a person",)))["person"].answer == "1"
