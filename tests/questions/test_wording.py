import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core import plugins
from pstgen.core.records import Association, BadInput, Candidate, Fact, Truth
from pstgen.questions import wording

FAMILIES = plugins.names("families")
SHARED = ("caption", "bystander", "majority", "presupposition")
NO_CAPTION = {"pointing", "visibility"}  # captions speak neither of marks nor of joints
YES_NO = {"yes", "no"}
ABOUT = {
    "thing": ["apple", "person", "skis", "tv", "elephant", "scissors", "broccoli"],
    "context": ["umbrella", "dining table", "skis"],
    "other": ["dog", "oven"],
    "colour": ["red", "orange"],
    "number": ["1", "3"],
    "side": ["left", "right"],
    "part": ["nose", "left wrist"],
    "word": ["STOP", "GO"],
}
STILTED = re.compile(
    r"One (expects|knows|hardly|seldom|usually|would)|or (is|are|does|do|has|did) (it|they|there|one)( not)?\?|[Ss]urely"
    r"|run into each other|has this one|Against all odds|Nobody (was bothered|expects|pictures)|As a rule|Normally"
    r"|chosen because|wondered why|in number\?|not exactly one \w+s\b|one (people|pairs|pieces)|\b(is|are) to be seen"
)


def forms():
    return [(family, name, form) for family in FAMILIES for name, form in wording.forms(family).items()]


def wordings():
    """(family, form, frame, lure or None, text) of every wording."""
    for family, name, form in forms():
        for frame, texts in form.frames.items():
            for lure, those in {None: texts}.items() if isinstance(texts, tuple) else texts.items():
                yield from ((family, name, frame, lure, text) for text in those)


def pair_of(family, form, slots, lure, answer, *, turn=0):
    about = tuple(ABOUT[slot][turn % len(ABOUT[slot])] for slot in slots)
    stress, control = (
        Fact(scene_id=s, family=family, form=form, about=about, truth=Truth(a)) for s, a in (("1", answer), ("2", lure))
    )
    others = [each for each in plugins.load("families", family).answers(form, about) if each not in {lure, answer}]
    options = tuple(sorted({lure, answer, *others[:2]}))
    return Candidate(
        pair_id=f"{family}-{turn}",
        stress=(stress,),
        control=control,
        options=options,
        associations=(Association(0.0, -1.0, 1.0, 9),) * len(options),
    )


def every_pair():
    for family, name, form in forms():
        for turn in range(7):
            about = tuple(ABOUT[slot][turn % len(ABOUT[slot])] for slot in form.slots)
            answers = plugins.load("families", family).answers(name, about)
            yield pair_of(family, name, form.slots, answers[turn % 2], answers[1 - turn % 2], turn=turn)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_asked_plainly_and_in_frames_that_fit_it(family):
    frames = set(wording.frames(family))
    assert {"neutral", "typical", "leading"} <= frames
    assert (frames >= {"caption", "label"}) == (family not in NO_CAPTION)


