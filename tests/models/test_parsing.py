"""Answers as chat models write them are read, and what names no option, or several, is never guessed."""

import inflect
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pstgen.models.parsing import LETTERS, NUMBERS, parse

YES, COLOURS, THINGS = "yes/no", "red/blue/dark green/green", "dog/cat"
NAMED = [  # text, options, which of them it names
    ("yes", YES, "yes"),
    ("yes, it is.", YES, "yes"),
    ("Yes\u2014it is!", YES, "yes"),
    ("No, there isn't a dog.", YES, "no"),
    ("No.\n\nI see a cup and a chair.", YES, "no"),
    ("There is no dog.", YES, "no"),
    ("The answer is yes", YES, "yes"),
    ("My answer: yes", YES, "yes"),
    ("Answer: **no**", YES, "no"),
    ("**Answer:** no", YES, "no"),
    ("The final answer is: $\\boxed{no}$", YES, "no"),
    ("It is not easy to say no here. The answer is that yes.", YES, "yes"),
    ("It is red. The answer is blue.", COLOURS, "blue"),
    ("A", YES, "yes"),
    ("b", YES, "no"),
    ("A.", YES, "yes"),
    ("A:", YES, "yes"),
    ("(B)", YES, "no"),
    ("B)", YES, "no"),
    ("B. no", YES, "no"),
    ("(A) yes", YES, "yes"),
    ("**B**: no", YES, "no"),
    ("Option B", YES, "no"),
    ("The answer is option B.", YES, "no"),
    ("The answer is: **B) no**.", YES, "no"),
    ("$\\boxed{B}$", YES, "no"),
    ("\\boxed{\\text{no}}", YES, "no"),
    ("**Yes**", YES, "yes"),
    ("`no`", YES, "no"),
    ("\u201cNo.\u201d", YES, "no"),
    ("<answer>no</answer>", YES, "no"),
    ("<think>yes or no</think> no", YES, "no"),
    ("<think>\n\n</think>\n\nYes", YES, "yes"),
    ("two", "1/2", "2"),
    ("Two cups.", "1/2", "2"),
    ("There are 3 cups.", "1/2/3", "3"),
    ("There are twenty-one.", "20/21", "21"),
    ("zero", "0/1", "0"),
    ("the dog", THINGS, "dog"),
    ("A dog", THINGS, "dog"),
    ("A dog", "cat/dog", "dog"),
    ("It's the dog's.", THINGS, "dog"),
    ("dog", "the dog/the car", "the dog"),
    ("The dog is nearer.", "the dog/the car", "the dog"),
    ("It is dark green.", COLOURS, "dark green"),
    ("green", COLOURS, "green"),
    ("It is light blue.", COLOURS, "blue"),
    ("Yes, and the car is not red.", YES, "yes"),
]
NEVER = [  # text, options: none is named, several are, one is denied, or they are others
    ("", YES),
    ("...", YES),
    ("I don't know.", YES),
    ("The answer cannot be determined.", YES),
    ("nope", YES),
    ("yes or no", YES),
    ("yes/no", YES),
    ("Yes. No.", YES),
    ("The answer is yes or no.", YES),
    ("<think>no</think>", YES),
    ("A or B", YES),
    ("A and B", YES),
    ("A/B", YES),
    ("A. yes\nB. no", YES),
    ("Option A or option B", YES),
    ("A. no", YES),
    ("(B) red", COLOURS),
    ("E", COLOURS),
    ("(E)", COLOURS),
    ("Option E", COLOURS),
    ("E. red", COLOURS),
    ("It is not red", COLOURS),
    ("It isn't red.", COLOURS),
    ("It is not a red one.", COLOURS),
    ("It is neither red nor blue.", COLOURS),
    ("It is green, not red.", COLOURS),
    ("It is green rather than blue.", COLOURS),
    ("The answer is not red.", COLOURS),
    ("blue-green", COLOURS),
    ("It is redder.", COLOURS),
    ("A cup", THINGS),
    ("The dog is nearer than the cat.", THINGS),
    ("hotdog", THINGS),
    ("13", "1/3"),
    ("-1", "1/2"),
    ("2 to 3", "1/2/3"),
    ("two or three", "1/2/3"),
    ("There are none.", "0/1"),
    ("That's right, left.", "left/right"),
    ("It isn\u2019t red.", COLOURS),
    ("I cannot see a dog.", THINGS),
    ("I do not see a dog.", THINGS),
    ("There is no dog.", THINGS),
    ("I don't think it is red.", COLOURS),
    ("1.5", "1/2"),
    ("2,000", "1/2"),
    ("twenty two", "1/20"),
    ("<think>Is there one? The user says yes", YES),
    ("B, yes", YES),
    ("B.\nA.", YES),
]


