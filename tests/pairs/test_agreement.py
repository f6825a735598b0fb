"""Models beside the counts: a pair stays where one that decides expects its lure too."""

from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import Association, Candidate, Fact, Truth
from pstgen.pairs import agreement

SURE = Association(2.0, 1.0, 3.0, 50)
QUESTIONS = {  # by what is asked: form, words, options, lure and the other answer
    "expected": ("existence", "given", ("mouse", "keyboard"), ("yes", "no"), "yes", "no"),
    "unexpected": ("existence", "given", ("kite", "keyboard"), ("yes", "no"), "no", "yes"),
    "which": ("existence", "which", ("keyboard",), ("kite", "mouse", "oven", "sheep"), "mouse", "kite"),
    "marked": ("pointing", "on", ("mouse", "keyboard"), ("yes", "no"), "yes", "no"),
    "what": ("pointing", "what", ("keyboard",), ("kite", "mouse", "oven", "sheep"), "mouse", "kite"),
    "number": ("count", "many", ("cup",), ("1", "2", "3", "4"), "1", "2"),
}
MOUSE, KITE = ("mouse", "keyboard"), ("kite", "keyboard")
NAMES = st.sampled_from(list(QUESTIONS))
NATS = st.floats(-5, 5).filter(bool)


def pair(name):
    family, form, about, options, lure, other = QUESTIONS[name]
    control, stress = (
        Fact(scene_id=f"s/{answer}", family=family, form=form, about=about, truth=Truth(answer))
        for answer in (lure, other)
    )
    return Candidate(
        pair_id=name, control=control, stress=(stress,), options=options, associations=(SURE,) * len(options)
    )


def test_a_question_about_things_is_about_a_thing_and_its_context():
    assert {name: agreement.couple(pair(name)) for name in QUESTIONS} == {
        "expected": MOUSE,
        "unexpected": KITE,
        "which": MOUSE,
        "marked": MOUSE,
        "what": MOUSE,
        "number": None,
    }


def test_what_counts_say_of_a_couple_is_below_zero_where_the_lure_is_that_it_is_not_there():
    assert agreement.counted(map(pair, QUESTIONS)) == {MOUSE: 2.0, KITE: -2.0}


@given(NAMES, NATS)
def test_a_pair_stays_where_the_model_says_the_same_and_goes_where_it_does_not(name, nats):
    (asked,) = [pair(name)]
    known = agreement.couple(asked)
    kept = agreement.agreeing([asked], {"lm": {known: nats}} if known else {"lm": {}}, ["lm"])
    agrees = known is None or (nats < 0 if name == "unexpected" else nats > 0)
    assert [each.pair_id for each in kept] == [name] * agrees
    if kept and known:
        ((judge, pull),) = kept[0].model_pulls
        assert (judge, pull) == ("lm", abs(nats))


def test_what_a_model_says_that_does_not_decide_is_recorded_alone():
    (kept,) = agreement.agreeing([pair("expected")], {"lm": {MOUSE: -1.0}}, [])
    assert kept.model_pulls == (("lm", -1.0),)


def test_of_two_models_that_decide_one_is_enough():
    models = {"vlm": {MOUSE: 0.5}, "lm": {MOUSE: -1.0}}
    (kept,) = agreement.agreeing([pair("which")], models, ["lm", "vlm"])
    assert kept.model_pulls == (("lm", -1.0), ("vlm", 0.5))
    assert agreement.agreeing([pair("which")], models, ["lm"]) == []


@given(st.lists(NAMES, unique=True))
def test_where_no_model_was_asked_every_pair_stays_as_it_is(names):
    pairs = list(map(pair, names))
    assert agreement.agreeing(pairs, {}, []) == pairs
