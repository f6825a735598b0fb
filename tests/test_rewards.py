"""Rewards give what they promise, for texts and for turns, and nothing for what they cannot judge."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from pstgen import rewards
from pstgen.core.records import BadInput

OPTIONS = ["red", "blue"]
CHAIN = "red cup at (0, 0, 10, 10); so red"
EVERY = [rewards.answer, rewards.pair_gate, rewards.chain, rewards.iou, rewards.point_in_mask, rewards.format]


def columns(*items, twins=2):
    """Columns of rows named "p-a" and so on; the first twin's answer is red, the others' blue."""
    return {
        "item_id": list(items),
        "pair_id": [item.split("-")[0] for item in items],
        "answer": ["red" if item.endswith("a") else "blue" for item in items],
        "options": [OPTIONS] * len(items),
        "twins": [twins] * len(items),
        "chain": [CHAIN] * len(items),
        "boxes": [[[0, 0, 10, 10]]] * len(items),
        "mask": [encoded(np.eye(2))] * len(items),
    }


def encoded(mask):
    code = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {"size": list(code["size"]), "counts": code["counts"].decode()}


def said(text):
    return [{"role": "assistant", "content": text}]


@pytest.mark.parametrize("reward", EVERY)
def test_a_text_and_the_same_text_as_a_turn_are_worth_the_same(reward):
    texts = [f"<think>{CHAIN} (0, 0)</think><answer>red</answer>", "blue [0, 0, 10, 5] (1, 0)", ""]
    given_columns = columns("p-a", "p-b", "q-a")
    assert reward(None, texts, **given_columns) == reward(None, [said(text) for text in texts], **given_columns)
    parts = [said([{"type": "text", "text": text}]) for text in texts]
    assert reward(None, texts, **given_columns) == reward(None, parts, **given_columns)


@pytest.mark.parametrize("reward", EVERY)
def test_every_reward_is_a_share_or_none_for_each_completion_and_ignores_what_it_is_given_beside(reward):
    texts = ["red", "blue", "so red", "<think>", "(1e9, -3)", "[9, 9, 0, 0]"]
    more = {"trainer_state": object(), "completion_ids": [[1]] * 6, "log_metric": print}
    given_rewards = reward(texts, texts, **columns(*["p-a", "p-b"] * 3), **more)
    assert len(given_rewards) == 6
    assert all(value is None or 0 <= value <= 1 for value in given_rewards)


def test_an_answer_is_read_after_the_thought_and_in_its_tags():
    texts = [
        "<think>blue? no</think>Red.",
        "<think>It is <answer>red</answer></think><answer>blue</answer>",
        "<think>red",
        "red or blue",
        "The answer is red",
    ]
    assert rewards.answer(None, texts, **columns(*["p-a"] * 5)) == [1, 0, 0, 0, 1]


def test_of_a_chain_its_end_is_the_answer_whatever_it_names_before():
    chain = "red cup at (1, 2, 3, 4); blue dog at (3, 2, 1, 4); that makes 2 things; so blue"
    assert rewards.answer(None, [chain, f"{chain}\nAnswer: red"], **columns("p-b", "p-b")) == [1, 0]
    assert rewards.answer(None, ["cup at (1, 2, 3, 4); so 2"], answer=["2"], options=[["1", "2", "3"]]) == [1]


@settings(deadline=None)  # the first example imports SciPy
@given(
    st.lists(
        st.sampled_from(
            ["[", "]", "(", ")", ", ", "9" * 400, "-1", "0.5", " at ", "; so ", "<think>", "</answer>", "\n"]
        )
    )
)
def test_no_text_of_a_model_stops_the_training(pieces):
    for reward in EVERY:
        (value,) = reward(None, ["".join(pieces)], **columns("p-a"))
        assert value is None or 0 <= value <= 1


def test_a_letter_is_an_answer_only_where_the_prompt_has_letters():
    lettered = [{"role": "user", "content": "What colour?\nA. red\nB. blue\nAnswer with the option's letter."}]
    plain = [{"role": "user", "content": "What colour? Answer with one of: blue, red."}]
    assert rewards.answer([lettered, plain], ["A", "A"], **columns("p-a", "p-a")) == [1, 0]


def test_a_pair_is_won_only_where_all_twins_are_right():
    given_columns = columns("p-a", "p-b", "q-a", "q-b")
    assert rewards.pair_gate(None, ["red", "blue", "red", "red"], **given_columns) == [1, 1, 0, 0]


def test_whoever_gives_all_twins_one_answer_wins_nothing():
    given_columns = columns("p-a", "p-b", "q-a", "q-b")
    assert rewards.pair_gate(None, ["red"] * 4, **given_columns) == [0] * 4
    assert sum(rewards.answer(None, ["red"] * 4, **given_columns)) == 2


def test_of_several_completions_the_first_is_held_against_the_first_about_the_twin():
    items = ["p-a", "p-a", "p-b", "p-b"]
    assert rewards.pair_gate(None, ["red", "blue", "blue", "blue"], **columns(*items)) == [1, 0, 1, 0]


def test_without_a_twin_in_the_batch_the_gate_says_nothing():
    assert rewards.pair_gate(None, ["red", "red", "blue"], **columns("p-a", "q-a", "q-b")) == [None, 1, 1]
    assert rewards.pair_gate(None, ["red", "blue"], **columns("p-a", "p-b", twins=3)) == [None, None]
    assert rewards.pair_gate(None, ["red", "red", "blue"], **columns("p-a", "p-a", "p-b")) == [1, None, 1]


@given(st.integers(0, 99), st.integers(1, 4))
def test_the_gate_is_the_same_in_whatever_order_items_stand(seed, tries):
    rng = random.Random(seed)
    items = [item for item in ("p-a", "p-b", "q-a", "q-b") for _ in range(tries)]
    texts = [rng.choice(OPTIONS) for _ in items]
    order = sorted(range(len(items)), key=lambda n: (rng.random(), n))
    order.sort(key=lambda n: n % tries)  # completions about one item keep their order
    shuffled = rewards.pair_gate(None, [texts[n] for n in order], **columns(*[items[n] for n in order]))
    plain = rewards.pair_gate(None, texts, **columns(*items))
    assert [shuffled[order.index(n)] for n in range(len(items))] == plain


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        (CHAIN, 1),
        (f"<think>{CHAIN}</think><answer>red</answer>", 1),
        (f"Let me see.\n{CHAIN}\nred", 1),
        ("blue cup at (0, 0, 10, 10); so blue", 0.5),
        ("red cup at (50, 50, 10, 10); so red", 0.5),
        ("red cup at (0, 0, 10, 5); so red", 0.75),
        ("It is red.", 0),
    ],
)
def test_half_of_a_chain_is_its_names_and_half_its_boxes(text, worth):
    assert rewards.chain(None, [text], **columns("p-a")) == [worth]


def test_the_chain_of_an_absence_is_its_name_alone_and_no_chain_gives_no_reward():
    absent = "no cup anywhere; so no"
    assert rewards.chain(None, [absent, CHAIN, CHAIN], chain=[absent, absent, ""]) == [1, 0, None]


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("[0, 0, 10, 10]", 1),
        ("cup at (0, 0, 10, 10)", 1),
        ("[0, 0, 10, 5] and [90, 90, 99, 99]", 0.25),
        ("[10, 10, 0, 0]", 0),
    ],
)
def test_boxes_are_corners_in_brackets_or_sides_after_at(text, worth):
    assert rewards.iou(None, [text], **columns("p-a")) == [worth]


def test_coordinates_of_a_models_own_are_brought_to_pixels():
    size = {"width": [20], "height": [40], "boxes": [[[0, 0, 10, 10]]]}
    assert rewards.iou(None, ["[0, 0, 500, 250]"], scale=1000, **size) == [1]
    mask = {"mask": [encoded(np.array([[0, 0], [0, 1]]))]}
    assert rewards.point_in_mask(None, ["(900, 900)"], scale=1000, **mask) == [1]


def test_an_absence_has_no_box_and_no_mask():
    assert (
        rewards.iou(None, ["[0, 0, 1, 1]"], boxes=[[]])
        == rewards.point_in_mask(None, ["(0, 0)"], mask=[None])
        == [None]
    )


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_a_point_is_in_the_mask_where_pycocotools_decodes_it_so(height, width, seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((height, width)) < rng.random()
    x, y = int(rng.integers(width)), int(rng.integers(height))
    assert rewards.point_in_mask(None, [f"({x}.9, {y}.2)"], mask=[encoded(mask)]) == [float(mask[y, x])]


def test_naming_every_point_earns_only_the_masks_share():
    everywhere = " ".join(f"({x}, {y})" for x in range(2) for y in range(2))
    assert rewards.point_in_mask(None, [everywhere, "(5, 5)", "nowhere"], **columns("p-a", "p-a", "p-a")) == [0.5, 0, 0]


@pytest.mark.parametrize(
    "text",
    [
        "red",
        "<think></think><answer>red</answer>",
        "<answer>red</answer><think>x</think>",
        "<think>x</think>red",
        "<think>x</think><answer>red</answer><answer>blue</answer>",
        "Well: <think>x</think><answer>red</answer>",
    ],
)
def test_what_is_not_a_thought_and_then_an_answer_has_no_format(text):
    assert rewards.format(None, [text, "<think>x</think>\n<answer>red</answer>\n"]) == [0, 1]


@pytest.mark.parametrize(
    ("reward", "missing"), [(rewards.answer, "options"), (rewards.pair_gate, "pair_id"), (rewards.iou, "boxes")]
)
def test_a_missing_column_is_named_with_the_remedy(reward, missing):
    given_columns = {name: cells for name, cells in columns("p-a").items() if name != missing}
    with pytest.raises(BadInput, match=rf"`{missing}`.*trl-grpo"):
        reward(None, ["red"], **given_columns)
    with pytest.raises(BadInput, match=r"2 values for 1"):
        reward(None, ["red"], **columns("p-a", "p-b"))


def test_verls_score_reads_a_sentence_where_it_knows_the_options():
    assert rewards.score("pstgen", "It is red.", "red", {"options": np.array(OPTIONS, object)}) == 1
    assert rewards.score("pstgen", "red or blue", "red", {"options": OPTIONS}) == 0
    assert rewards.score("pstgen", "<think>blue</think> <answer> Red.</answer>", "red") == 1
    assert rewards.score("pstgen", "red or blue", "red") == 0


def test_pairs_are_shuffled_and_twins_stay_together():
    pairs = [f"p{n}" for n in range(50) for _ in range(2)]
    order = rewards.pair_order(pairs, seed=1)
    assert sorted(order) == list(range(100))
    assert all(pairs[order[n]] == pairs[order[n + 1]] for n in range(0, 100, 2))
    assert order != sorted(order)
    assert order == rewards.pair_order(pairs, seed=1) != rewards.pair_order(pairs, seed=2)
