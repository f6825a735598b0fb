"""Every attacker wins where its leak is planted, and wins no pair whose twins share their words."""

import random
from dataclasses import replace

import numpy as np
import pytest

from pstgen.core import plugins
from pstgen.core.config import VerifyConfig
from pstgen.verification import attack, attackers
from pstgen.verification.attackers import order
from pstgen.verification.samples import Sample, Split

NAMES = [name for name in plugins.names("attackers") if attackers.needs(name) <= {"lure"}]
CONFIG = VerifyConfig()
THINGS = ("cup", "dog", "car", "bus", "cow", "kite", "bird", "bowl")


def questions(n, tell):
    """Samples of their own scene and pair; `tell` gives question, options and answer from a random generator."""
    rng = random.Random(0)
    return [Sample(f"{k:04}", f"p{k}", f"s{k}", *tell(rng)) for k in range(n)]


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


def by_option(rng):
    """The right option is the one that has a colour, wherever it stands and whatever thing it is."""
    things = rng.sample(THINGS, 4)
    right = rng.randrange(4)
    options = [
        f"a {rng.choice(('red', 'blue'))} {thing}" if n == right else f"a {thing}" for n, thing in enumerate(things)
    ]
    return f"What is by the {rng.choice(('tree', 'house'))}?", tuple(options), right


def by_option_and_question(rng):
    """The bird by a tree, the dog by a house, among things that are never right."""
    place = rng.choice(("tree", "house"))
    options = rng.sample(("bird", "dog", *THINGS[2:4]), 4)
    return f"What is by the {place}?", tuple(options), options.index({"tree": "bird", "house": "dog"}[place])


def by_full_stop(rng):
    """The right option is the one without a full stop, in the same words."""
    right = rng.randrange(2)
    things = rng.sample(THINGS, 2)
    both = (f"A {things[0]} by a {things[1]}", f"A {things[1]} by a {things[0]}")
    return "Which describes it?", tuple(f"{text}{'.' * (n != right)}" for n, text in enumerate(both)), right


def reached(name, samples):
    """What one attacker reaches."""
    return attack.run(name, samples, CONFIG).result


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
        ("options", by_option, 0.9),
        ("options", by_option_and_question, 0.9),
        ("options", by_full_stop, 0.9),
    ],
)
def test_an_attacker_finds_the_leak_that_it_looks_for(name, tell, least):
    result = reached(name, questions(300, tell))
    assert result.items.low > least - 0.05
    assert result.items.share > least


def test_questions_whose_answers_take_turns_are_won_by_their_place_alone():
    samples = [Sample(f"{k:04}", f"p{k}", f"s{k}", "Is it so?", ("yes", "no"), k % 2) for k in range(200)]
    assert reached("rows", samples).items.share > 0.9
    assert reached("metadata", samples).items.share < 0.6
    assert reached("ngrams", samples).items.share < 0.6


def test_twins_whose_answers_take_turns_are_won_by_their_place_alone():
    """As in MMVP: of two questions in the same words, the first option answers the first, the second the second."""
    samples = [
        Sample(f"{k:04}", f"p{k // 2}", f"s{k}", f"Is it {THINGS[k // 2 % 8]}?", ("open", "closed"), k % 2)
        for k in range(200)
    ]
    assert reached("order", samples).pairs.share > 0.9
    assert reached("ngrams", samples).pairs.share == 0


def paired(n):
    """Pairs of one text and two answers, the lure what the words suggest; a coin says which twin comes first."""
    rng = random.Random(1)
    samples = []
    for k in range(n):
        question, options, lure = by_word(rng)
        twins = [("stress", 1 - lure), ("control", lure)]
        for n_th, (role, answer) in enumerate(rng.sample(twins, 2)):
            name = f"{k:04}-{'ab'[n_th]}"
            samples.append(Sample(name, f"p{k}", f"s{2 * k + answer}", question, options, answer, lure, role))
    return samples


@pytest.mark.parametrize("name", NAMES)
def test_no_attacker_wins_a_pair_or_more_than_half_of_the_items(name):
    result = reached(name, paired(200))
    assert result.pairs.share == 0
    assert result.items.high <= 0.5
    assert result.ceiling == 0.5


def test_the_contrarian_wins_yes_or_no_questions_on_stress_twins_alone():
    result = reached("contrarian", paired(50))
    assert (result.stress.share, result.control.share, result.items.share) == (1.0, 0.0, 0.5)


def test_one_comma_more_in_one_twin_is_enough_to_win_pairs():
    samples = [replace(c, question=c.question + "," * (c.role == "stress")) for c in paired(200)]
    assert reached("metadata", samples).pairs.low > 0.4
    assert reached("ngrams", samples).pairs.share == 0  # its words are letters and digits


def test_a_word_more_in_one_twin_shows_in_pairs_and_in_both_intervals_of_items():
    samples = [replace(c, question="Is it?" + " Really?" * (c.role == "stress"), lure=0) for c in paired(200)]
    samples = [replace(c, answer=int(c.role == "stress")) for c in samples]
    result = reached("boosting", samples)
    assert result.pairs.low > 0.9
    assert result.items.low > 0.9
    assert result.items.bootstrap_low > 0.9


def test_twins_of_which_the_stress_twin_comes_first_are_told_apart_by_their_order():
    samples = sorted(paired(60), key=lambda sample: (sample.pair, sample.role == "control"))
    assert reached("order", samples).pairs.share == 1
    assert reached("metadata", samples).pairs.share == 0


def test_an_order_that_could_be_chance_is_not_gone_by():
    """Nine of twelve pairs have the control twin first: that happens by chance."""
    samples = sorted(
        paired(12), key=lambda sample: (sample.pair, (sample.role == "control") == (sample.pair in {"p1", "p2", "p3"}))
    )
    first = [sample for sample in samples[::2] if sample.role == "control"]
    assert len(first) == 9
    assert reached("order", samples).pairs.share == 0


def test_in_groups_order_gives_one_place_the_lure():
    group = [Sample(f"{k}{n}", f"p{k}", f"s{k}{n}", "?", tuple("abcd"), n, 2) for k in range(40) for n in range(4)]
    scores = order.attack(group[:120], group[120:], None)
    assert [row.index(1.0) == 2 for row in scores] == [sample.answer == 2 for sample in group[120:]]


def test_an_attacker_that_goes_by_the_lure_does_not_run_where_there_is_none():
    ran = {run.result.attacker for run in attack.run_all(questions(40, by_word), CONFIG)}
    assert ran == set(NAMES) - {"lured", "contrarian"}


def test_a_scene_in_both_parts_of_a_split_is_an_error_that_names_it(monkeypatch):
    samples, splits = paired(40), attack.splits

    def leaky(samples, number, seed):
        first, *rest = splits(samples, number, seed)
        return [Split(np.append(first.train, first.test[:1]), first.test), *rest]

    monkeypatch.setattr(attack, "splits", leaky)
    with pytest.raises(RuntimeError, match=r"folds leak: pair p\d+, scene s\d+"):
        reached("majority", samples)


def test_a_result_says_how_much_of_the_set_was_trained_on():
    assert reached("majority", paired(100)).train_share == pytest.approx(0.8, abs=0.02)
    one_scene = [replace(sample, scene="the only one") for sample in paired(20)]
    assert reached("majority", one_scene).train_share == 0


def test_the_same_seed_gives_the_same_attack():
    samples = paired(60)
    first, second = (reached("boosting", samples) for _ in range(2))
    assert first == second
