from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pstgen.core.config import build_config
from pstgen.core.records import Item
from pstgen.core.report import Report
from pstgen.questions import families, priors
from pstgen.questions.facts import known
from pstgen.questions.families import existence


def answers(scene):
    return {fact.about: fact.truth.answer for fact in existence.ask(scene)}


def test_a_thing_is_expected_as_far_as_it_is_given_the_context():
    assert {"mouse", "kite", "hot dog"} <= set(existence.answers("which", ("keyboard",)))
    question = "existence", "which", ("keyboard",)
    assert families.expected_of(question, "mouse") == (("existence", "given", ("mouse", "keyboard")), "yes")
    given = "existence", "given", ("mouse", "keyboard")
    assert families.expected_of(given, "no") == (given, "no")


def test_which_thing_is_there_is_asked_by_pairs_and_not_of_a_scene(kitchen):
    assert {fact.form for fact in existence.ask(kitchen)} == {"given"}


def test_what_a_detector_that_looked_did_not_detect_is_absent_of_every_kind(scene, thing):
    def known(detected):
        photo = scene(
            thing("toilet", 0, width=50, height=50),
            complete=False,
            captions=("A toilet.",),
            categories=("toilet", "fork", "bed"),
            detected=detected,
        )
        return answers(photo)

    assert known(None) == {("fork", "toilet"): None, ("bed", "toilet"): "no"}
    assert known(("toilet",)) == {("fork", "toilet"): "no", ("bed", "toilet"): "no"}
    assert known(("toilet", "bed")) == {("fork", "toilet"): "no", ("bed", "toilet"): None}


def test_asks_of_everything_given_what_is_there(kitchen):
    assert answers(kitchen) == {
        ("chair", "cup"): "no",
        ("dog", "cup"): "yes",
        ("chair", "dog"): "no",
        ("cup", "dog"): "yes",
    }


def test_a_crowd_or_a_tiny_thing_is_neither_there_nor_absent(scene, thing):
    some = scene(thing("cup", 0), thing("dog", 50, crowd=True), thing("chair", 80, width=5, height=5))
    assert answers(some)["dog", "cup"] is None
    assert answers(some)["chair", "cup"] is None


def test_what_a_caption_names_is_never_absent(scene, thing):
    """By word, plural, synonym or hyponym."""
    for caption in ("A dog sleeps.", "Two dogs.", "A puppy on the floor.", "A golden retriever."):
        photo = scene(thing("cup", 0, width=50, height=50), complete=False, captions=(caption, "A cup."))
        assert answers(photo)["dog", "cup"] is None


def test_what_annotators_miss_is_not_absent_on_photographs(scene, thing):
    photo = scene(
        thing("toilet", 0, width=50, height=50),
        complete=False,
        captions=("A toilet.",),
        categories=("toilet", "cup", "bed"),
    )
    assert answers(photo) == {("cup", "toilet"): None, ("bed", "toilet"): "no"}


def test_silence_without_captions_proves_nothing(scene, thing):
    photo = scene(thing("toilet", 0, width=50, height=50), complete=False, categories=("toilet", "bed"))
    assert answers(photo) == {("bed", "toilet"): None}


def test_something_people_call_the_same_makes_absence_unknown(scene, thing):
    photo = scene(
        thing("chair", 0, width=50, height=50),
        complete=False,
        captions=("A chair.",),
        categories=("chair", "couch", "bed"),
    )
    assert answers(photo)["couch", "chair"] is None


def test_unknowns_are_counted_by_reason(scene, thing):
    report = Report()
    some = scene(thing("cup", 0), thing("dog", 50, crowd=True))
    told = list(known([some], build_config(families=("existence",)), report))
    assert [fact.about for _, facts in told for fact in facts] == [("chair", "cup")]
    assert report.refused.facts == Counter({("existence", "there, but small, cut off or a crowd"): 1})


def test_what_captions_call_something_else_is_not_known_to_be_there(scene, thing):
    def there(captions, *more):
        photo = scene(
            thing("couch", 0, 0, 40, 40, id=1),
            thing("dog", 60, 60, 40, 40, id=2),
            *more,
            complete=False,
            captions=captions,
        )
        return {fact.truth.answer for fact in existence.ask(photo) if fact.about == ("couch", "dog")}

    assert there(("a dog on a couch",)) == {"yes"}
    assert there(("a dog by a chair",)) == {None}


