"""Batches of both stages: packed questions, and what comes in which step."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import BadInput
from pstgen.models.huggingface import Model
from pstgen.models.perceptual_losses import UNKNOWN, PerceptionHeads
from pstgen.models.tools import encoder_pixels
from pstgen.scenes import pixels
from pstgen.training import batches, grid_targets, joint_stage, modeling, stages
from pstgen.training.batches import IGNORED, EncoderBatches, ExampleBatches, PackedBatches, StepPlan, TargetBuilder
from pstgen.training.examples import is_labelled
from pstgen.training.systems import Plan

SIDE, CELLS = 64, 4


@pytest.fixture
def packed(examples, vlm):
    """PackedBatches of a system, with perceptual targets by default."""
    builder = TargetBuilder(CELLS, examples[0].scene.categories, "")

    def make(system=Plan(), targets=builder, descriptions=(), seed=0, **changes):  # noqa: B008 (frozen)
        plan = StepPlan(**{"steps": 6, "batch": 4, "questions": 3} | changes)
        return PackedBatches(examples, plan, seed, vlm, system, targets, descriptions)

    return make


@pytest.fixture
def encoder_batches(examples):
    targets = TargetBuilder(CELLS, examples[0].scene.categories, "")
    return lambda *, masked=False, seed=0: EncoderBatches(
        examples, StepPlan(6, 4, 3), seed, targets, SIDE, masked=masked
    )


@pytest.fixture(params=["eager", "sdpa"])
def model(vlm, request):
    """The small LLaVA with either kind of attention, whose masks differ."""
    vlm.model.set_attn_implementation(request.param)
    yield vlm.model.eval()
    vlm.model.set_attn_implementation("sdpa")


def same(a, b):
    if isinstance(a, dict):
        return set(a) == set(b) and all(same(a[name], b[name]) for name in a)
    return torch.equal(torch.nan_to_num(a.float(), 7e7), torch.nan_to_num(b.float(), 7e7))


def learnt_texts(batch, tokenizer):
    """The texts that are learnt, part by part."""
    texts = []
    for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
        assert (labels[labels != IGNORED] == ids[labels != IGNORED]).all()
        text = tokenizer.decode(labels[labels != IGNORED])
        texts += [part.strip() for part in text.split(tokenizer.eos_token) if part]
    return texts


def row_of(packed, number, *, sees):
    """What stands before every question of an example, and its parts, drawn with the seed 0."""
    begin = packed.packer._template(with_image=sees).begin
    parts = packed._row(packed.examples[number], number, sees=sees, rng=np.random.default_rng(0))
    return (begin, [False] * len(begin)), *parts


@torch.no_grad()
def cost(model, rows, image=None):
    """The loss of these rows, and how many tokens it is the mean of."""
    batch, output = batches.pad(rows, 3, np.arange(len(rows[0][0][0]))[None]), None
    if image is not None:
        *_, output = modeling.encode_images(model, {"pixel_values": image.repeat(len(rows), 1, 1, 1)}, CELLS)
    return joint_stage.words_loss(model, batch, output).item(), int((batch["labels"] != IGNORED).sum())


def weighted(costs):
    losses, counts = zip(*costs, strict=True)
    return float(np.average(losses, weights=counts))


def image_of(example):
    return torch.from_numpy(encoder_pixels([pixels.read(example.scene.path)], SIDE))


@pytest.mark.parametrize("number", [0, 5])
def test_packed_questions_cost_what_each_costs_alone(packed, model, examples, number):
    """One row of all, one row each, or one batch of all those rows: mask and positions let none see another."""
    first, *parts = row_of(packed(), number, sees=True)
    image = image_of(examples[number])
    assert len(parts) == 3
    alone = [cost(model, [[first, part]], image) for part in parts]
    assert len({loss for loss, _ in alone}) == 3
    assert cost(model, [[first, *parts]], image)[0] == pytest.approx(weighted(alone), abs=1e-4)
    assert cost(model, [[first, *parts[::-1]]], image)[0] == pytest.approx(weighted(alone), abs=1e-4)
    assert cost(model, [[first, part] for part in parts], image)[0] == pytest.approx(weighted(alone), abs=1e-4)


@pytest.mark.parametrize("captions", [0, 2])
def test_packed_words_without_an_image_cost_what_each_costs_alone(packed, model, examples, captions):
    first, *parts = row_of(packed(Plan(sees=False)), 0, sees=False)
    assert len(parts) == 3 + len(examples[0].scene.captions[: batches.MAX_CAPTIONS]) == 5
    parts = parts[: 3 + captions]
    alone = [cost(model, [[first, part]]) for part in parts]
    assert cost(model, [[first, *parts]])[0] == pytest.approx(weighted(alone), abs=1e-4)


def by_transformers(vlm, example, question, *, sees):
    """Transformers' inputs for a question and its answer, by the processor's template; and how long the answer is."""
    content = [{"type": "image"}] * sees + [{"type": "text", "text": question.text}]
    prompt = vlm.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    answer = f" {question.answer}{vlm.tokenizer.eos_token}"
    images = {"images": [np.array(pixels.read(example.scene.path))]} if sees else {}
    processor = vlm.processor if sees else vlm.tokenizer
    inputs = processor(text=[prompt + answer], return_tensors="pt", **images)
    return inputs, len(vlm.tokenizer(answer, add_special_tokens=False)["input_ids"])


def test_packed_questions_cost_what_transformers_says_of_the_prompts_that_are_asked_later(packed, model, vlm, examples):
    """Training sees the very prompts that the model answers to: the template, the image's place, every position."""
    example, costs = examples[1], []
    for n in np.random.default_rng(0).permutation(len(example.questions))[:3]:
        inputs, answer = by_transformers(vlm, example, example.questions[n], sees=True)
        labels = inputs["input_ids"].clone()
        labels[:, :-answer] = IGNORED
        with torch.no_grad():
            costs.append((model(**inputs, labels=labels).loss.item(), answer))
    row = row_of(packed(), 1, sees=True)
    assert cost(model, [row], image_of(example))[0] == pytest.approx(weighted(costs), abs=1e-4)


