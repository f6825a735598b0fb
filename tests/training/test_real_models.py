"""Stage 2 of models of the architectures that people use: other positions, other pixels, patches that were merged."""

from copy import deepcopy
from dataclasses import replace

import cv2
import msgspec
import numpy as np
import pytest
import torch
import transformers

from pstgen.core.records import BadInput
from pstgen.models.perceptual_losses import GridTargets, PerceptionHeads
from pstgen.scenes import pixels
from pstgen.training import grid_targets, joint_stage, modeling, stages, trainer
from pstgen.training.batches import IGNORED, PackedBatches, StepPlan, TargetBuilder
from pstgen.training.systems import Plan

SIDES = {"qwen2_5_vl": 84, "qwen3_vl": 96, "internvl": 32}  # of an image, pixels
CELLS = {"qwen2_5_vl": 3, "qwen3_vl": 3, "internvl": 2}  # patches a side that the language model gets


@pytest.fixture(scope="module", params=SIDES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def recipe(name, tiny_folder, small):
    return small(model=str(tiny_folder(name)), size=SIDES[name])


@pytest.fixture(scope="module")
def vlm(recipe):
    """One of them, of random weights; nobody trains it."""
    return modeling.load_vlm(recipe, None, 0)


@pytest.fixture
def packed(examples, vlm):
    targets = TargetBuilder(vlm.cells, examples[0].scene.categories, "")
    return PackedBatches(examples, StepPlan(2, 3, 3), 0, vlm, Plan(reward=True), targets)


def test_the_grid_is_what_the_language_model_gets(name, vlm):
    inputs = vlm.image_inputs([np.zeros((90, 120, 3), np.uint8)] * 2)
    features, projected, _ = modeling.encode_images(vlm.model, inputs, vlm.cells)
    assert vlm.cells == CELLS[name]
    assert features.shape == projected.shape == (2, CELLS[name] ** 2, vlm.width)


@torch.no_grad()
def test_patches_come_row_by_row(vlm):
    """What changes in one cell of the image changes that patch alone, where no patch looks at another."""
    vlm = replace(vlm, model=deepcopy(vlm.model))
    for end, part in vlm.model.named_parameters():
        if end.startswith(joint_stage.ENCODERS) and ("attn." in end or "attention." in end):
            part.zero_()
    side, cell = vlm.size, vlm.size // vlm.cells
    for n in range(vlm.cells**2):
        row, column = divmod(n, vlm.cells)
        images = np.full((2, side, side, 3), 100, np.uint8)
        images[1, row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = 200
        plain, changed = modeling.encode_images(vlm.model, vlm.image_inputs(list(images)), vlm.cells)[1]
        assert (changed - plain).norm(dim=-1).nonzero().flatten().tolist() == [n]


@torch.no_grad()
def test_packed_questions_cost_what_transformers_says_of_each_prompt(packed, vlm, examples):
    example = examples[1]
    side, costs = vlm.size, []
    image = cv2.resize(pixels.read(example.scene.path), (side, side), interpolation=cv2.INTER_AREA)
    for n in np.random.default_rng(0).permutation(len(example.questions))[:3]:
        question = example.questions[n]
        content = [{"type": "image"}, {"type": "text", "text": question.text}]
        prompt = vlm.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        answer = f" {question.answer}{vlm.tokenizer.eos_token}"
        inputs = vlm.processor(images=[image], text=[prompt + answer], return_tensors="pt")
        length = len(vlm.tokenizer(answer, add_special_tokens=False)["input_ids"])
        labels = inputs["input_ids"].clone()
        labels[:, :-length] = IGNORED
        costs.append((vlm.model(**inputs, labels=labels).loss.item(), length))
    losses, lengths = zip(*costs, strict=True)
    batch = packed.packer.pack([packed._row(example, 1, sees=True, rng=np.random.default_rng(0))], with_image=True)
    *_, output = modeling.encode_images(vlm.model, vlm.image_inputs([image]), vlm.cells)
    loss = joint_stage.words_loss(vlm.model, batch, output).item()
    assert loss == pytest.approx(float(np.average(losses, weights=lengths)), abs=1e-4)


def test_the_reward_reads_the_patches_as_the_language_model_gets_them(packed, vlm, examples, recipe):
    batch, categories = packed[0], examples[0].scene.categories
    vlm.model.perception = PerceptionHeads(vlm.width, grid_targets.code_counts(categories))
    names = modeling.name_tokens(vlm.tokenizer, categories)
    parts = joint_stage.joint_losses(vlm, recipe, names)(vlm.model, batch, 0)
    del vlm.model.perception
    assert {"words", "contrast", "dense", "named", "ratio"} == set(parts)
    assert all(part.isfinite() and part > 0 for part in parts.values())
    assert GridTargets(**batch["targets"]).labels.shape == (3, vlm.cells**2, 2)
    sum(parts.values()).backward()
    encoder = next(part for end, part in vlm.model.named_parameters() if end.startswith(joint_stage.ENCODERS))
    assert encoder.grad.abs().sum() > 0
    vlm.model.zero_grad(set_to_none=True)


def test_its_rates_are_those_of_encoder_connector_and_words(vlm):
    rates = dict.fromkeys(joint_stage.CONNECTORS, 1.0) | dict.fromkeys(joint_stage.ENCODERS, 2.0) | {"": 3.0}
    groups = trainer.parameter_groups(vlm.model, rates, 0.0)
    by_rate = {group["lr"]: sum(p.numel() for p in group["params"]) for group in groups}
    assert set(by_rate) == {1.0, 2.0, 3.0}


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.parametrize("rank", [0, 2])
def test_two_steps_change_it_and_what_is_saved_loads_with_transformers_alone(task, recipe, rank):
    if rank:
        pytest.importorskip("peft")
    made, figures = task("joint", Plan(reward=True), msgspec.structs.replace(recipe, lora=rank), steps=2), []
    stages.train(made, lambda _step, parts: figures.append(parts))
    assert len(figures) == 2
    loaded, info = transformers.AutoModelForImageTextToText.from_pretrained(made.out, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    before = transformers.AutoModelForImageTextToText.from_pretrained(recipe.model).state_dict()
    changed = [end for end, value in loaded.state_dict().items() if not torch.equal(value, before[end])]
    assert any(end.startswith(joint_stage.CONNECTORS) for end in changed)
    assert any("language_model" in end for end in changed)
    in_encoder = [
        end for end in changed if end.startswith(joint_stage.ENCODERS) and not end.startswith(joint_stage.CONNECTORS)
    ]
    assert rank or in_encoder  # an adapter is put where the names of LLaVA's and the language models' projections are


def test_an_encoder_of_stage_one_is_refused(vlm, tmp_path):
    with pytest.raises(BadInput, match="encoder_steps"):
        joint_stage._load_encoder(vlm.model, tmp_path, None)


@pytest.mark.parametrize("name", ["qwen2_5_vl", "qwen3_vl"], indirect=True)
def test_a_size_that_its_processor_makes_smaller_is_refused(recipe):
    """Theirs take twelve cells at most."""
    with pytest.raises(
        BadInput, match=r"shows images of .* as 3 x 3 tokens; take a smaller size, or a larger max_pixels"
    ):
        modeling.load_vlm(msgspec.structs.replace(recipe, size=recipe.size // 3 * 4), None, 0)


def test_another_kind_is_refused_with_those_that_are_trained(tiny_folder, small):
    with pytest.raises(BadInput, match=r"is a gemma3; stage 2 trains LLaVA, Qwen2\.5-VL, Qwen3-VL, InternVL"):
        modeling.load_vlm(small(model=str(tiny_folder("gemma3"))), None, 0)