def test_a_screen_by_its_keyboard_is_no_plain_tv(scene, thing):
    def there(*more):
        photo = scene(
            thing("tv", 0, 0, 40, 40, id=1),
            thing("dog", 60, 60, 40, 40, id=2),
            *more,
            complete=False,
            captions=("a dog and a tv",),
        )
        return {fact.truth.answer for fact in existence.ask(photo) if fact.about == ("tv", "dog")}

    assert there() == {"yes"}
    assert there(thing("keyboard", 60, 0, id=3)) == {None}


# ------------------------------------------------------------------------------------------------ which of four is there

KINDS = ("keyboard", "mouse", "kite", "oven", "sheep", "dining table")
OPTIONS = ("mouse", "kite", "oven", "table")


def which(answer="mouse", options=OPTIONS, context="keyboard", form="which"):
    words = {"frame": "neutral", "question": "?", "neutral": "?", "lure": answer, "image": "", "role": "control"}
    return Item(item_id="i", pair_id="p", scene_id="s", family="existence", form=form, about=(context,), options=options, answer=answer, **words)  # fmt: skip


def picture(scene, thing, *kinds, **more):
    things = [thing(kind, 33 * (n % 3), 40 * (n // 3), 30, 30, id=n + 1) for n, kind in enumerate(kinds)]
    return scene(*things, categories=KINDS, **more)


@given(st.sets(st.sampled_from(KINDS)))
def test_which_of_them_is_there_is_known_where_one_alone_is_and_the_context_too(scene, thing, kinds):
    fact = families.fact_of(which(), picture(scene, thing, *sorted(kinds)))
    there = [noun for noun in OPTIONS if {"table": "dining table"}.get(noun, noun) in kinds]
    if "keyboard" not in kinds:
        assert fact is None
    elif len(there) == 1:
        assert fact.truth.answer == there[0]
    else:
        assert not fact.truth.known


def test_the_evidence_is_every_thing_of_the_kind_that_is_there(scene, thing):
    fact = families.fact_of(which(), picture(scene, thing, "keyboard", "mouse", "sheep", "mouse"))
    assert (fact.form, fact.about, fact.truth.answer) == ("which", ("keyboard",), "mouse")
    assert fact.evidence == (2, 4)


@pytest.mark.parametrize("side", [4, 30])
def test_where_another_option_may_be_there_too_it_is_unknown_which_is(scene, thing, side):
    unsure = thing("kite", 66, 66, side, side, id=9, crowd=side > 4)
    office = picture(scene, thing, "keyboard", "mouse")
    assert families.fact_of(which(), office).truth.answer == "mouse"
    fact = families.fact_of(which(), scene(*office.instances, unsure, categories=KINDS))
    assert fact.truth.reason == "there, but small, cut off or a crowd"


def test_a_caption_that_names_another_option_makes_it_unknown(scene, thing):
    def answer(*captions):
        photo = picture(scene, thing, "keyboard", "mouse", complete=False, captions=captions, detected=())
        return families.fact_of(which(options=("mouse", "kite", "oven", "sheep")), photo).truth.answer

    assert answer("A keyboard and a mouse.") == "mouse"
    assert answer("A keyboard and a mouse.", "A kite on the wall.") is None


def test_a_question_with_yes_and_no_is_worked_out_as_the_scene_is_asked(kitchen):
    item = which("yes", ("yes", "no"), form="given")
    fact = families.fact_of(replace(item, about=("dog", "cup")), kitchen)
    assert fact in list(existence.ask(kitchen))
    assert fact.truth.answer == "yes"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.sets(st.sampled_from(["cup", "dog", "chair", "person"])), st.booleans(), st.booleans()), max_size=5))  # fmt: skip
def test_counted_without_being_made_facts_are_as_many(scene, thing, drawn):
    scenes = [
        scene(
            *(thing(kind, 25 * n, id=n + 1, crowd=crowd and not n) for n, kind in enumerate(sorted(kinds))),
            categories=("cup", "dog", "chair", "person", "bed"),
            complete=complete,
            captions=("A dog.",) * (not complete),
        )
        for kinds, complete, crowd in drawn
    ]
    counted = existence.Counted()
    tally = Counter()
    for each in scenes:
        counted.add(each)
        tally += priors.count(fact for fact in existence.ask(each) if fact.truth.known)
    assert dict(counted.tally()) == dict(tally)