@pytest.mark.parametrize("sees", [True, False])
def test_a_question_has_the_tokens_that_it_has_when_it_is_asked(packed, vlm, examples, sees):
    first, *parts = row_of(packed(questions=99), 0, sees=sees)
    drawn = np.random.default_rng(0).permutation(len(examples[0].questions))
    for n, part in zip(drawn, parts, strict=False):
        inputs, _ = by_transformers(vlm, examples[0], examples[0].questions[n], sees=sees)
        assert first[0] + part[0] == inputs["input_ids"][0].tolist()


def test_padding_is_seen_by_nobody_and_not_learnt(monkeypatch):
    monkeypatch.setattr(batches, "LENGTH_STEP", 5)
    long, short = [([1, 2], [False] * 2), ([3, 4, 5], [False, True, True])], [([1, 2], [False] * 2), ([6], [True])]
    batch = batches.pad([long, short], 9, np.arange(2)[None])
    assert batch["input_ids"].tolist() == [[1, 2, 3, 4, 5], [1, 2, 6, 9, 9]]
    assert batch["labels"].tolist() == [[IGNORED] * 3 + [4, 5], [IGNORED] * 2 + [6] + [IGNORED] * 2]
    assert not batch["attention_mask"][1, 0, :3, 3:].any()
    assert batch["attention_mask"].any(-1).all()  # the softmax of an empty row is not a number


def test_a_part_sees_the_first_and_itself_and_no_other(monkeypatch):
    monkeypatch.setattr(batches, "LENGTH_STEP", 1)
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


@pytest.mark.parametrize("tokens", [1, 31, 32, 33])
def test_rows_are_padded_to_a_multiple(tokens):
    batch = batches.pad([[([1] * tokens, [True] * tokens)]], 0, np.arange(tokens)[None])
    assert batch["input_ids"].shape == (1, 64 if tokens > 32 else 32)


def test_the_answers_to_the_questions_in_the_row_are_learnt(packed, vlm, examples):
    batch = packed()[0]
    answers = [question.answer for n in packed().numbers(0) for question in examples[n].questions]
    learnt = learnt_texts(batch, vlm.tokenizer)
    assert len(learnt) == 4 * 3
    assert not Counter(learnt) - Counter(answers)
    assert vlm.tokenizer.image_token_id not in batch["labels"]


def test_a_chain_is_learnt_before_its_answer(packed, vlm, examples):
    with_chains = packed(Plan(preamble="chain"))
    questions = [question for n in with_chains.numbers(0) for question in examples[n].questions]
    learnt = learnt_texts(with_chains[0], vlm.tokenizer)
    assert len(learnt) == 4 * 3
    assert set(learnt) <= {f"{question.chain}; so {question.answer}" for question in questions}


