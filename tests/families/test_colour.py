from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen import resources
from pstgen.families import colour
from pstgen.truth import colour as truth
from pstgen.truth.words import Vocabulary


def answers(scene):
    return {fact.about: fact.truth.answer for fact in colour.ask(scene)}


@pytest.fixture
def painted(scene, thing):
    """A red cup and a green dog."""
    return scene(thing("cup", 0, 10, id=1, colour="red"), thing("dog", 70, 10, id=2, colour="green"))


def test_asks_what_colour_each_thing_is_and_points_at_it(painted):
    cup, dog = colour.ask(painted)
    assert (cup.family, cup.form, cup.about, cup.truth.answer, cup.evidence) == ("colour", "of", ("cup",), "red", (1,))
    assert (dog.about, dog.truth.answer, dog.evidence, dog.scene_id) == (("dog",), "green", (2,), painted.id)


def test_never_asks_about_one_of_several(painted, thing):
    more = (*painted.instances, thing("cup", 40, id=3, colour="red"))
    assert answers(replace(painted, instances=more)) == {("dog",): "green"}


@pytest.mark.parametrize("alone", [True, False])
def test_never_asks_about_a_crowd_nor_beside_one(painted, thing, alone):
    crowd = thing("cup", 40, id=3, colour="red", crowd=True)
    rest = painted.instances[1:] if alone else painted.instances
    assert answers(replace(painted, instances=(*rest, crowd))) == {("dog",): "green"}


def test_in_the_world_every_kind_is_asked_about(scene, thing):
    for kind in truth.not_asked():
        assert answers(scene(thing(kind, 0, colour="blue"))) == {(kind,): "blue"}


def test_on_photographs_what_has_no_plain_colour_is_not_asked_about(scene, thing):
    for kind in truth.not_asked():
        assert answers(scene(thing(kind, 0, colour="blue"), complete=False)) == {}


def test_a_thing_whose_colour_is_unknown_is_told_with_the_reason(kitchen):
    facts = list(colour.ask(kitchen))
    assert len(facts) == 2
    assert all(not fact.truth.known and fact.truth.reason for fact in facts)


def test_what_is_not_asked_about_is_a_known_category_and_stands_there_once():
    known = resources.read("data_sources", "words", dict[str, Vocabulary])
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
    assert [fact.about[0] for fact in facts] == list(paints)
    for fact in facts:
        options = colour.answers(fact.form, fact.about)
        assert len(set(options)) == len(options) == 11
        assert fact.truth.answer == (paints[fact.about[0]] or None)
        assert fact.truth.answer is None or fact.truth.answer in options
