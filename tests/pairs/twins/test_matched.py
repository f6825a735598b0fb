from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.config import build_config
from pstgen.core.records import Fact, Instance, Region, Scene, Truth
from pstgen.pairs.context import PairContext
from pstgen.pairs.twins import matched
from pstgen.questions.priors import count, counts

CONFIG = build_config()


def fact(scene_id, answer, about=("banana",)):
    return Fact(scene_id=f"s/{scene_id}", family="count", form="many", about=about, truth=Truth(answer))


def prior_of(**bananas):
    """So many bananas, in so many scenes; of other things there are mostly three."""
    seen = [fact(n, answer.strip("n")) for answer, times in bananas.items() for n in range(times)]
    return counts.fit(count([*seen, *[fact(n, "3", ("other",)) for n in range(300)], fact(0, "1", ("other",))]))


PRIOR = prior_of(n1=40, n2=4)


def shows(scene_id, kinds=()):
    things = [Instance(id=n, category=kind, region=Region(x=0, y=0, width=9, height=9), area=81) for n, kind in enumerate(kinds)]  # fmt: skip
    return Scene(id=f"s/{scene_id}", source="", path="", width=99, height=99, instances=tuple(things))


def pairs(facts, config=CONFIG, prior=PRIOR, shown=()):
    """shown: by scene, the kinds that it shows."""
    maker = matched.open(PairContext(prior, config, Path()))
    for known in facts:
        scene_id = known.scene_id.removeprefix("s/")
        assert list(maker.take(maker.look(shows(scene_id, dict(shown).get(scene_id, ())), [known]))) == []
    return list(maker.rest())


def test_a_pair_is_one_question_two_scenes_two_answers_and_the_lure_is_what_the_words_suggest():
    (pair,) = pairs([fact(1, "1"), fact(2, "3")])
    assert (pair.lure, *(fact.scene_id for fact in pair.facts)) == ("1", "s/2", "s/1")
    assert {"1", "3"} <= set(pair.options)
    assert len(pair.options) == 4
    assert pair.pull > 0


def test_the_lure_need_not_be_the_likeliest_answer():
    """There are mostly three of anything; of bananas there are two more often than of other things."""
    prior = prior_of(n2=20, n3=30)
    (pair,) = pairs([fact(1, "2"), fact(2, "3")], prior=prior)
    two, three = prior.expect(pair.control.question, ("2", "3"))
    assert two < three
    assert pair.lure == "2"


def test_no_pair_without_the_lure_or_without_another_answer():
    assert pairs([fact(1, "2"), fact(2, "3")]) == []
    assert pairs([fact(1, "1"), fact(2, "1")]) == []


def test_facts_that_can_give_no_pair_are_not_kept():
    """Their words suggest nothing, or their answer more than the lure."""
    maker = matched.open(PairContext(PRIOR, CONFIG, Path()))
    for known in [fact(1, "1"), fact(2, "3"), fact(3, "1", ("unheard of",))]:
        list(maker.take(maker.look(shows(known.scene_id), [known])))
    kept = [ranked[-1] for shelf in maker.shelves.values() for ranks in shelf.values() for ranked in ranks]
    assert {(known.about, known.truth.answer) for known in kept} == {(("banana",), "1"), (("banana",), "3")}


def test_workers_pass_on_little_more_than_can_be_drawn_and_the_same_pairs_come_of_it_even_if_they_look_again():
    facts = [fact(n, answer) for n, answer in enumerate(["1", "3"] * 240)]
    first, second = (matched.open(PairContext(PRIOR, CONFIG, Path())) for _ in range(2))
    for times in range(2):
        looked = [(first, second)[n % 2].look(shows(n), [each]) for n, each in enumerate(facts)]
        sent = sum(len(matched.DECODER.decode(found.ranked)) for found in looked)
        assert 2 * CONFIG.pairs.pairs_per_question <= sent < len(facts) / (1 + times)
        joined = matched.open(PairContext(PRIOR, CONFIG, Path()))
        assert [list(joined.take(found)) for found in looked] == [[]] * len(facts)
        assert list(joined.rest()) == pairs(facts)


def test_what_was_counted_too_seldom_or_suggests_nothing_surely_is_left_out():
    facts = [fact(1, "1"), fact(2, "3")]
    assert pairs(facts, prior=prior_of(n1=5))
    assert pairs(facts, prior=prior_of(n1=4)) == []
    assert pairs(facts, prior=prior_of(n1=1, n3=300)) == []


def test_a_weak_pull_is_left_out():
    facts = [fact(1, "1"), fact(2, "2")]
    (pair,) = pairs(facts)
    low = pair.associations[pair.options.index("1")].low
    assert pairs(facts, build_config(min_pull=low - 0.01))
    assert pairs(facts, build_config(min_pull=low + 0.01)) == []


def test_where_there_are_four_answers_they_make_a_group_in_which_each_option_is_once_the_truth():
    (group,) = pairs([fact(n, str(n)) for n in (1, 2, 3, 4)])
    assert sorted(str(f.truth.answer) for f in group.facts) == sorted(group.options) == ["1", "2", "3", "4"]
    assert group.lure == "1"


@pytest.mark.parametrize("order", [(2, 3, 4), (4, 3, 2)])
def test_of_several_scenes_the_one_that_shows_most_of_the_same_things_is_the_twin(order):
    shown = {"1": ("banana", "bowl", "knife"), "2": ("banana", "bus"), "3": ("banana", "bowl"), "4": ("banana",)}
    (pair,) = pairs([fact(1, "1"), *(fact(n, "3") for n in order)], shown=shown)
    assert [f.scene_id for f in pair.facts] == ["s/3", "s/1"]


@given(st.lists(st.sampled_from("1234"), max_size=60), st.randoms(use_true_random=False))
def test_order_changes_nothing_and_every_fact_serves_once(answers, shuffler: Random):
    facts = [fact(n, answer) for n, answer in enumerate(answers)]
    found = pairs(facts)
    used = [f.scene_id for pair in found for f in pair.facts]
    assert len(used) == len(set(used))
    assert len(found) <= CONFIG.pairs.pairs_per_question
    assert bool(found) == ("1" in answers and len(set(answers)) > 1)
    shuffler.shuffle(facts)
    assert pairs(facts) == found
