"""Promises of the examples that judges learn from."""

from collections import Counter
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pstgen.core import plugins
from pstgen.core.config import build_config
from pstgen.questions import sample

QUESTIONS = [
    ("existence", "given", ("dog", "cup")),
    ("existence", "given", ("chair", "cup")),
    ("count", "many", ("cup",)),
    ("count", "many", ("dog",)),
    ("relation", "horizontal", ("cup", "dog")),
]
ANSWERS = [
    (question, answer)
    for question in QUESTIONS
    for answer in plugins.load("families", question[0]).answers(*question[1:])
]
TALLIES = st.dictionaries(st.sampled_from(ANSWERS), st.integers(1, 30), max_size=8).map(Counter)
SEEDS = st.integers(-3, 2**40)


def counted(items):
    return Counter(((item.family, item.form, item.about), item.answer) for item in items)


def by_family(tally):
    families = Counter()
    for ((family, *_), _), n in tally.items():
        families[family] += n
    return families


def few(n):
    return patch.object(sample, "EXAMPLES", n)


@settings(max_examples=60, deadline=None)
@given(TALLIES, st.integers(1, 50), SEEDS)
def test_examples_are_drawn_without_replacement_as_many_of_each_family_as_there_may_be(tally, most, seed):
    with few(most):
        drawn = counted(sample.examples(tally, build_config(seed=seed)))
    assert drawn <= tally
    assert by_family(drawn) == {family: min(most, n) for family, n in by_family(tally).items()}


@settings(max_examples=30, deadline=None)
@given(TALLIES, SEEDS)
def test_where_there_are_fewer_all_are_taken(tally, seed):
    assert counted(sample.examples(tally, build_config(seed=seed))) == tally


@settings(max_examples=30, deadline=None)
@given(TALLIES, st.integers(1, 50), SEEDS, st.randoms())
def test_the_same_seed_gives_the_same_examples_in_whatever_order_facts_were_counted(tally, most, seed, rng):
    rows = list(tally.items())
    rng.shuffle(rows)
    with few(most):
        one, other = (sample.examples(told, build_config(seed=seed)) for told in (tally, Counter(dict(rows))))
    assert one == other


MANY = Counter(dict.fromkeys(ANSWERS, 500))


def test_another_seed_gives_others():
    with few(100):
        one, other = (sample.examples(MANY, build_config(seed=seed)) for seed in (0, 1))
    assert one != other


def test_frequent_facts_are_drawn_as_often_as_they_were_counted_in_the_mean():
    tally = Counter({(QUESTIONS[2], "1"): 9000, (QUESTIONS[2], "2"): 1000})
    with few(1000):
        drawn = counted(sample.examples(tally, build_config(seed=3)))
    assert drawn[QUESTIONS[2], "1"] == pytest.approx(900, abs=40)


def test_the_order_of_examples_says_nothing_of_their_answers():
    tally = Counter({(QUESTIONS[2], "1"): 500, (QUESTIONS[2], "2"): 500})
    answers = [item.answer for item in sample.examples(tally, build_config())]
    assert answers[:500].count("1") == pytest.approx(250, abs=60)


def test_the_same_words_get_different_wordings_and_every_example_is_a_whole_item():
    with few(60):
        items = sample.examples(MANY, build_config())
    assert len({item.item_id for item in items}) == len(items)
    assert len({item.question for item in items if item.about == ("cup",)}) > 5
    for item in items:
        assert item.answer in item.options
        assert item.lure in item.options
        assert item.question[0].isupper()
        assert "{" not in item.question


def test_the_lure_of_an_example_is_what_was_counted_most():
    tally = Counter({(QUESTIONS[2], "1"): 5, (QUESTIONS[2], "2"): 90})
    assert {item.lure for item in sample.examples(tally, build_config())} == {"2"}


def test_nothing_counted_gives_no_example():
    assert sample.examples(Counter(), build_config()) == []
