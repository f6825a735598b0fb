"""A model is asked in three ways, and none of them favours an option for its place or its letter."""

import math
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.models.asking import BY_LETTER, CERTAIN, MAX_TOKENS, WAYS, ask, default_way, lettered, prompt
from pstgen.models.parsing import LETTERS


@dataclass
class Fake:
    """Says what `scored(prompt, option)` and `said(prompt)` say, and keeps what it was asked."""

    scored: object = None
    said: object = None
    chats: bool = True
    config: object = None
    asked: list = field(default_factory=list)

    @property
    def model(self):
        return SimpleNamespace(config=self.config)

    def score(self, questions, options, images):
        self.asked += zip(questions, options, images, strict=True)
        return [tuple(self.scored(q, o) for o in of) for q, of in zip(questions, options, strict=True)]

    def generate(self, questions, images, most):
        assert most == MAX_TOKENS
        self.asked += zip(questions, images, strict=True)
        return [self.said(question) for question in questions]


QUESTION, COLOURS = "What colour is it?", ("red", "dark green", "blue")
OPTIONS = st.lists(st.text("abcdefgh", min_size=2), min_size=2, max_size=6, unique=True).map(tuple)


def line_of(text, letter):
    """The option that a letter stands for in a prompt."""
    return next(line.removeprefix(f"{letter}. ") for line in text.splitlines() if line.startswith(f"{letter}. "))


def chosen(logprobs):
    return int(np.argmax(logprobs))


@given(OPTIONS, st.lists(st.floats(-20, 0), min_size=6, max_size=6))
def test_a_love_of_letters_is_no_answer(options, love):
    """Whatever it prefers by letter alone comes out even between an option and its mirror image, for two options exactly."""
    model = Fake(scored=lambda _, letter: love[LETTERS.index(letter)])
    (row,) = ask(model, "letters", [QUESTION], [options], [None])
    assert row == pytest.approx(row[::-1], abs=1e-9)


def test_who_always_says_a_comes_out_even():
    (row,) = ask(Fake(scored=lambda _, letter: 5.0 * (letter == "A")), "letters", [QUESTION], [("yes", "no")], [None])
    assert row[0] == pytest.approx(row[1])


@given(OPTIONS, st.data())
def test_who_knows_the_answer_says_it_by_letters_in_whatever_order(options, data):
    answer = data.draw(st.sampled_from(options))
    model = Fake(scored=lambda text, letter: 3.0 * (line_of(text, letter) == answer) + (letter == "A"))
    (row,) = ask(model, "letters", [QUESTION], [options], [None])
    assert options[chosen(row)] == answer


@given(st.permutations(COLOURS), st.lists(st.floats(-9, 0), min_size=3, max_size=3))
def test_letters_give_an_option_the_same_in_an_order_and_in_the_reversed_one(options, logits):
    knows = dict(zip(sorted(options), logits, strict=True))
    model = Fake(scored=lambda text, letter: knows[line_of(text, letter)] + {"A": 1.5, "B": 0.3, "C": 0}[letter])
    forth, back = (ask(model, "letters", [QUESTION], [of], [None])[0] for of in (tuple(options), tuple(options)[::-1]))
    assert forth == pytest.approx(back[::-1], abs=1e-9)


def test_letters_are_asked_in_both_orders_about_the_same_image():
    image, other = object(), object()
    model = Fake(scored=lambda *_: 0.0)
    ask(model, "letters", [QUESTION, "How many?"], [COLOURS, ("1", "2")], [image, other])
    orders = [[line_of(text, letter) for letter in letters] for text, letters, _ in model.asked]
    assert orders == [[*COLOURS], ["1", "2"], [*COLOURS[::-1]], ["2", "1"]]
    assert [shown for *_, shown in model.asked] == [image, other, image, other]
    assert {text.partition("\n")[0] for text, *_ in model.asked} == {QUESTION, "How many?"}


def test_letters_give_log_probabilities_of_the_options_that_there_are():
    """A model's own shares among the letters, geometric means of the two orders: worked out by hand."""
    model = Fake(scored=lambda text, letter: math.log({"yes": 0.06, "no": 0.02}[line_of(text, letter)]))
    (row,) = ask(model, "letters", [QUESTION], [("yes", "no")], [None])
    assert np.exp(row) == pytest.approx([0.75, 0.25])


def test_options_are_scored_by_their_words_after_the_prompt_in_the_items_order():
    model = Fake(scored=lambda _, option: -float(len(option)))
    assert ask(model, "options", [QUESTION], [COLOURS], ["image"]) == [(-3.0, -10.0, -4.0)]
    assert model.asked == [(prompt(QUESTION, COLOURS), COLOURS, "image")]


@given(st.permutations(COLOURS))
def test_a_prompt_does_not_tell_the_items_order(options):
    assert prompt(QUESTION, options) == prompt(QUESTION, COLOURS)


@pytest.mark.parametrize("text", ["red or blue", "I cannot tell.", "It is not red.", "(D)", ""])
def test_an_answer_that_names_no_option_or_several_is_invalid(text):
    assert ask(Fake(said=lambda _: text), "generate", [QUESTION], [COLOURS], [None]) == [()]


@given(OPTIONS, st.data())
def test_an_answer_in_words_of_its_own_is_all_but_certain(options, data):
    n = data.draw(st.integers(0, len(options) - 1))
    (row,) = ask(Fake(said=lambda _: f"The answer is {options[n]}."), "generate", [QUESTION], [options], ["image"])
    assert chosen(row) == n
    assert np.exp(row).sum() == pytest.approx(1)
    assert row[n] == pytest.approx(math.log(CERTAIN))


def test_a_letter_that_is_generated_counts_in_the_order_that_the_prompt_shows():
    """The prompt has no letters and lists the options by the alphabet; who answers by letter anyway means that list, or nothing."""
    options = ("yes", "no")
    model = Fake(said=lambda _: "A")
    (row,) = ask(model, "generate", [QUESTION], [options], [None])
    (shown, _), *_ = model.asked
    assert "no, yes" in shown
    assert row == () or options[chosen(row)] == "no"


def test_rows_stay_in_the_order_of_the_questions():
    said = {prompt("One?", ("yes", "no")): "no", prompt("Two?", ("a cup", "a dog")): "what?"}
    model = Fake(said=said.__getitem__)
    first, second = ask(model, "generate", ["One?", "Two?"], [("yes", "no"), ("a cup", "a dog")], [1, 2])
    assert (chosen(first), second) == (1, ())
    assert [shown for _, shown in model.asked] == [1, 2]


@pytest.mark.parametrize(("chats", "way"), [(True, "letters"), (False, "options")])
@pytest.mark.parametrize("config", [None, SimpleNamespace()])
def test_a_chat_is_asked_by_letters_and_a_text_goes_on_with_options(chats, way, config):
    assert default_way(Fake(chats=chats, config=config)) == way


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chats", [True, False])
def test_a_models_own_configuration_decides_how_it_is_asked(way, chats):
    assert default_way(Fake(chats=chats, config=SimpleNamespace(ask=way))) == way


@given(OPTIONS)
def test_every_option_has_a_letter_in_the_prompt(options):
    text = lettered(QUESTION, options)
    assert tuple(line_of(text, letter) for letter in LETTERS[: len(options)]) == options
    assert text.endswith(BY_LETTER.rpartition("\n")[2])
