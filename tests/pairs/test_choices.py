"""Questions whose options are things: one of four is there, in each twin another, and the expected one is the lure."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pstgen.core.config import build_config
from pstgen.core.records import Instance
from pstgen.pairs import choices
from pstgen.pairs.context import LEAST, PairContext
from pstgen.questions import prior_base, wording
from pstgen.questions.families import existence, pointing
from pstgen.questions.priors import counts
from pstgen.scenes import vocabulary

KINDS = ("keyboard", "mouse", "laptop", "kite", "oven", "sheep", "giraffe", "toilet", "surfboard")
PLACES = [(x, y) for y in (4, 37, 70) for x in (4, 37, 70)]  # each kind has its own
SETS = st.lists(st.frozensets(st.sampled_from(KINDS), max_size=5), max_size=12)
ALIKE = ("cup", "wine glass")

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def prior():
    """What COCO's 82,081 pictures make one expect."""
    return counts.fit(prior_base.tally("coco-2014", {*KINDS, *ALIKE}))


@pytest.fixture(scope="module")
def pictures(scene, thing):
    """Scenes by name, each with a thing of every kind in its set."""

    def of(sets, categories=KINDS, **more):
        made = {}
        for n, kinds in enumerate(sets):
            things = [thing(kind, *PLACES[categories.index(kind)], 26, 26, id=categories.index(kind) + 1) for kind in sorted(kinds)]  # fmt: skip
            made[f"world/{n}"] = scene(*things, id=f"world/{n}", categories=categories, **more)
        return made

    return of


def shown(scenes):
    """What the families know of them."""
    return {
        name: choices.shown(scene, [f for family in (existence, pointing) for f in family.ask(scene) if f.truth.known])
        for name, scene in scenes.items()
    }


def found(scenes, prior, **settings):
    return list(choices.pairs(shown(scenes), PairContext(prior, build_config(**settings), Path())))


def there(scene):
    return {vocabulary.spoken(thing.category) for thing in scene.instances}


OFFICE, MEADOW = {"keyboard", "mouse"}, {"keyboard", "kite"}


def test_there_is_a_keyboard_which_of_these_is_there_too(pictures, prior):
    (pair,) = [pair for pair in found(pictures([OFFICE, MEADOW]), prior, families=("existence",)) if pair.control.about == ("keyboard",)]  # fmt: skip
    assert pair.control.form == "which"
    assert (pair.lure, pair.control.scene_id) == ("mouse", "world/0")
    assert [(fact.truth.answer, fact.scene_id) for fact in pair.stress] == [("kite", "world/1")]
    assert len(pair.options) == 4
    (first, *_) = wording.word(pair, 1, ["neutral"])
    assert "keyboard" in first.question


@quick
@given(SETS)
def test_in_each_scene_exactly_one_option_is_there_and_the_context_is_in_both(pictures, prior, sets):
    scenes = pictures(sets)
    for pair in found(scenes, prior, families=("existence",)):
        for fact in pair.facts:
            present = there(scenes[fact.scene_id])
            assert present.intersection(pair.options) == {fact.truth.answer}
            assert fact.about[0] in present
            assert {thing.id for thing in scenes[fact.scene_id].instances if vocabulary.spoken(thing.category) == fact.truth.answer} == set(fact.evidence)  # fmt: skip


@quick
@given(SETS)
def test_the_mark_is_on_the_answer_and_the_other_options_are_not_in_the_picture(pictures, prior, sets):
    scenes = pictures(sets)
    for pair in found(scenes, prior, families=("pointing",)):
        for fact in pair.facts:
            scene = scenes[fact.scene_id]
            (answer,) = (t for t in scene.instances if vocabulary.spoken(t.category) == fact.truth.answer)
            assert is_on(answer, fact.mark)
            assert there(scene).intersection(pair.options) == {fact.truth.answer}
            assert fact.about[0] in there(scene) - set(pair.options)


def is_on(thing: Instance, mark):
    box = thing.region
    return box.x <= mark[0] < box.right and box.y <= mark[1] < box.bottom


@quick
@given(SETS)
def test_the_lure_is_surely_expected_and_every_other_option_clearly_less(pictures, prior, sets):
    for pair in found(pictures(sets), prior):
        added = dict(zip(pair.options, prior.associate(pair.control.question, pair.options), strict=True))
        assert dict(zip(pair.options, pair.associations, strict=True)) == added
        assert added[pair.lure].low > 0
        assert added[pair.lure].n >= LEAST
        others = [added[option].value for option in set(pair.options) - {pair.lure}]
        assert max(others) < added[pair.lure].value - choices.GAP


@quick
@given(SETS, st.randoms(use_true_random=False))
def test_the_order_of_scenes_changes_nothing(pictures, prior, sets, rng):
    scenes = pictures(sets)
    rows = list(scenes.items())
    rng.shuffle(rows)
    assert found(dict(rows), prior) == found(scenes, prior)


