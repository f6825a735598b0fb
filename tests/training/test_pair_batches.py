"""Training pairs: one question, two scenes, two answers; and the batches of stage 3 that are made of them."""

import msgspec
import numpy as np
import pytest
import torch

from pstgen.core.records import BadInput
from pstgen.scenes import pixels
from pstgen.training import pair_batches
from pstgen.training.batches import PackedBatches, StepPlan
from pstgen.training.examples import FILE, Examples
from pstgen.training.pair_batches import PairBatches, TrainingPairs
from pstgen.training.systems import Plan

MANY = 60
GATED = Plan(after="perceptual_reward", gate="pair")


@pytest.fixture(scope="module")
def lessons(paired):
    return Examples(paired.examples)


@pytest.fixture(scope="module")
def pairs(lessons):
    return TrainingPairs(lessons, 0)


@pytest.fixture
def batches(pairs, lessons, vlm):
    """Batches of a plan: two pairs, and four examples where they are of words alone."""

    def of(plan=GATED, blind_every=0):
        words = PackedBatches(lessons, StepPlan(9, 4, 3), 0, vlm, Plan(sees=False), None)
        return PairBatches(pairs, StepPlan(9, 2, 1, blind_every), vlm, plan, words)

    return of


def key(question):
    return question.family, question.form, question.about


def test_twins_share_their_words_and_options_and_have_two_answers_in_two_scenes(pairs, lessons):
    for n in range(MANY):
        first, second = pairs.draw(n)
        assert first.question.text == second.question.text
        assert first.question.options == second.question.options
        assert first.question.answer != second.question.answer
        assert {first.question.answer, second.question.answer} <= set(first.question.options)
        assert first.place[0] != second.place[0]
        for twin in (first, second):
            own = lessons[twin.place[0]].questions[twin.place[1]]
            assert (key(twin.question), twin.question.answer, twin.question.chain) == (key(own), own.answer, own.chain)
            assert pairs.scene(twin).id == lessons[twin.place[0]].scene.id


def test_families_take_turns(pairs):
    families = [pairs.draw(n)[0].question.family for n in range(MANY)]
    different = len(set(families))
    assert different > 1
    assert families == families[:different] * (MANY // different)


def test_a_pair_is_the_same_whenever_it_is_drawn_and_another_seed_draws_others(pairs, lessons):
    again, other = TrainingPairs(lessons, 0), TrainingPairs(lessons, 1)
    assert [pairs.draw(n) for n in range(9)] == [again.draw(n) for n in range(9)]
    assert [pairs.draw(n) for n in range(9)] != [other.draw(n) for n in range(9)]


def test_no_two_pairs_share_a_name(pairs):
    twins = [twin for n in range(MANY) for twin in pairs.draw(n)]
    assert len({twin.item_id for twin in twins}) == 2 * MANY
    assert len({twin.pair_id for twin in twins}) == MANY


def test_where_no_question_has_two_answers_there_are_no_pairs_and_what_to_do_is_said(lessons, tmp_path):
    (tmp_path / FILE).write_bytes(msgspec.json.encode(lessons[0]) + b"\n")
    with pytest.raises(BadInput, match=r"lessons\.jsonl.*more scenes"):
        TrainingPairs(Examples(tmp_path), 0)
    first, second = TrainingPairs(Examples(tmp_path), 0, differ=False).draw(0)
    assert first == second


def test_questions_about_a_marked_point_are_not_paired(lessons, tmp_path):
    """Their form is empty: the point is in one image alone."""
    lines = []
    for example in lessons:
        questions = [msgspec.structs.replace(question, form="", about=()) for question in example.questions]
        lines.append(msgspec.json.encode(msgspec.structs.replace(example, questions=tuple(questions))))
    (tmp_path / FILE).write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(BadInput, match="no training pairs"):
        TrainingPairs(Examples(tmp_path), 0)


def test_a_random_answer_is_an_option_and_stays_the_same_and_is_right_by_chance(pairs):
    twins = [twin for n in range(3 * MANY) for twin in pairs.draw(n)]
    drawn = [pairs.with_random_answer(twin) for twin in twins]
    assert all(twin.question.answer in twin.question.options for twin in drawn)
    assert drawn == [pairs.with_random_answer(twin) for twin in twins]
    right = [a.question.answer == b.question.answer for a, b in zip(twins, drawn, strict=True)]
    assert 0.2 < np.mean(right) < 0.6  # two to four options


def test_a_batch_holds_the_images_of_its_twins_side_by_side(batches, vlm, lessons):
    made = batches()
    for step in (0, 4):
        batch = made[step]
        images = [pixels.read(lessons[twin.place[0]].scene.path) for twin in batch["twins"]]
        assert torch.equal(batch["pixel_values"], vlm.image_inputs(images)["pixel_values"])
        assert [twin.pair_id for twin in batch["twins"]] == [
            str(2 * step),
            str(2 * step),
            str(2 * step + 1),
            str(2 * step + 1),
        ]
        assert made.scenes(step) == [lessons[twin.place[0]].scene.id for twin in batch["twins"]]
        assert made.kind(step) == "seeing"


def test_a_system_that_never_sees_is_asked_the_same_about_flat_images(batches):
    seeing, blind = batches()[0], batches(Plan(after="perceptual_reward", gate="pair", sees=False))[0]
    assert blind["twins"] == seeing["twins"]
    assert blind["pixel_values"].shape == seeing["pixel_values"].shape
    assert blind["pixel_values"].std() == pytest.approx(0, abs=1e-6)
    assert seeing["pixel_values"].std() > 0.1


def test_random_targets_change_answers_and_nothing_else(batches):
    true, random = (
        batches(Plan(after="perceptual_reward", gate="pair", corruption=kind))[1]["twins"] for kind in ("", "random")
    )
    assert [twin.place for twin in true] == [twin.place for twin in random]
    assert [twin.question.text for twin in true] == [twin.question.text for twin in random]


def test_every_so_many_steps_are_of_words_alone(batches):
    made = batches(blind_every=3)
    assert [made.kind(step) for step in range(6)] == ["seeing", "seeing", "blind"] * 2
    batch = made[2]
    assert "twins" not in batch
    assert "pixel_values" not in batch
    assert (batch["labels"] != -100).any()
    assert len(batch["input_ids"]) == 4
    assert made.scenes(2) == made.words.scenes(2)


def test_a_blank_image_is_flat_and_of_the_same_size():
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert pair_batches.blank(image).shape == image.shape
    assert len(np.unique(pair_batches.blank(image))) == 1
