"""Batches of both stages: packed questions, and what comes in which step."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pstgen.models.huggingface import Model
from pstgen.scenes import pixels
from pstgen.training import batches, modeling, stages
from pstgen.training.batches import IGNORED, Looks, Pace, Pages, Steps, Targets
from pstgen.training.systems import Plan

SIDE, CELLS = 64, 4


@pytest.fixture
def pages(course, vlm):
    """Pages by a plan, with perceptual targets unless told."""
    targets = Targets(CELLS, course.lesson(0).scene.categories, "")

    def of(plan=Plan(), targets=targets, told=(), seed=0, **pace):  # noqa: B008 (frozen)
        pace = Pace(**{"steps": 6, "batch": 4, "questions": 3} | pace)
        return Pages(course, pace, seed, vlm, plan, targets, told)

    return of


@pytest.fixture
def looks(course):
    targets = Targets(CELLS, course.lesson(0).scene.categories, "")
    return lambda *, hidden=False, seed=0: Looks(course, Pace(6, 4, 3), seed, targets, SIDE, hidden=hidden)


@pytest.fixture(params=["eager", "sdpa"])
def model(vlm, request):
    """The small LLaVA with either kind of attention, whose masks differ."""
    vlm.model.set_attn_implementation(request.param)
    yield vlm.model.eval()
    vlm.model.set_attn_implementation("sdpa")


def same(one, other):
    if isinstance(one, dict):
        return set(one) == set(other) and all(same(one[name], other[name]) for name in one)
    return torch.equal(torch.nan_to_num(one.float(), 7e7), torch.nan_to_num(other.float(), 7e7))


def answers(batch, words):
    """The texts that are learnt, part by part."""
    told = []
    for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
        assert (labels[labels != IGNORED] == ids[labels != IGNORED]).all()
        text = words.decode(labels[labels != IGNORED])
        told += [one.strip() for one in text.split(words.eos_token) if one]
    return told


@torch.no_grad()
def cost(model, rows, image=None):
    """The loss of some rows, and how many tokens it is the mean of."""
    batch = batches.pad(rows, 3, np.arange(len(rows[0][0][0]))[None])
    more = {}
    if image is not None:
        *_, passed = modeling.looked(model, {"pixel_values": image.repeat(len(rows), 1, 1, 1)}, CELLS)
        more = {"mm_encoder_outputs": {"image": passed}}
    return stages.words_loss(model, batch, more).item(), int((batch["labels"] != IGNORED).sum())


def weighted(costs):
    losses, counts = zip(*costs, strict=True)
    return float(np.average(losses, weights=counts))


@pytest.mark.parametrize("number", [0, 5])
def test_packed_questions_cost_what_each_costs_alone(pages, model, course, number):
    """One row of all, one row each, or one batch of all those rows: mask and positions let none see another."""
    lesson = course.lesson(number)
    first, *asked = pages()._row(lesson, number, sees=True, rng=np.random.default_rng(0))
    image = torch.from_numpy(batches.look([lesson], SIDE))
    assert len(asked) == 3
    alone = [cost(model, [[first, one]], image) for one in asked]
    assert len({loss for loss, _ in alone}) == 3
    assert cost(model, [[first, *asked]], image)[0] == pytest.approx(weighted(alone), abs=1e-4)
    assert cost(model, [[first, *asked[::-1]]], image)[0] == pytest.approx(weighted(alone), abs=1e-4)
    assert cost(model, [[first, one] for one in asked], image)[0] == pytest.approx(weighted(alone), abs=1e-4)


@pytest.mark.parametrize(
    "captions",
    [0, 2],
)
def test_packed_words_without_an_image_cost_what_each_costs_alone(pages, model, course, captions):
    first, *asked = pages(Plan(sees=False))._row(course.lesson(0), 0, sees=False, rng=np.random.default_rng(0))
    assert len(asked) == 3 + len(course.lesson(0).scene.captions[: batches.CAPTIONS]) == 5
    asked = asked[: 3 + captions]
    alone = [cost(model, [[first, one]]) for one in asked]
    assert cost(model, [[first, *asked]])[0] == pytest.approx(weighted(alone), abs=1e-4)


def plainly(vlm, lesson, asked, *, sees):
    """What Transformers makes of one question and its answer, by the processor's template; and the answer's tokens."""
    content = [{"type": "image"}] * sees + [{"type": "text", "text": asked.question}]
    prompt = vlm.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    text, answer = f"{prompt} {asked.answer}{vlm.words.eos_token}", f" {asked.answer}{vlm.words.eos_token}"
    images = {"images": [pixels.read(lesson.scene.path)]} if sees else {}
    reader = vlm.processor if sees else vlm.words
    told = reader(text=[text], return_tensors="pt", **images)
    return told, len(vlm.words(answer, add_special_tokens=False)["input_ids"])


def test_packed_questions_cost_what_transformers_says_of_the_prompts_that_are_asked_later(pages, model, vlm, course):
    """Training sees the very prompts that the model answers to: the template, the image's place, every position."""
    lesson = course.lesson(1)
    first, *parts = pages()._row(lesson, 1, sees=True, rng=np.random.default_rng(0))
    drawn = np.random.default_rng(0).permutation(len(lesson.asked))[:3]
    costs = []
    for n in drawn:
        told, answer = plainly(vlm, lesson, lesson.asked[n], sees=True)
        labels = told["input_ids"].clone()
        labels[:, :-answer] = IGNORED
        with torch.no_grad():
            costs.append((model(**told, labels=labels).loss.item(), answer))
    image = torch.from_numpy(batches.look([lesson], SIDE))
    assert cost(model, [[first, *parts]], image)[0] == pytest.approx(weighted(costs), abs=1e-4)


