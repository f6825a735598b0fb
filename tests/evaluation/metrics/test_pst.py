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
        "neutral/pairs": 0,
        "neutral/stress": 0,
        "neutral/lure_rate": 100,
        "framed/pairs": 100,
        "framed/stress": 100,
        "framed/lure_rate": 0,
        "lure_rate": 50,
        "invalid_rate": 0,
        "typical/misleading": 100,
        "atypical/misleading": 50,
        "coin/pair": 25,
        "chance/pair": pytest.approx(100 / 9),
    }
    assert scores.per_question == {"a1": 1, "a2": 1, "b1": 1, "b2": 0}


def test_two_by_two_the_scene_is_typical_or_not_and_the_words_mislead_or_not(item):
    """Of framed items alone, asked as they are and by their neutral question; neutral ones are not asked twice."""
    plain = {"frame": "neutral", "question": "What colour is the cup?"}
    items = [
        item("a1", "a", "control", "blue"), item("a2", "a", "stress", "red"),
        item("b1", "b", "control", "blue"), item("b2", "b", "stress", "red"),
        item("c1", "c", "control", "blue", **plain), item("c2", "c", "stress", "red", **plain),
    ]  # fmt: skip
    said = {"a1": "blue", "a2": "blue", "b1": "blue", "b2": "red", "c1": "green", "c2": "green"}
    plainly = {"a1": "blue", "a2": "red", "b1": "green", "b2": "red", "c1": "blue", "c2": "red"}
    figures = pst.score(items, said, plainly).figures
    cells = {name: figures[name] for name in figures if "typical" in name}
    assert cells == {
        "typical/misleading": 100, "atypical/misleading": 50, "typical/neutral": 50, "atypical/neutral": 100,
    }  # fmt: skip


def test_a_cell_that_nobody_answered_is_absent_with_its_reason_and_never_0(item):
    framed = [item("1"), item("2", role="control", answer="blue")]
    said = {"1": "red", "2": "blue"}
    scores = pst.score(framed, said)
    assert "not asked" in scores.absent["typical/neutral"]
    assert "no pair is neutral" in scores.absent["neutral/pairs"]
    assert "typical/neutral" not in scores.figures
    plain = [item("1", frame="neutral", question="What colour is the cup?")]
    assert {"typical/misleading", "framed/pairs"} <= pst.score(plain, {"1": "red"}).absent.keys()


def test_a_coin_for_each_picture_is_said_for_the_sets_own_mix_of_pairs_and_groups(item):
    four = {"options": ("red", "blue", "green", "grey")}
    pair = [item("a1", "a", "control", "blue", **four), item("a2", "a", "stress", "red", **four)]
    group = [item(f"b{n}", "b", "stress", answer, **four) for n, answer in enumerate(four["options"])]
    items = [*pair, *group]
    figures = pst.score(items, {each.item_id: "red" for each in items}).figures
    assert figures["coin/pair"] == pytest.approx(100 * (1 / 4 + 1 / 256) / 2)
    assert figures["chance/pair"] == pytest.approx(100 * (1 / 16 + 1 / 256) / 2)


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
