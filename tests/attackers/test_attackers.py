"""Every attacker wins where its leak is planted, and wins no pair whose twins share their words."""

import random

import pytest

from pstgen import attack, plugins
from pstgen.cases import Case
from pstgen.config import VerifyConfig

NAMES = plugins.names("attackers")
CONFIG = VerifyConfig()
THINGS = ("cup", "dog", "car", "bus", "cow", "kite", "bird", "bowl")


def questions(n, tell):
    """Cases of their own scene and pair; `tell` gives question, options and answer from a random generator."""
    rng = random.Random(0)
    return [Case(f"{k:04}", f"p{k}", f"s{k}", *tell(rng)) for k in range(n)]


def by_word(rng):
    thing = rng.choice(THINGS)
    return f"Is there a {thing} by the tree?", ("yes", "no"), THINGS.index(thing) % 2


def by_letter(rng):
    options = rng.sample(THINGS, 4)
    return "Which one is it?", tuple(options), 2


def by_length(rng):
    right = rng.randrange(2)
    return "Is it so" + ", then," * (3 * right) + "?", ("yes", "no"), right


def by_frequency(rng):
    return f"Is there a {rng.choice(THINGS)}?", ("yes", "no"), int(rng.random() < 0.2)


@pytest.mark.parametrize(
    ("name", "tell", "least"),
    [
        ("ngrams", by_word, 0.9),
        ("boosting", by_word, 0.9),
        ("nearest", by_word, 0.9),
        ("metadata", by_letter, 0.9),
        ("boosting", by_letter, 0.9),
        ("metadata", by_length, 0.9),
        ("majority", by_frequency, 0.7),
    ],
)
def test_an_attacker_finds_the_leak_that_it_looks_for(name, tell, least):
    told = questions(300, tell)
    assert attack.reach(name, told, attack.attack(told, name, CONFIG), 0.95).items > least


def paired(n):
    """Pairs of one text and two answers, the lure what the words suggest."""
    rng = random.Random(1)
    told = []
    for k in range(n):
        question, options, lure = by_word(rng)
        for role, answer in (("stress", 1 - lure), ("control", lure)):
            told.append(Case(f"{k:04}-{role}", f"p{k}", f"s{2 * k + answer}", question, options, answer, lure, role))
    return told


@pytest.mark.parametrize("name", NAMES)
def test_no_attacker_wins_a_pair_or_more_than_half_of_the_items(name):
    told = paired(200)
    reached = attack.reach(name, told, attack.attack(told, name, CONFIG), 0.95)
    assert reached.pairs == 0
    assert reached.items_high <= 0.5
    assert reached.ceiling == 0.5


def test_the_contrarian_wins_yes_or_no_questions_on_stress_twins_alone():
    told = paired(50)
    reached = attack.reach("contrarian", told, attack.attack(told, "contrarian", CONFIG), 0.95)
    assert (reached.stress, reached.control, reached.items) == (1.0, 0.0, 0.5)


def test_one_comma_more_in_one_twin_is_enough_for_a_classifier_to_win_pairs():
    told = [
        Case(c.name, c.pair, c.scene, c.question + "," * (c.role == "stress"), c.options, c.answer, c.lure, c.role)
        for c in paired(200)
    ]
    assert attack.reach("metadata", told, attack.attack(told, "metadata", CONFIG), 0.95).pairs > 0.5