@pytest.mark.parametrize(
    "sees",
    [
        True,
        False,
    ],
)
def test_a_question_has_the_tokens_that_it_has_when_it_is_asked(pages, vlm, course, sees):
    lesson = course.lesson(0)
    first, *parts = pages(questions=99)._row(lesson, 0, sees=sees, rng=np.random.default_rng(0))
    drawn = np.random.default_rng(0).permutation(len(lesson.asked))
    for n, part in zip(drawn, parts, strict=False):
        told, _ = plainly(vlm, lesson, lesson.asked[n], sees=sees)
        assert first[0] + part[0] == told["input_ids"][0].tolist()


def test_padding_is_seen_by_nobody_and_not_learnt():
    long, short = [([1, 2], [False] * 2), ([3, 4, 5], [False, True, True])], [([1, 2], [False] * 2), ([6], [True])]
    batch = batches.pad([long, short], 9, np.arange(2)[None])
    assert batch["input_ids"].tolist() == [[1, 2, 3, 4, 5], [1, 2, 6, 9, 9]]
    assert batch["labels"].tolist() == [[IGNORED] * 3 + [4, 5], [IGNORED] * 2 + [6] + [IGNORED] * 2]
    assert not batch["attention_mask"][1, 0, :3, 3:].any()
    assert batch["attention_mask"].any(-1).all()  # an empty row of a softmax is no number


def test_a_part_sees_the_first_and_itself_and_no_other():
    parts = [([1, 2], [False] * 2), ([3, 4], [True] * 2), ([5], [True])]
    batch = batches.pad([parts], 0, np.arange(2)[None])
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 2]]
    assert batch["attention_mask"][0, 0].int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 1, 1, 0],
        [1, 1, 0, 0, 1],
    ]


def test_what_is_learnt_are_the_answers_to_the_questions_in_the_row(pages, vlm, course):
    told, batch = pages(), pages()[0]
    asked = [one.answer for n in told.drawn(0) for one in course.lesson(n).asked]
    learnt = answers(batch, vlm.words)
    assert len(learnt) == 4 * 3
    assert not Counter(learnt) - Counter(asked)
    assert vlm.words.image_token_id not in batch["labels"]


def test_a_chain_is_learnt_before_its_answer(pages, vlm, course):
    steps = pages(Plan(told="chain"))
    asked = {f"{one.chain}; so {one.answer}" for n in steps.drawn(0) for one in course.lesson(n).asked}
    learnt = answers(steps[0], vlm.words)
    assert len(learnt) == 4 * 3
    assert set(learnt) <= asked


def test_what_tools_say_stands_before_the_question(pages, vlm, course):
    steps = pages(Plan(told="tools"), told=[f"Seen: {n} dogs." for n in range(len(course))])
    batch = steps[0]
    for row, n in zip(batch["input_ids"], steps.drawn(0), strict=True):
        assert vlm.words.decode(row).count(f"Seen: {n} dogs. ") == 3


def test_a_step_of_words_alone_is_not_told_what_tools_see(pages, vlm, course):
    batch = pages(Plan(told="tools"), told=["Seen: 2 dogs."] * len(course), blind_every=1)[0]
    assert not any("Seen:" in vlm.words.decode(row) for row in batch["input_ids"])


@pytest.mark.parametrize("step", range(6))
def test_a_batch_is_the_same_whenever_it_is_asked_for(pages, looks, step):
    """Also of another reader that has read nothing else."""
    for make in (
        lambda: pages(blind_every=3),
        lambda: pages(Plan(sees=False)),
        looks,
        lambda: looks(hidden=True),
    ):
        read = make()
        list(map(read.__getitem__, range(6)))
        assert same(read[step], make()[step])


