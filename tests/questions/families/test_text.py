from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pstgen.questions.families import text


def truths(scene):
    return {(fact.form, fact.about): fact.truth for fact in text.ask(scene)}


@given(st.sampled_from(text.WORDS))
def test_says_what_is_written_and_of_each_word_whether_it_is_that(scene, thing, word):
    told = truths(scene(thing("stop sign", 30, 30, 40, 40, id=1, text=word)))
    assert told["says", ("stop sign",)].answer == word
    assert {about[1]: truth.answer for (form, about), truth in told.items() if form == "is"} == {
        other: "yes" if other == word else "no" for other in text.WORDS
    }


def test_what_is_small_cut_off_hidden_or_strange_is_not_read(scene, thing):
    sign = thing("stop sign", 30, 30, 40, 40, id=1, text="STOP")
    assert truths(scene(sign))["says", ("stop sign",)].known
    whole = thing("stop sign", 20, 30, 60, 40, id=1).rle
    for other, reason in [
        (thing("stop sign", 30, 30, 16, 40, id=1, text="STOP"), "too small to read"),
        (thing("stop sign", 0, 30, 40, 40, id=1, text="STOP"), "partly hidden"),
        (replace(sign, full_rle=whole), "partly hidden"),
        (replace(sign, text="HALT"), "another text than is asked about"),
    ]:
        assert truths(scene(other))["says", ("stop sign",)].reason == reason


def test_two_signs_or_none_are_not_asked_about(scene, thing):
    sign = thing("stop sign", 30, 30, 40, 40, id=1, text="STOP")
    assert not truths(scene(sign, replace(sign, id=2)))
    assert not truths(scene(thing("cup", 30, 30)))
