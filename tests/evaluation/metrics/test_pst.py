"""The stress test's figures: nobody who answers from words alone gets a pair."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import BadInput
from pstgen.evaluation.metrics import pst


def test_a_constant_answerer_gets_half_of_the_items_and_no_pair(pairs):
    items = pairs(5)
    figures = pst.score(items, {item.item_id: "red" for item in items}).figures
    assert (figures["item"], figures["pair"]) == (50, 0)
    assert (figures["stress"], figures["control"]) == (100, 0)


@given(st.data())
def test_no_function_of_the_words_gets_a_pair(pairs, data):
    items = pairs(4)
    said = {item.pair_id: data.draw(st.sampled_from(item.options)) for item in items}
    scores = pst.score(items, {item.item_id: said[item.pair_id] for item in items})
    assert scores.figures["pair"] == 0
    assert scores.figures["item"] <= 50


def test_figures_by_family_and_frame_are_worked_out_by_hand(item):
    items = [
        item("a1", "a", "control", "blue"),
        item("a2", "a", "stress", "red"),
        item("b1", "b", "control", "blue", frame="neutral", family="count"),
        item("b2", "b", "stress", "red", frame="neutral", family="count"),
    ]
    scores = pst.score(items, {"a1": "blue", "a2": "red", "b1": "blue", "b2": "blue"})
    assert scores.figures == {
        "item": 75,
        "control": 100,
        "stress": 50,
        "item/colour": 100,
        "item/count": 50,
        "pair": 50,
        "pair/colour": 100,
        "pair/count": 0,
        "pair/leading": 100,
        "pair/neutral": 0,
        "lure_rate": 50,
        "invalid_rate": 0,
    }
    assert scores.per_question == {"a1": 1, "a2": 1, "b1": 1, "b2": 0}


def test_every_twin_of_a_group_has_to_be_right(item):
    group = [item(str(n), answer=answer) for n, answer in enumerate(("red", "green", "blue"))]
    assert pst.score(group, {"0": "red", "1": "green", "2": "red"}).figures["pair"] == 0
    assert pst.score(group, {"0": "red", "1": "green", "2": "blue"}).figures["pair"] == 100


def test_answers_are_read_as_chat_models_write_them_and_what_names_no_option_or_two_is_invalid(item):
    items = [item("1"), item("2"), item("3"), item("4")]
    said = {"1": " Red. ", "2": "The answer is red.", "3": "red or blue", "4": ""}
    figures = pst.score(items, said).figures
    assert figures["item"] == figures["invalid_rate"] == 50


def test_a_flip_is_another_answer_to_the_plain_question_of_framed_items_alone(item):
    items = [item("1"), item("2"), item("3", question="What colour is the cup?")]
    said = {"1": "red", "2": "blue", "3": "red"}
    figures = pst.score(items, said, {"1": "Red", "2": "red", "3": "green"}).figures
    assert figures["flip_rate"] == 50


def test_without_plain_answers_or_framed_items_the_flip_rate_is_absent_with_its_reason(item):
    plain = [item("1", question="What colour is the cup?")]
    assert "not asked" in pst.score([item("1")], {"1": "red"}).absent["flip_rate"]
    assert "framed" in pst.score(plain, {"1": "red"}, {"1": "red"}).absent["flip_rate"]


def test_a_missing_answer_is_refused_and_named(pairs):
    items = pairs(2)
    said = {item.item_id: "red" for item in items[1:]}
    with pytest.raises(BadInput, match=items[0].item_id):
        pst.score(items, said)
    with pytest.raises(BadInput, match="plain question"):
        pst.score(items, said | {items[0].item_id: "red"}, said)
    with pytest.raises(BadInput, match="no items"):
        pst.score([], {})