def test_another_step_and_another_seed_have_other_batches(pages, looks):
    assert not same(pages()[0], pages()[3])
    assert not same(pages()[0], pages(seed=1)[0])
    assert not same(looks(hidden=True)[0], looks(hidden=True, seed=1)[0])


@pytest.mark.parametrize("batch", [1, 4, 5])
def test_every_lesson_is_seen_once_an_epoch_in_an_order_that_changes(course, batch):
    steps = Steps(course, Pace(40, batch, 1), 0)
    seen = [n for step in range(40) for n in steps.drawn(step)]
    whole = len(course)
    epochs = [seen[start : start + whole] for start in range(0, len(seen) - whole + 1, whole)]
    assert len(epochs) >= 3
    assert all(sorted(epoch) == list(range(whole)) for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_every_second_step_is_blind_and_tells_captions(pages, vlm, course):
    steps = pages(blind_every=2)
    for n in range(6):
        batch = steps[n]
        blind = n % 2 == 1
        assert ("pixel_values" not in batch) == blind
        assert ("truths" not in batch) == blind
        assert (vlm.words.image_token_id not in batch["input_ids"]) == blind
        captions = {one for k in steps.drawn(n) for one in course.lesson(k).scene.captions[: batches.CAPTIONS]}
        known = {vlm.words.decode(ids[1:]).strip() for ids in map(steps._ids, (f" {one}" for one in captions))}
        assert bool(known & set(answers(batch, vlm.words))) == blind  # all but the first token, that nothing is before
    assert all("pixel_values" in pages()[n] for n in range(6))


def test_whoever_is_asked_without_images_never_gets_one(pages, vlm):
    steps = pages(Plan(sees=False), targets=None)
    for n in range(6):
        assert not {"pixel_values", "truths"} & set(steps[n])
        assert vlm.words.image_token_id not in steps[n]["input_ids"]


def test_a_plan_without_a_reward_has_no_targets_in_its_batches(pages):
    assert "truths" not in pages(targets=None)[0]
    assert "pixel_values" in pages(targets=None)[0]


def test_pixels_are_those_that_the_processor_gives(pages, vlm, course):
    steps = pages()
    shown = [pixels.read(course.lesson(n).scene.path) for n in steps.drawn(2)]
    given = vlm.processor.image_processor(shown, return_tensors="pt")["pixel_values"]
    assert torch.allclose(steps[2]["pixel_values"], given, atol=1e-5)


def test_pixels_are_those_that_the_users_own_model_was_trained_on(tiny_llava, course):
    """CLIP's, as LLaVA-1.5 has: another mean and another spread."""
    own = Model(str(tiny_llava), "cpu")
    steps = Pages(course, Pace(1, 2, 1), 0, modeling.Vlm(own.model, own.processor, 4, 32), Plan(), None)
    shown = [pixels.read(course.lesson(n).scene.path) for n in steps.drawn(0)]
    given = own.processor.image_processor(shown, return_tensors="pt")["pixel_values"]
    assert torch.allclose(steps[0]["pixel_values"], given, atol=0.2)


def test_both_stages_of_the_small_model_get_the_same_pixels(looks, vlm, course):
    shown = [pixels.read(course.lesson(n).scene.path) for n in looks().drawn(0)]
    assert torch.allclose(looks()[0]["pixel_values"], vlm.looks(shown)["pixel_values"], atol=1e-5)


def test_what_is_hidden_is_grey_and_the_rest_is_the_image(looks):
    batch, shown = looks(hidden=True)[1], looks()[1]["pixel_values"]
    assert torch.equal(batch["whole"], shown)
    covered = batch["covered"].reshape(-1, CELLS, CELLS)
    assert covered.float().mean() == pytest.approx(batches.MASKED, abs=0.15)
    patches = batch["pixel_values"].unfold(2, 16, 16).unfold(3, 16, 16).permute(0, 2, 3, 1, 4, 5)
    whole = batch["whole"].unfold(2, 16, 16).unfold(3, 16, 16).permute(0, 2, 3, 1, 4, 5)
    assert not patches[covered].any()
    assert torch.equal(patches[~covered], whole[~covered])


def test_a_picture_of_another_size_is_made_to_fit(course, tmp_path):
    import cv2

    cv2.imwrite(str(tmp_path / "wide.png"), np.full((30, 90, 3), (0, 0, 255), np.uint8))
    lesson = course.lesson(0)
    wide = type(lesson)(replace(lesson.scene, path=str(Path(tmp_path / "wide.png"))), lesson.asked)
    shown = batches.look([wide, lesson], SIDE)
    assert shown.shape == (2, 3, SIDE, SIDE)
    assert shown.dtype == np.float32
    assert (shown[0].reshape(3, -1) == [[1], [-1], [-1]]).all()
