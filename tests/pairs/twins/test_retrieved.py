from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.config import build_config
from pstgen.core.records import Fact, Truth
from pstgen.pairs.context import PairContext
from pstgen.pairs.twins import retrieved
from pstgen.questions.priors import count, counts

CONFIG = build_config(min_pull=0.0)


def fact(scene_id, answer, about=("banana",)):
    return Fact(scene_id=f"s/{scene_id}", family="count", form="many", about=about, truth=Truth(answer))


PRIOR = counts.fit(count([fact(n, "1") for n in range(9)] + [fact(99, "2")]))


def pairs(facts, config=CONFIG, prior=PRIOR):
    maker = retrieved.open(PairContext(prior, config, Path()))
    assert list(maker.pair(None, facts)) == []
    return list(maker.rest())


def test_a_pair_is_one_question_two_scenes_two_answers_and_the_lure_is_what_one_expects():
    (pair,) = pairs([fact(1, "1"), fact(2, "3")])
    assert (pair.lure, *(fact.scene_id for fact in pair.facts)) == ("1", "s/2", "s/1")
    assert {"1", "3"} <= set(pair.options)
    assert len(pair.options) == 4
    assert pair.pull > 0


def test_no_pair_without_the_lure_or_without_another_answer():
    assert pairs([fact(1, "2"), fact(2, "3")]) == []
    assert pairs([fact(1, "1"), fact(2, "1")]) == []


def test_a_weak_pull_is_left_out():
    weak = counts.fit(count([fact(n, "1") for n in range(5)] + [fact(n, "2") for n in range(5)]))
    assert pairs([fact(1, "1"), fact(2, "2")], build_config(min_pull=0.2), weak) == []


def test_where_there_are_four_answers_they_make_a_group_in_which_each_option_is_once_the_truth():
    (group,) = pairs([fact(n, str(n)) for n in (1, 2, 3, 4)])
    assert sorted(str(f.truth.answer) for f in group.facts) == sorted(group.options) == ["1", "2", "3", "4"]
    assert group.lure == "1"


@given(st.lists(st.sampled_from("1234"), max_size=60), st.randoms(use_true_random=False))
def test_order_changes_nothing_and_every_fact_serves_once(answers, shuffler: Random):
    facts = [fact(n, answer) for n, answer in enumerate(answers)]
    found = pairs(facts)
    used = [f.scene_id for pair in found for f in pair.facts]
    assert len(used) == len(set(used))
    assert len(found) <= CONFIG.pairs.pairs_per_question
    shuffler.shuffle(facts)
    assert pairs(facts) == found
