from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core import resources
from pstgen.questions.families import colour
from pstgen.scenes.truth import colour as truth
from pstgen.scenes.vocabulary import Terms


def answers(scene):
    """To what is asked openly."""
    return {fact.about: fact.truth.answer for fact in colour.ask(scene) if fact.form == "of"}


@pytest.fixture
def painted(scene, thing):
    """A red cup and a green dog."""
    return scene(thing("cup", 0, 10, id=1, colour="red"), thing("dog", 70, 10, id=2, colour="green"))


def test_asks_what_colour_each_thing_is_and_points_at_it(painted):
    cup, dog = (fact for fact in colour.ask(painted) if fact.form == "of")
    assert (cup.family, cup.form, cup.about, cup.truth.answer, cup.evidence) == ("colour", "of", ("cup",), "red", (1,))
    assert (dog.about, dog.truth.answer, dog.evidence, dog.scene_id) == (("dog",), "green", (2,), painted.id)


def test_asks_of_each_thing_whether_it_is_of_each_colour(painted):
    said = {fact.about: (fact.truth.answer, fact.evidence) for fact in colour.ask(painted) if fact.form == "is"}
    yes = {about: evidence for about, (answer, evidence) in said.items() if answer == "yes"}
    assert yes == {("cup", "red"): (1,), ("dog", "green"): (2,)}
    assert set(said) == {(kind, name) for kind in ("cup", "dog") for name in truth.NAMES}
    assert {answer for answer, _ in said.values()} == {"yes", "no"}


def test_never_asks_about_one_of_several(painted, thing):
    more = replace(painted, instances=(*painted.instances, thing("cup", 40, id=3, colour="red")))
    assert {fact.about[0] for fact in colour.ask(more)} == {"dog"}


@pytest.mark.parametrize("alone", [True, False])
def test_never_asks_about_a_crowd_nor_beside_one(painted, thing, alone):
    crowd = thing("cup", 40, id=3, colour="red", crowd=True)
    rest = painted.instances[1:] if alone else painted.instances
    assert {fact.about[0] for fact in colour.ask(replace(painted, instances=(*rest, crowd)))} == {"dog"}


def test_in_the_world_every_kind_is_asked_about(scene, thing):
    for kind in truth.not_asked():
        assert answers(scene(thing(kind, 0, colour="blue"))) == {(kind,): "blue"}


def test_on_photographs_what_has_no_plain_colour_is_not_asked_about(scene, thing):
    for kind in truth.not_asked():
        assert list(colour.ask(scene(thing(kind, 0, colour="blue"), complete=False))) == []


def test_a_thing_whose_colour_is_unknown_is_told_with_the_reason(kitchen):
    facts = list(colour.ask(kitchen))
    assert {fact.about[0] for fact in facts} == {"cup", "dog"}
    assert all(not fact.truth.known and fact.truth.reason for fact in facts)


def test_what_is_not_asked_about_is_a_known_category_and_stands_there_once():
    known = resources.read("data_sources", "words", dict[str, Terms])
    rows = [kind for kinds in truth.survey().not_asked.values() for kind in kinds]
    assert len(rows) == len(set(rows))
    assert set(rows) <= set(known)
    assert {"person", "zebra", "giraffe", "pizza", "wine glass", "tv"} <= set(rows)


@given(
    st.dictionaries(st.sampled_from(["cup", "dog", "chair", "car"]), st.sampled_from([*truth.NAMES, ""]), max_size=4)
)
def test_what_is_asked_can_be_answered(scene, thing, paints):
    things = [thing(kind, 25 * n, colour=paint) for n, (kind, paint) in enumerate(paints.items())]
    facts = list(colour.ask(scene(*things)))
    assert [fact.about[0] for fact in facts if fact.form == "of"] == list(paints)
    for fact in facts:
        options = colour.answers(fact.form, fact.about)
        assert len(set(options)) == len(options) == {"of": 11, "is": 2}[fact.form]
        paint = paints[fact.about[0]]
        if not paint:
            assert not fact.truth.known
        elif fact.form == "of":
            assert fact.truth.answer == paint in options
        else:
            assert fact.truth.answer == ("yes" if fact.about[1] == paint else "no") in options