@quick
@given(SETS, st.integers(1, 4))
def test_a_scene_serves_a_few_times_for_a_question_and_its_lure_and_of_those_pairs_there_are_never_more_than_so_many(
    pictures, prior, sets, most
):
    made = found(pictures(sets), prior, pairs_per_question=most)
    for of in {(pair.control.question, pair.lure) for pair in made}:
        pairs = [pair for pair in made if (pair.control.question, pair.lure) == of]
        used = Counter(fact.scene_id for pair in pairs for fact in pair.facts)
        assert max(used.values()) <= choices.TWINS
        assert len(pairs) <= most


@quick
@given(SETS)
def test_every_pair_has_a_name_of_its_own(pictures, prior, sets):
    """Two scenes and a context may give several: a lure each."""
    made = found(pictures(sets), prior)
    assert len({pair.pair_id for pair in made}) == len(made)


def test_two_lures_of_one_context_in_the_same_two_scenes_are_two_pairs(pictures, prior):
    made = found(pictures([{*OFFICE, "laptop"}, MEADOW]), prior, families=("existence",))
    of_keyboard = [pair for pair in made if pair.control.about == ("keyboard",)]
    assert {pair.lure for pair in of_keyboard} == {"mouse", "laptop"}
    assert len({pair.pair_id for pair in of_keyboard}) == 2


@quick
@given(SETS)
def test_where_two_scenes_differ_by_an_expected_and_an_unexpected_thing_alone_there_is_a_pair(pictures, prior, sets):
    """Unless one of them has served as often as it may."""
    pairs = found(pictures([*sets, OFFICE, MEADOW]), prior, families=("existence",), pairs_per_question=99)
    of_mouse = [pair for pair in pairs if (pair.control.about, pair.lure) == (("keyboard",), "mouse")]
    office, meadow = f"world/{len(sets)}", f"world/{len(sets) + 1}"
    served = Counter(fact.scene_id for pair in of_mouse for fact in pair.facts)
    together = any({fact.scene_id for fact in pair.facts} == {office, meadow} for pair in of_mouse)
    assert together or choices.TWINS in {served[office], served[meadow]}


def test_the_stress_twin_is_the_scene_that_is_most_like_the_control(pictures, prior):
    sets = [{*OFFICE, "oven"}, {*MEADOW, "giraffe", "sheep"}, {*MEADOW, "oven"}, MEADOW]
    made = found(pictures(sets), prior, families=("existence",))
    (control, *_), stress = zip(
        *(
            (p.control.scene_id, p.stress[0].scene_id)
            for p in made
            if (p.control.about, p.lure) == (("keyboard",), "mouse")
        ),
        strict=True,
    )
    assert control == "world/0"
    assert stress == ("world/2", "world/3", "world/1")


@quick
@given(SETS)
def test_likeness_is_of_two_and_one_for_the_same_things(pictures, sets):
    every = list(shown(pictures(sets)).values())
    for one, other in zip(every, reversed(every), strict=True):
        assert choices.likeness(one, other) == choices.likeness(other, one)
        assert 0 <= choices.likeness(one, other) <= 1
        assert choices.likeness(one, one) == bool(one.kinds)


def test_what_may_be_there_is_no_option(pictures, scene, thing, prior):
    """In the second scene a sheep may be: it is too small to ask about."""
    categories = ("keyboard", "mouse", "kite", "sheep", "oven")
    scenes = pictures([OFFICE, MEADOW], categories)
    (pair,) = found(scenes, prior, families=("existence",))
    assert set(pair.options) == {"mouse", "kite", "sheep", "oven"}
    tiny = thing("sheep", 90, 4, 4, 4, id=9)
    meadow = scenes["world/1"]
    unsure = scene(*meadow.instances, tiny, id=meadow.id, categories=categories)
    assert found({**scenes, "world/1": unsure}, prior, families=("existence",)) == []


def test_things_that_people_call_the_same_are_never_options_together(pictures, prior):
    categories = ("surfboard", "person", *ALIKE, "oven", "keyboard")
    assert "cup" in vocabulary.terms("wine glass").alike
    assert (
        found(pictures([{"surfboard", "person"}, {"surfboard", "oven"}], categories[:2] + ALIKE + ("oven",)), prior)
        == []
    )
    pairs = found(pictures([{"surfboard", "person"}, {"surfboard", "oven"}], categories), prior)
    assert all(not set(ALIKE) <= set(pair.options) for pair in pairs)


def test_families_that_are_not_wanted_get_none(pictures, prior):
    sets = [OFFICE, MEADOW]
    assert {pair.control.family for pair in found(pictures(sets), prior)} == {"existence", "pointing"}
    assert {pair.control.family for pair in found(pictures(sets), prior, families=("pointing", "count"))} == {
        "pointing"
    }
    assert found(pictures(sets), prior, families=("count",)) == []


def test_what_is_expected_too_weakly_is_no_lure(pictures, prior):
    scenes = pictures([OFFICE, MEADOW])
    (pair,) = [pair for pair in found(scenes, prior, families=("existence",)) if pair.control.about == ("keyboard",)]
    low = pair.associations[pair.options.index("mouse")].low
    assert [p.lure for p in found(scenes, prior, families=("existence",), min_pull=low - 0.01) if p.control.about == ("keyboard",)] == ["mouse"]  # fmt: skip
    assert found(scenes, prior, families=("existence",), min_pull=low + 0.01) == []
