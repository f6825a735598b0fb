"""Promises of the examples that judges learn from."""

from collections import Counter
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pstgen.core import plugins
from pstgen.core.config import build_config
from pstgen.questions import sample
from pstgen.questions.priors import counts

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
SEEDS = st.integers(0, 2**32 - 1)


def drawn_from(tally, seed=0):
    """The examples that a build with that seed draws from what was counted."""
    return sample.examples(tally, counts.fit(tally), build_config(seed=seed))


def plain(items):
    """Those that ask for a fact as it was counted; the others choose among things that were."""
    return [item for item in items if (item.family, item.form) not in sample.CHOSEN]


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
        drawn = counted(plain(drawn_from(tally, seed)))
    assert drawn <= tally
    assert by_family(drawn) == {family: min(most, n) for family, n in by_family(tally).items()}


@settings(max_examples=30, deadline=None)
@given(TALLIES, SEEDS)
def test_where_there_are_fewer_all_are_taken(tally, seed):
    assert counted(plain(drawn_from(tally, seed))) == tally


@settings(max_examples=30, deadline=None)
@given(TALLIES, st.integers(1, 50), SEEDS, st.randoms())
def test_the_same_seed_gives_the_same_examples_in_whatever_order_facts_were_counted(tally, most, seed, rng):
    rows = list(tally.items())
    rng.shuffle(rows)
    with few(most):
        one, other = (drawn_from(told, seed) for told in (tally, Counter(dict(rows))))
    assert one == other


MANY = Counter(dict.fromkeys(ANSWERS, 500))


def test_another_seed_gives_others():
    with few(100):
        one, other = (drawn_from(MANY, seed) for seed in (0, 1))
    assert one != other


def test_frequent_facts_are_drawn_as_often_as_they_were_counted_in_the_mean():
    tally = Counter({(QUESTIONS[2], "1"): 9000, (QUESTIONS[2], "2"): 1000})
    with few(1000):
        drawn = counted(drawn_from(tally, 3))
    assert drawn[QUESTIONS[2], "1"] == pytest.approx(900, abs=40)


def test_the_order_of_examples_says_nothing_of_their_answers():
    tally = Counter({(QUESTIONS[2], "1"): 500, (QUESTIONS[2], "2"): 500})
    answers = [item.answer for item in drawn_from(tally)]
    assert answers[:500].count("1") == pytest.approx(250, abs=60)


def test_the_same_words_get_different_wordings_and_every_example_is_a_whole_item():
    with few(60):
        items = drawn_from(MANY)
    assert len({item.item_id for item in items}) == len(items)
    assert len({item.question for item in items if item.about == ("cup",)}) > 5
    for item in items:
        assert item.answer in item.options
        assert item.lure in item.options
        assert item.question[0].isupper()
        assert "{" not in item.question


def test_the_lure_of_an_example_is_what_its_words_add_most_to():
    """Cups are mostly one, but less mostly than other things are: the word suggests two."""
    dogs = {(QUESTIONS[3], "1"): 500}
    tally = Counter({(QUESTIONS[2], "1"): 60, (QUESTIONS[2], "2"): 40, **dogs})
    lures = {item.about: item.lure for item in drawn_from(tally)}
    assert lures == {("cup",): "2", ("dog",): "1"}


# ------------------------------------------------------------------------------------------------ options that are things


KINDS = ("mouse", "kite", "oven", "sheep", "bed")


@st.composite
def kitchens(draw):
    """How often each kind was there, and was not, given a keyboard; marks were put on some too."""
    numbers = draw(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=5, max_size=5))
    tally = Counter(
        {
            (("existence", "given", (kind, "keyboard")), answer): n
            for kind, both in zip(KINDS, numbers, strict=True)
            for answer, n in zip(("yes", "no"), both, strict=True)
        }
    )
    return tally + Counter({(("pointing", "on", ("mouse", "keyboard")), "yes"): draw(st.integers(0, 2))})


@settings(max_examples=60, deadline=None)
@given(kitchens(), SEEDS)
def test_of_four_things_the_one_that_is_there_was_seen_there_and_the_others_were_seen_not_to_be(tally, seed):
    for item in (item for item in drawn_from(tally, seed) if (item.family, item.form) in sample.CHOSEN):
        assert item.about == ("keyboard",)
        assert item.options == tuple(sorted(set(item.options)))
        assert len(item.options) == sample.OPTIONS
        assert tally[("existence", "given", (item.answer, "keyboard")), "yes"]
        for other in set(item.options) - {item.answer}:
            assert tally[("existence", "given", (other, "keyboard")), "no"]


@settings(max_examples=60, deadline=None)
@given(kitchens(), SEEDS)
def test_every_fact_is_drawn_once_where_there_are_three_others(tally, seed):
    missing = {kind for kind in KINDS if tally[("existence", "given", (kind, "keyboard")), "no"]}
    enough = [kind for kind in KINDS if len(missing - {kind}) >= sample.OPTIONS - 1]
    expected = Counter({kind: tally[("existence", "given", (kind, "keyboard")), "yes"] for kind in enough})
    families = {question[0] for question, _ in tally}
    for family, form in sample.CHOSEN:
        answers = Counter(item.answer for item in drawn_from(tally, seed) if (item.family, item.form) == (family, form))
        assert answers == (+expected if family in families else Counter())


def test_there_are_never_more_choices_than_so_many():
    tally = Counter({(("existence", "given", (kind, "keyboard")), a): 3000 for kind in KINDS for a in ("yes", "no")})
    with few(20):
        assert sum(item.form == "which" for item in drawn_from(tally)) == sample.CHOICES


# ------------------------------------------------------------------------------------------------ learnt and kept back


@settings(max_examples=40, deadline=None)
@given(TALLIES, SEEDS, st.data())
def test_what_is_kept_back_is_no_longer_counted(tally, seed, data):
    items = plain(drawn_from(tally, seed))
    held = data.draw(st.lists(st.sampled_from(range(len(items))), unique=True)) if items else []
    held = [items[n] for n in held]
    before = tally.copy()
    _, rest = sample.without(items, tally, held)
    assert rest + counted(held) == tally == before
    assert all(n > 0 for n in rest.values())


def test_what_was_counted_without_its_context_gives_no_example():
    tally = Counter({(("existence", "given at all", ("mouse",)), "yes"): 90, (QUESTIONS[2], "1"): 3})
    assert {item.family for item in drawn_from(tally)} == {"count"}


def test_nothing_counted_gives_no_example():
    assert drawn_from(Counter()) == []
