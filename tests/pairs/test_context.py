"""What the words suggest, and how facts with one question become a candidate."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.config import build_config
from pstgen.core.records import Association, Fact, Truth
from pstgen.pairs.context import LEAST, MOST_OPTIONS, PairContext, candidate
from pstgen.questions.priors import counts

NUMBERS = ("1", "2", "3", "4", "5", "6")
QUESTION = ("count", "many", ("cup",))


def fact(answer, scene_id="world/1"):
    return Fact(scene_id=scene_id, family="count", form="many", about=("cup",), truth=Truth(answer))


def added(values):
    return {answer: Association(value, value - 1, value + 1, 50) for answer, value in zip(NUMBERS, values, strict=True)}


VALUES = st.lists(st.integers(-9, 9), min_size=6, max_size=6)
ANSWERS = st.lists(st.sampled_from(NUMBERS), min_size=2, max_size=4, unique=True)


@given(VALUES, ANSWERS)
def test_a_candidate_offers_every_twins_answer_in_natural_order_and_what_the_words_add_to_each(values, answers):
    control, *stress = (fact(answer, f"world/{answer}") for answer in answers)
    table = added(values)
    pair = candidate(control, stress, table)
    weaker = [a for a in NUMBERS if table[a].value < table[answers[0]].value]
    assert (pair is not None) == (set(answers[1:]) <= set(weaker))
    if pair:
        assert set(answers) <= set(pair.options) <= {answers[0], *weaker}
        assert len(pair.options) == min(MOST_OPTIONS, 1 + len(weaker))
        assert pair.options == tuple(sorted(pair.options))
        assert pair.associations == tuple(table[option] for option in pair.options)
        assert (pair.lure, pair.pull) == (answers[0], max(each.value for each in pair.associations))


def test_the_other_options_are_those_that_one_expects_most_after_the_lure():
    pair = candidate(fact("2"), [fact("6", "world/6")], added((1, 5, 3, 2, 0, -1)))
    assert pair.options == ("2", "3", "4", "6")


@given(VALUES, ANSWERS)
def test_a_pair_is_named_by_its_question_its_options_and_its_scenes(values, answers):
    control, *stress = (fact(answer, f"world/{answer}") for answer in answers)
    elsewhere = [fact(answer, f"world/1{answer}") for answer in answers]
    pair, again, other = (
        candidate(first, rest, added(values))
        for first, rest in ((control, stress), (control, stress), (elsewhere[0], elsewhere[1:]))
    )
    assert pair == again
    if pair:
        assert pair.pair_id != other.pair_id
        assert pair.pair_id.startswith("count-")


def test_of_the_same_scenes_another_lure_is_another_pair():
    """Where the answers are things, one question about two scenes may have several lures."""
    control, stress = fact("1"), [fact("2", "world/2")]
    one, other = (candidate(control, stress, added(values)) for values in ((5, 0, 4, 3, 2, 1), (5, 0, 1, 2, 3, 4)))
    assert one.options != other.options
    assert one.pair_id != other.pair_id


@pytest.fixture
def suggests(tmp_path):
    """The lure of a question of which each answer was given so often, where others mostly had the answer 6."""

    def lure(*times, **settings):
        tally = {(QUESTION, answer): n for answer, n in zip(NUMBERS, times, strict=False) if n}
        fitted = counts.fit({**tally, (("count", "many", ("dog",)), "6"): 1000})
        context = PairContext(fitted, build_config(**settings), Path(tmp_path))
        associations = context.associations(QUESTION)
        assert tuple(associations) == NUMBERS
        return context.lure(associations)

    return lure


def test_the_lure_is_what_the_words_suggest_most_surely(suggests):
    assert suggests(60, 5) == "1"
    assert suggests(5, 60) == "2"


def test_there_is_no_lure_where_the_words_suggest_nothing(suggests):
    assert suggests(0, 0, 0, 0, 0, 500) is None
    assert suggests() is None


def test_a_few_observations_make_nobody_expect_anything(suggests):
    assert suggests(LEAST) == "1"
    assert suggests(LEAST - 1) is None


def test_a_larger_pull_may_be_asked_for(suggests):
    assert suggests(60, min_pull=1.0) == "1"
    assert suggests(60, min_pull=20.0) is None


def test_what_is_offered_may_be_fewer_answers(tmp_path):
    fitted = counts.fit({(QUESTION, "1"): 40, (("count", "many", ("dog",)), "6"): 1000})
    context = PairContext(fitted, build_config(), tmp_path)
    assert list(context.associations(QUESTION, ("2", "1"))) == ["2", "1"]
    assert context.associations(QUESTION, ("1",))["1"] == context.associations(QUESTION)["1"]
