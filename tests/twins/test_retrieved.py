from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pstgen.config import BuildConfig
from pstgen.priors import counts
from pstgen.records import Fact, Truth
from pstgen.twins import retrieved

CONFIG = BuildConfig(min_pull=0.0)


def fact(scene_id, answer, about=("banana",)):
    return Fact(scene_id=f"s/{scene_id}", family="count", form="many", about=about, truth=Truth(answer))


PRIOR = counts.fit([fact(n, "1") for n in range(9)] + [fact(99, "2")])


def pairs(facts, config=CONFIG):
    return list(retrieved.pair(facts, PRIOR, config))


def test_a_pair_is_one_question_two_scenes_two_answers_and_the_lure_is_what_one_expects():
    (pair,) = pairs([fact(1, "1"), fact(2, "3")])
    assert (pair.lure, pair.control.scene_id, pair.stress.scene_id) == ("1", "s/1", "s/2")
    assert {"1", "3"} <= set(pair.options)
    assert len(pair.options) == 4
    assert pair.pull > 0


def test_no_pair_without_the_lure_or_without_another_answer():
    assert pairs([fact(1, "2"), fact(2, "3")]) == []
    assert pairs([fact(1, "1"), fact(2, "1")]) == []


def test_a_weak_pull_is_left_out():
    weak = counts.fit([fact(n, "1") for n in range(5)] + [fact(n, "2") for n in range(5)])
    assert list(retrieved.pair([fact(1, "1"), fact(2, "2")], weak, BuildConfig(min_pull=0.2))) == []


@given(st.lists(st.sampled_from("1234"), max_size=60), st.randoms(use_true_random=False))
def test_order_changes_nothing_and_every_fact_serves_once(answers, shuffler: Random):
    facts = [fact(n, answer) for n, answer in enumerate(answers)]
    found = pairs(facts)
    used = [f.scene_id for pair in found for f in (pair.stress, pair.control)]
    assert len(used) == len(set(used))
    assert len(found) <= CONFIG.pairs_per_question
    shuffler.shuffle(facts)
    assert pairs(facts) == found