def test_what_tools_say_stands_before_the_question(packed, vlm, examples):
    described = packed(Plan(preamble="tools"), descriptions=[f"Seen: {n} dogs." for n in range(len(examples))])
    for row, n in zip(described[0]["input_ids"], described.numbers(0), strict=True):
        assert vlm.tokenizer.decode(row).count(f"Seen: {n} dogs. ") == 3


def test_a_step_of_words_alone_has_nothing_of_what_tools_see(packed, vlm, examples):
    batch = packed(Plan(preamble="tools"), descriptions=["Seen: 2 dogs."] * len(examples), blind_every=1)[0]
    assert not any("Seen:" in vlm.tokenizer.decode(row) for row in batch["input_ids"])


@pytest.mark.parametrize("step", range(6))
def test_a_batch_is_the_same_whenever_it_is_made(packed, encoder_batches, step):
    """Also by a reader that has read nothing else."""
    for make in (
        lambda: packed(blind_every=3),
        lambda: packed(Plan(sees=False)),
        encoder_batches,
        lambda: encoder_batches(masked=True),
    ):
        read = make()
        list(map(read.__getitem__, range(6)))
        assert same(read[step], make()[step])


def test_another_step_and_another_seed_have_other_batches(packed, encoder_batches):
    assert not same(packed()[0], packed()[3])
    assert not same(packed()[0], packed(seed=1)[0])
    assert not same(encoder_batches(masked=True)[0], encoder_batches(masked=True, seed=1)[0])