@pytest.mark.parametrize(("family", "name", "form"), forms(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_form_has_several_wordings_in_each_frame_and_for_each_answer(family, name, form):
    answers = set(plugins.load("families", family).answers(name, form.slots))
    for frame, texts in form.frames.items():
        least = 4 if frame == "neutral" else 3
        if isinstance(texts, dict):
            assert texts.keys() == answers
        for those in [texts] if isinstance(texts, tuple) else texts.values():
            assert len(set(those)) == len(those)
            assert least <= len(those) <= 6
    assert isinstance(form.claim, str) or form.claim.keys() == answers


def test_a_wording_has_all_the_words_of_its_question():
    """What the words make one expect depends on them."""
    for family, name, _, _, text in wordings():
        slots = {slot[1] for slot in wording.SLOT.finditer(text)} - {"lure"}
        assert slots == set(wording.forms(family)[name].slots), text


def test_a_frame_says_the_lure_and_the_neutral_words_do_not():
    """By its slot, or in words of its own for each lure."""
    for family, name, frame, lure, text in wordings():
        if frame in {"neutral", "label"}:
            assert lure is None
            assert "{lure" not in text
        elif lure is None:
            assert "{lure" in text, (family, name, frame)


def test_a_yes_no_question_asks_for_the_same_whatever_the_lure():
    """Its last sentence is the same for both, so "no" cannot mean yes."""
    for family, name, form in forms():
        for frame, texts in form.frames.items():
            if isinstance(texts, dict) and texts.keys() == YES_NO:
                last = [[re.split(r"[.?!] ", text)[-1] for text in texts[lure]] for lure in ("yes", "no")]
                assert last[0] == last[1], (family, name, frame)


def test_a_wording_is_short_and_asks_one_question_in_plain_words():
    for *_, text in wordings():
        assert text.count("?") == 1, text
        assert text.endswith("?"), text
        assert not STILTED.search(text), text
        assert len(re.sub(r"\{[^}]*\}", "x", text).split()) <= 36, text


def test_captions_speak_neither_of_marks_nor_of_joints():
    for _, _, frame, _, text in wordings():
        if frame == "caption":
            said = text[: text.index(". ")]
            assert not re.search(r"mark|ring|point|elbow|wrist|\{part", said), text


def test_a_sentence_is_whole_english():
    """No slot left, a capital first, a question mark last, articles and plurals right."""
    for pair in every_pair():
        for worded in wording.word(pair, 99):
            text = worded.question
            assert "{" not in text
            assert text[0].isupper() or text.startswith("TV")
            assert text.endswith("?")
            assert not re.search(r"\ba [aeio]", text), text
            assert not re.search(r"\ban [bcdfgjkpqstvwxyz]", text), text
            assert not re.search(r"\b(persons|scissorss|skiss|a scissors|a skis|one \w+s are|broccolis)\b", text), text
            assert not re.search(r"\b(one|exactly one) (people|apples|elephants|TVs|pairs|pieces)\b", text), text


@pytest.mark.parametrize(
    ("thing", "number", "question"),
    [
        ("person", "1", "Does the picture show exactly one person?"),
        ("person", "3", "Does the picture show exactly three people?"),
        ("skis", "2", "Does the picture show exactly two pairs of skis?"),
        ("broccoli", "1", "Does the picture show exactly one piece of broccoli?"),
        ("tv", "4", "Does the picture show exactly four TVs?"),
    ],
)
def test_a_number_and_its_thing_agree(thing, number, question):
    form = wording.forms("count")["exactly"]
    assert wording._fill(form.frames["neutral"][0], form, (thing, number), "yes") == question


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


def test_wordings_of_a_pair_are_different_and_come_in_every_frame():
    for pair in every_pair():
        available = list(wording.word(pair, 999))
        assert len({(worded.question, worded.control.label) for worded in available}) == len(available)
        assert {worded.control.frame for worded in available} == set(wording.frames(pair.control.family))


def test_of_five_pairs_three_are_first_asked_plainly_and_the_others_in_each_frame_in_turn():
    first = Counter()
    for turn in range(400):
        pair = pair_of("count", "many", ["thing"], "1", "2", turn=turn)
        frames = [worded.control.frame for worded in wording.word(pair, len(wording.frames("count")))]
        plain = frames[:4] == ["neutral"] * 4
        assert plain or sorted(frames) == sorted(wording.frames("count"))
        first[plain] += 1
    assert 0.5 < first[True] / first.total() < 0.7


def test_a_shared_frame_asks_the_very_question_that_stands_beside_it():
    """So that what it adds is the only difference (the flip rate)."""
    for pair in every_pair():
        wanted = [frame for frame in SHARED if frame in wording.frames(pair.control.family)]
        for worded in wording.word(pair, 99, wanted) if wanted else ():
            assert worded.question.endswith(worded.control.neutral)
            assert worded.question != worded.control.neutral


def test_only_the_wanted_frames_are_used():
    pair = next(iter(every_pair()))
    assert {worded.control.frame for worded in wording.word(pair, 9, ("neutral",))} == {"neutral"}


def test_a_frame_that_no_family_has_is_refused_with_those_that_there_are():
    with pytest.raises(BadInput, match=r"no frame 'sarcastic' for count; there are: neutral, .*leading"):
        wording.check("count", ("neutral", "sarcastic"))


def test_a_frame_that_only_other_families_have_is_passed_over():
    """Captions say nothing of marks."""
    pair = pair_of("pointing", "on", ["thing", "context"], "yes", "no")
    missing = next(frame for frame in wording.frames("existence") if frame not in wording.frames("pointing"))
    wording.check("pointing", (missing,))
    assert list(wording.word(pair, 9, (missing,))) == []
    assert {worded.control.frame for worded in wording.word(pair, 9, (missing, "neutral"))} == {"neutral"}


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
        if "label" not in wording.frames(pair.control.family):
            continue
        for worded in wording.word(pair, 3, ("label",)):
            assert worded.question == worded.control.neutral
            assert len({item.label for item in worded.items}) == 1
            assert worded.control.label[0].isupper() or worded.control.label.startswith("TV")
            assert "{" not in worded.control.label
