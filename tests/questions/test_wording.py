import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core import plugins
from pstgen.core.records import BadInput, Candidate, Fact, Truth
from pstgen.questions import wording

FAMILIES = plugins.names("families")
FRAMES = {"neutral", "label", "typical", "leading", "caption", "bystander", "majority", "presupposition"}
ABOUT = {
    "thing": ["apple", "person", "skis", "tv", "elephant", "scissors", "broccoli"],
    "context": ["umbrella", "dining table"],
    "other": ["dog", "oven"],
    "colour": ["red", "orange"],
    "number": ["1", "3"],
    "side": ["left", "right"],
    "part": ["nose", "left wrist"],
    "word": ["STOP", "GO"],
}


def pair_of(family, form, slots, lure, answer, *, turn=0):
    about = tuple(ABOUT[slot][turn % len(ABOUT[slot])] for slot in slots)
    stress, control = (
        Fact(scene_id=s, family=family, form=form, about=about, truth=Truth(a)) for s, a in (("1", answer), ("2", lure))
    )
    options = plugins.load("families", family).answers(form, about)[:4]
    share = tuple(0.7 if option == lure else 0.3 / (len(options) - 1) for option in options)
    return Candidate(pair_id=f"{family}-{turn}", stress=(stress,), control=control, options=options, prior=share)


def every_pair():
    for family in FAMILIES:
        for form, told in wording.forms(family).items():
            for turn in range(7):
                about = tuple(ABOUT[slot][turn % len(ABOUT[slot])] for slot in told.slots)
                answers = plugins.load("families", family).answers(form, about)
                yield pair_of(family, form, told.slots, answers[turn % 2], answers[1 - turn % 2], turn=turn)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_form_has_every_frame_in_six_wordings(family):
    for form in wording.forms(family).values():
        assert set(form.frames) >= FRAMES
        for texts in form.frames.values():
            for some in [texts] if isinstance(texts, tuple) else texts.values():
                assert len(set(some)) >= 6


def test_a_sentence_is_whole_english():
    """No slot left, a capital first, a question mark last, articles and plurals right."""
    for pair in every_pair():
        for worded in wording.word(pair, 99):
            text = worded.question
            assert "{" not in text
            assert text[0].isupper() or text.startswith("TV")
            assert text.endswith(("?", "."))
            assert "?" in text
            assert not re.search(r"\ba [aeio]", text), text
            assert not re.search(r"\ban [bcdfgjkpqstvwxyz]", text), text
            assert not re.search(r"\b(persons|scissorss|skiss|a scissors|a skis|one \w+s are)\b", text), text


def test_twins_share_their_words_and_differ_in_their_answer():
    for pair in every_pair():
        for worded in wording.word(pair, 6):
            (stress,), control = worded.stress, worded.control
            assert (stress.question, stress.neutral, stress.options) == (
                control.question,
                control.neutral,
                control.options,
            )
            assert control.answer == control.lure == stress.lure != stress.answer


def test_wordings_of_a_pair_are_different_and_frames_take_turns():
    for pair in every_pair():
        wordings = list(wording.word(pair, len(FRAMES)))
        assert len({(worded.question, worded.control.label) for worded in wordings}) == len(FRAMES)
        assert {worded.control.frame for worded in wordings} == FRAMES


def test_a_shared_frame_asks_the_very_question_that_stands_beside_it():
    """So that what it adds is the only difference (the flip rate)."""
    for pair in every_pair():
        for worded in wording.word(pair, 99, ("caption", "bystander", "majority", "presupposition")):
            assert worded.question.endswith(worded.control.neutral)
            assert worded.question != worded.control.neutral


def test_only_the_wanted_frames_are_used():
    pair = next(iter(every_pair()))
    assert {worded.control.frame for worded in wording.word(pair, 9, ("neutral",))} == {"neutral"}


def test_an_unknown_frame_says_what_there_is():
    with pytest.raises(BadInput, match="leading"):
        list(wording.word(next(iter(every_pair())), 3, ("sarcastic",)))


def test_a_users_own_templates_come_first(tmp_path):
    text = "many:\n  slots: [thing]\n  frames:\n    neutral: ['How many {thing:s}, please?']\n"
    (tmp_path / "count.yaml").write_text(text)
    pair = pair_of("count", "many", ["thing"], "1", "2")
    (worded,) = wording.word(pair, 3, (), tmp_path)
    assert worded.question == "How many apples, please?"


@pytest.mark.parametrize("slot", ["{thing.__class__}", "{nothing}", "{0}"])
def test_a_template_reaches_nothing_but_its_slots(tmp_path, slot):
    text = f"many:\n  slots: [thing]\n  frames:\n    neutral: ['How many {slot}?']\n"
    (tmp_path / "count.yaml").write_text(text)
    pair = pair_of("count", "many", ["thing"], "1", "2")
    try:
        (worded,) = wording.word(pair, 1, (), tmp_path)
    except BadInput:
        return
    assert slot in worded.question


@given(st.binary(max_size=40))
def test_a_broken_template_file_is_one_clear_error(tmp_path_factory, junk):
    folder = tmp_path_factory.mktemp("templates")
    (folder / "count.yaml").write_bytes(junk)
    with pytest.raises(BadInput, match=r"count\.yaml"):
        wording.forms("count", folder)


def test_a_label_says_the_lure_and_the_question_stays_plain():
    for pair in every_pair():
        for worded in wording.word(pair, 3, ("label",)):
            assert worded.question == worded.control.neutral
            assert len({item.label for item in worded.items}) == 1
            assert worded.control.label[0].isupper() or worded.control.label.startswith("TV")
            assert "{" not in worded.control.label