@pytest.mark.parametrize("batch", [1, 4, 5])
def test_every_example_comes_once_an_epoch_in_an_order_that_changes(examples, batch):
    ordered = ExampleBatches(examples, StepPlan(40, batch, 1), 0)
    numbers = [n for step in range(40) for n in ordered.numbers(step)]
    whole = len(examples)
    epochs = [numbers[start : start + whole] for start in range(0, len(numbers) - whole + 1, whole)]
    assert len(epochs) >= 3
    assert all(sorted(epoch) == list(range(whole)) for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_every_second_step_is_blind_and_has_captions(packed, vlm, examples):
    alternating = packed(blind_every=2)
    for n in range(6):
        batch = alternating[n]
        blind = n % 2 == 1
        assert (alternating.kind(n) == "blind") == blind
        assert ("pixel_values" not in batch) == blind
        assert ("targets" not in batch) == blind
        assert (vlm.tokenizer.image_token_id not in batch["input_ids"]) == blind
        scenes = [examples[k].scene for k in alternating.numbers(n)]
        sentences = [alternating.packer.ids(f" {text}") for s in scenes for text in s.captions[: batches.MAX_CAPTIONS]]
        known = {vlm.tokenizer.decode(ids[1:]).strip() for ids in sentences}
        assert bool(known & set(learnt_texts(batch, vlm.tokenizer))) == blind  # all but the first token
    assert all("pixel_values" in packed()[n] for n in range(6))


def test_a_system_without_images_never_gets_one(packed, vlm):
    blind = packed(Plan(sees=False), targets=None)
    for n in range(6):
        assert not {"pixel_values", "targets"} & set(blind[n])
        assert vlm.tokenizer.image_token_id not in blind[n]["input_ids"]


def test_a_system_without_a_reward_has_no_targets_in_its_batches(packed):
    assert "targets" not in packed(targets=None)[0]
    assert "pixel_values" in packed(targets=None)[0]


def images_of(example_batches, step):
    return [np.array(pixels.read(example_batches.examples[n].scene.path)) for n in example_batches.numbers(step)]


def test_pixels_are_those_that_the_processor_gives(packed, vlm):
    inputs = vlm.processor.image_processor(images_of(packed(), 2), return_tensors="pt")["pixel_values"]
    assert torch.allclose(packed()[2]["pixel_values"], inputs, atol=1e-5)


def test_pixels_are_those_that_the_users_own_model_was_trained_on(tiny_llava, examples):
    """CLIP's, as LLaVA-1.5 has: another mean and another standard deviation."""
    own = Model(str(tiny_llava), "cpu")
    vlm = modeling.Vlm(own.model, own.processor, 4, 32)
    packed = PackedBatches(examples, StepPlan(1, 2, 1), 0, vlm, Plan(), None)
    inputs = own.processor.image_processor(images_of(packed, 0), return_tensors="pt")["pixel_values"]
    assert torch.allclose(packed[0]["pixel_values"], inputs, atol=0.2)


def test_both_stages_of_the_small_model_get_the_same_pixels(encoder_batches, vlm):
    inputs = vlm.image_inputs(images_of(encoder_batches(), 0))["pixel_values"]
    assert torch.allclose(encoder_batches()[0]["pixel_values"], inputs, atol=1e-5)


def test_what_is_masked_is_grey_and_the_rest_is_the_image(encoder_batches):
    batch, unmasked = encoder_batches(masked=True)[1], encoder_batches()[1]["pixel_values"]
    assert torch.equal(batch["unmasked"], unmasked)
    mask = batch["mask"].reshape(-1, CELLS, CELLS)
    assert mask.float().mean() == pytest.approx(batches.MASKED, abs=0.15)
    patches, originals = (
        images.unfold(2, 16, 16).unfold(3, 16, 16).permute(0, 2, 3, 1, 4, 5)
        for images in (batch["pixel_values"], batch["unmasked"])
    )
    assert not patches[mask].any()
    assert torch.equal(patches[~mask], originals[~mask])


def test_an_image_of_another_size_is_made_to_fit():
    red, black = np.full((30, 90, 3), (255, 0, 0), np.uint8), np.zeros((SIDE, SIDE, 3), np.uint8)
    images = encoder_pixels([red, black], SIDE)
    assert images.shape == (2, 3, SIDE, SIDE)
    assert images.dtype == np.float32
    assert (images[0].reshape(3, -1) == [[1], [-1], [-1]]).all()


# ------------------------------------------------------------------------------------------------------- few labels


@given(st.floats(0, 1), st.floats(0, 1))
def test_scenes_of_a_smaller_share_are_among_those_of_a_larger_one(a, b):
    names = [f"world/{n}" for n in range(200)]
    fewer, more = ({name for name in names if is_labelled(name, share)} for share in sorted((a, b)))
    assert fewer <= more
    assert all(is_labelled(name, 1.0) for name in names)
    assert not any(is_labelled(name, 0.0) for name in names)


@pytest.mark.parametrize("corruption", ["", "random", "shuffled"])
def test_of_a_scene_without_targets_nothing_is_known_and_the_others_have_their_own(examples, corruption):
    of = [examples[n] for n in range(len(examples))]
    few, all_ = (TargetBuilder(CELLS, of[0].scene.categories, corruption, labelled=share) for share in (0.5, 1.0))
    some, every = few.build(of, of[0]), all_.build(of, of[0])
    labelled = [n for n, example in enumerate(of) if is_labelled(example.scene.id, 0.5)]
    others = sorted(set(range(len(of))) - set(labelled))
    assert labelled
    assert others
    assert (some.labels[others] == UNKNOWN).all()
    assert (some.centres[others] == UNKNOWN).all()
    assert some.depth[others].isnan().all()
    assert some.joints[others].isnan().all()
    assert (some.codes[torch.isin(some.sample, torch.tensor(others))] == UNKNOWN).all()
    if corruption != "shuffled":  # whose masks are those of the next scene, which may have none
        assert torch.equal(some.labels[labelled], every.labels[labelled])
        assert torch.equal(some.centres[labelled], every.centres[labelled])


def test_a_batch_without_any_target_costs_nothing(examples):
    few = TargetBuilder(CELLS, examples[0].scene.categories, "", labelled=0.0)
    targets = few.build([examples[0], examples[1]], examples[2])
    features = torch.randn(2, CELLS**2, 8, requires_grad=True)
    categories = examples[0].scene.categories
    parts = PerceptionHeads(8, grid_targets.code_counts(categories))(features, targets)
    assert {name: part.item() for name, part in parts.items()} == {"contrast": 0, "dense": 0}
    sum(parts.values()).backward()


def test_stage_one_is_trained_on_the_scenes_that_have_targets_and_stage_two_on_all(task, small, examples):
    recipe = small(labelled=0.5)
    with_targets = {example.scene.id for example in examples if is_labelled(example.scene.id, 0.5)}
    first = stages.prepare(task("encoder", Plan(pretraining="perception"), recipe, steps=9))
    masked = stages.prepare(task("encoder", Plan(pretraining="self-supervised"), recipe, steps=9))
    second = stages.prepare(task("joint", Plan(reward=True), recipe, steps=9))
    seen = [{name for n in range(9) for name in stage.batches.scenes(n)} for stage in (first, masked, second)]
    everything = {example.scene.id for example in examples}
    assert seen == [with_targets, everything, everything]


def test_too_few_scenes_for_any_target_are_refused_with_the_remedy(task, small):
    with pytest.raises(BadInput, match="none of its 11 scenes has targets; raise labelled"):
        stages.prepare(task("encoder", Plan(pretraining="perception"), small(labelled=1e-9)))
