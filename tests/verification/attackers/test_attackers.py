"""Every attacker wins where its leak is planted, and wins no pair whose twins share their words."""

import random
from dataclasses import replace

import numpy as np
import pytest

from pstgen.core import plugins
from pstgen.core.config import VerifyConfig
from pstgen.verification import attack
from pstgen.verification.attackers import order
from pstgen.verification.samples import Case, Split

NAMES = [n for n in plugins.names("attackers") if not getattr(plugins.load("attackers", n), "NEEDS", set()) - {"lure"}]
CONFIG = VerifyConfig()
THINGS = ("cup", "dog", "car", "bus", "cow", "kite", "bird", "bowl")


def questions(n, tell):
    """Cases of their own scene and pair; `tell` gives question, options and answer from a random generator."""
    rng = random.Random(0)
    return [Case(f"{k:04}", f"p{k}", f"s{k}", *tell(rng)) for k in range(n)]


def by_word(rng):
    thing = rng.choice(THINGS)
    return f"Is there a {thing} by the tree?", ("yes", "no"), THINGS.index(thing) % 2


def by_two_words(rng):
    a, b = rng.choice((("big", "small"), ("small", "big"))), rng.choice(("cup", "dog"))
    return f"A {a[0]} {b} or a {a[1]} one?", ("yes", "no"), int((a[0] == "big") == (b == "cup"))


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
        ("boosting", by_two_words, 0.9),
        ("nearest", by_word, 0.9),
        ("metadata", by_letter, 0.9),
        ("boosting", by_letter, 0.9),
        ("metadata", by_length, 0.9),
        ("majority", by_frequency, 0.7),
    ],
)
def test_an_attacker_finds_the_leak_that_it_looks_for(name, tell, least):
    reached = attack.attack(questions(300, tell), name, CONFIG)
    assert reached.items.low > least - 0.05
    assert reached.items.share > least


def test_questions_whose_answers_take_turns_are_won_by_their_place_alone():
    told = [Case(f"{k:04}", f"p{k}", f"s{k}", "Is it so?", ("yes", "no"), k % 2) for k in range(200)]
    assert attack.attack(told, "metadata", CONFIG).items.share > 0.9
    assert attack.attack(told, "ngrams", CONFIG).items.share < 0.6


def paired(n):
    """Pairs of one text and two answers, the lure what the words suggest; a coin says which twin comes first."""
    rng = random.Random(1)
    told = []
    for k in range(n):
        question, options, lure = by_word(rng)
        twins = [("stress", 1 - lure), ("control", lure)]
        for n_th, (role, answer) in enumerate(rng.sample(twins, 2)):
            name = f"{k:04}-{'ab'[n_th]}"
            told.append(Case(name, f"p{k}", f"s{2 * k + answer}", question, options, answer, lure, role))
    return told


@pytest.mark.parametrize("name", NAMES)
def test_no_attacker_wins_a_pair_or_more_than_half_of_the_items(name):
    reached = attack.attack(paired(200), name, CONFIG)
    assert reached.pairs.share == 0
    assert reached.items.high <= 0.5
    assert reached.ceiling == 0.5


def test_the_contrarian_wins_yes_or_no_questions_on_stress_twins_alone():
    reached = attack.attack(paired(50), "contrarian", CONFIG)
    assert (reached.stress.share, reached.control.share, reached.items.share) == (1.0, 0.0, 0.5)


def test_one_comma_more_in_one_twin_is_enough_to_win_pairs():
    told = [replace(c, question=c.question + "," * (c.role == "stress")) for c in paired(200)]
    assert attack.attack(told, "metadata", CONFIG).pairs.low > 0.4
    assert attack.attack(told, "ngrams", CONFIG).pairs.share == 0  # its words are letters and digits


def test_a_word_more_in_one_twin_shows_in_pairs_and_in_both_intervals_of_items():
    told = [replace(c, question="Is it?" + " Really?" * (c.role == "stress"), lure=0) for c in paired(200)]
    told = [replace(c, answer=int(c.role == "stress")) for c in told]
    reached = attack.attack(told, "boosting", CONFIG)
    assert reached.pairs.low > 0.9
    assert reached.items.low > 0.9
    assert reached.items.bootstrap_low > 0.9


def test_twins_of_which_the_stress_twin_comes_first_are_told_apart_by_their_order():
    told = sorted(paired(60), key=lambda case: (case.pair, case.role == "control"))
    assert attack.attack(told, "order", CONFIG).pairs.share == 1
    assert attack.attack(told, "metadata", CONFIG).pairs.share == 0


def test_an_order_that_could_be_chance_is_not_gone_by():
    """Nine of twelve pairs have the control twin first: that happens by chance."""
    told = sorted(
        paired(12), key=lambda case: (case.pair, (case.role == "control") == (case.pair in {"p1", "p2", "p3"}))
    )
    first = [case for case in told[::2] if case.role == "control"]
    assert len(first) == 9
    assert attack.attack(told, "order", CONFIG).pairs.share == 0


def test_in_groups_order_gives_one_place_the_lure():
    group = [Case(f"{k}{n}", f"p{k}", f"s{k}{n}", "?", tuple("abcd"), n, 2) for k in range(40) for n in range(4)]
    told = order.attack(group[:120], group[120:], None)
    assert [line.index(1.0) == 2 for line in told] == [case.answer == 2 for case in group[120:]]


def test_an_attacker_that_goes_by_the_lure_is_not_asked_where_there_is_none():
    asked = {reached.attacker for reached in attack.run(questions(40, by_word), CONFIG)}
    assert asked == set(NAMES) - {"lured", "contrarian", "order"}


def test_a_scene_that_is_learnt_and_asked_about_is_an_error_that_names_it(monkeypatch):
    told, sound = paired(40), attack.samples.splits

    def leaky(cases, number, seed):
        first, *rest = sound(cases, number, seed)
        return [Split(np.append(first.learnt, first.asked[:1]), first.asked), *rest]

    monkeypatch.setattr(attack.samples, "splits", leaky)
    with pytest.raises(RuntimeError, match=r"folds leak: pair p\d+, scene s\d+"):
        attack.attack(told, "majority", CONFIG)


def test_it_is_said_how_much_of_the_set_was_learnt_from():
    assert attack.attack(paired(100), "majority", CONFIG).learnt == pytest.approx(0.8, abs=0.02)
    one_scene = [replace(case, scene="the only one") for case in paired(20)]
    assert attack.attack(one_scene, "majority", CONFIG).learnt == 0


def test_the_same_seed_gives_the_same_attack():
    told = paired(60)
    one, other = (attack.figures([attack.attack(told, "boosting", CONFIG)]) for _ in range(2))
    assert one == other