def options_of(told):
    return tuple(told.split("/"))


@pytest.mark.parametrize(("text", "options", "expected"), NAMED)
def test_an_answer_is_read_as_people_read_it(text, options, expected):
    choice = parse(text, options_of(options))
    assert choice is not None
    assert options_of(options)[choice] == expected


@pytest.mark.parametrize(("text", "options"), NEVER)
def test_what_does_not_say_one_option_is_never_guessed(text, options):
    assert parse(text, options_of(options)) is None


def test_a_letter_in_a_line_of_its_own_is_not_outvoted_by_what_explains_it():
    assert parse("B\n\nOption A is wrong.", ("yes", "no")) in {1, None}


PARTS = ["dark", "light", "green", "blue", "red", "left", "right", "of", "cup", "fire", "hydrant"]
WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=8)
PHRASES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3, unique=True).map(" ".join)
NUMBERED = st.integers(0, NUMBERS - 1).map(str)
OPTIONS = st.one_of(*(st.lists(kind, min_size=2, max_size=6, unique=True) for kind in (WORDS, PHRASES, NUMBERED)))
CASES = st.sampled_from([str, str.upper, str.capitalize, str.title])


@given(OPTIONS, st.data(), CASES, st.sampled_from(["", ".", "!", ",", ":", ";", " .", "\n"]))
def test_an_option_itself_is_read_whatever_the_options(options, data, case, end):
    n = data.draw(st.integers(0, len(options) - 1))
    assert parse(case(options[n]) + end, options) == n


@given(OPTIONS, st.data(), CASES, st.sampled_from(["The answer is {}.", "Answer: {}", "I look. The answer is: {}!"]))
def test_an_option_that_is_announced_is_read_whatever_the_options(options, data, case, announced):
    n = data.draw(st.integers(0, len(options) - 1))
    assert parse(announced.format(case(options[n])), options) == n


@given(OPTIONS, st.data(), st.sampled_from(["{0}", "({0})", "{0}.", "{0})", "({0}) {1}", "{0}. {1}", "**{0}**: {1}"]))
def test_an_options_letter_is_read_whatever_the_options(options, data, written):
    n = data.draw(st.integers(0, len(options) - 1))
    assert parse(written.format(LETTERS[n], options[n]), options) == n


@given(OPTIONS, st.data(), CASES, st.sampled_from(["{} or {}", "{} or {}.", "The answer is {} or {}", "{}, {}"]))
def test_two_options_are_never_one(options, data, case, joined):
    a, b = data.draw(st.lists(st.sampled_from(options), min_size=2, max_size=2, unique=True))
    text = joined.format(a, b)
    assume(text.strip(".") not in options)
    assert parse(case(text), options) is None


@given(OPTIONS, st.data())
def test_a_letter_and_the_words_of_another_option_are_no_answer(options, data):
    a, b = data.draw(st.lists(st.integers(0, len(options) - 1), min_size=2, max_size=2, unique=True))
    assert parse(f"{LETTERS[a]}. {options[b]}", options) is None


@given(OPTIONS, st.integers(0, 25))
def test_a_letter_beyond_the_options_is_no_answer(options, beyond):
    assume(beyond >= len(options))
    assert parse(f"({LETTERS[beyond]})", options) is None


@given(OPTIONS, st.data(), st.sampled_from(["It is not {}.", "It isn't {}", "It is not the {}.", "never {}"]))
def test_an_option_that_is_denied_is_not_chosen(options, data, denied):
    n = data.draw(st.integers(0, len(options) - 1))
    assert parse(denied.format(options[n]), options) != n


@given(st.lists(st.integers(0, NUMBERS - 1), min_size=2, max_size=6, unique=True), st.data())
def test_a_number_in_words_is_its_digits(numbers, data):
    n = data.draw(st.integers(0, len(numbers) - 1))
    assert parse(inflect.engine().number_to_words(numbers[n]), list(map(str, numbers))) == n


@given(OPTIONS, st.text(), st.data())
def test_a_closed_thought_says_nothing(options, thought, data):
    n = data.draw(st.integers(0, len(options) - 1))
    assert parse(f"<think>{thought}</think>\n\n{options[n]}", options) == n


@given(OPTIONS, st.text())
def test_any_text_at_all_is_an_option_or_none(options, text):
    assert parse(text, options) in {None, *range(len(options))}


def test_there_may_be_more_options_than_letters():
    options = [f"thing {n}" for n in range(40)]
    assert [parse(text, options) for text in ("thing 33", "B", "", "zz")] == [33, 1, None, None]
