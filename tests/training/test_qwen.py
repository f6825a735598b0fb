"""Stage 2 of a Qwen2.5-VL: other positions, other pixels, no class token. Its own processor is made without torchvision."""

import cv2
import numpy as np
import pytest
import torch
import transformers
from transformers.video_processing_utils import BaseVideoProcessor

from pstgen.core.records import BadInput
from pstgen.models import from_scratch
from pstgen.models.perceptual_losses import GridTargets, PerceptionHeads
from pstgen.scenes import pixels
from pstgen.training import grid_targets, joint_stage, modeling, trainer
from pstgen.training.batches import IGNORED, PackedBatches, StepPlan, TargetBuilder
from pstgen.training.modeling import Vlm
from pstgen.training.systems import Plan

SIDE, CELL = 112, 28
IMAGE = ("<|vision_start|>", "<|image_pad|>", "<|vision_end|>", "<|video_pad|>")
CHAT = from_scratch.CHAT.replace("<image>\n", "".join(IMAGE[:3]))


class Processor(transformers.Qwen2_5_VLProcessor):
    """Without videos, whose classes want torchvision."""

    def check_argument_for_proper_class(self, *_):
        """Take what is given."""


@pytest.fixture(scope="module")
def qwen(paths):
    """A tiny Qwen2.5-VL of random weights with the world's words."""
    tokenizer = modeling.load_tokenizer(paths.tokenizer)
    names = dict(zip(("vision_bos_token", "image_token", "vision_eos_token", "video_token"), IMAGE, strict=True))
    tokenizer.add_special_tokens({"additional_special_tokens": list(IMAGE)})
    for name, token in names.items():
        setattr(tokenizer, name, token)
        setattr(tokenizer, f"{name}_id", tokenizer.convert_tokens_to_ids(token))
    processor = Processor(
        image_processor=transformers.Qwen2VLImageProcessorPil(min_pixels=CELL**2, max_pixels=64 * CELL**2),
        tokenizer=tokenizer,
        video_processor=BaseVideoProcessor(),
        chat_template=CHAT,
    )
    config = transformers.Qwen2_5_VLConfig(
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 64,
            "patch_size": 14,
            "window_size": 56,
            "fullatt_block_indexes": [1],
        },
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]},
        },
        **{f"{name}_id": getattr(tokenizer, f"{name}_id") for name in ("image_token", "video_token")},
        vision_start_token_id=tokenizer.vision_bos_token_id,
        vision_end_token_id=tokenizer.vision_eos_token_id,
    )
    torch.manual_seed(0)
    model = transformers.Qwen2_5_VLForConditionalGeneration(config).eval()
    model.set_attn_implementation("eager")
    return Vlm(model, processor, SIDE // CELL, SIDE)


@pytest.fixture
def packed(examples, qwen):
    targets = TargetBuilder(SIDE // CELL, examples[0].scene.categories, "")
    return PackedBatches(examples, StepPlan(2, 3, 3), 0, qwen, Plan(reward=True), targets)


@torch.no_grad()
def test_packed_questions_cost_what_transformers_says_of_each_prompt(packed, qwen, examples):
    example = examples[1]
    image, costs = cv2.resize(pixels.read(example.scene.path), (SIDE, SIDE), interpolation=cv2.INTER_AREA), []
    for n in np.random.default_rng(0).permutation(len(example.questions))[:3]:
        question = example.questions[n]
        content = [{"type": "image"}, {"type": "text", "text": question.text}]
        prompt = qwen.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        answer = f" {question.answer}{qwen.tokenizer.eos_token}"
        inputs = qwen.processor(images=[image], text=[prompt + answer], return_tensors="pt")
        length = len(qwen.tokenizer(answer, add_special_tokens=False)["input_ids"])
        labels = inputs["input_ids"].clone()
        labels[:, :-length] = IGNORED
        costs.append((qwen.model(**inputs, labels=labels).loss.item(), length))
    losses, lengths = zip(*costs, strict=True)
    batch = packed.packer.pack([packed._row(example, 1, sees=True, rng=np.random.default_rng(0))], with_image=True)
    *_, output = modeling.encode_images(qwen.model, qwen.image_inputs([image]), qwen.cells)
    loss = joint_stage.words_loss(qwen.model, batch, output).item()
    assert loss == pytest.approx(float(np.average(losses, weights=lengths)), abs=1e-4)
    assert batch["position_ids"].shape == (3, *batch["input_ids"].shape)


def test_the_reward_reads_the_patches_as_the_language_model_gets_them(packed, qwen, examples, small):
    batch, categories = packed[0], examples[0].scene.categories
    qwen.model.perception = PerceptionHeads(qwen.width, grid_targets.code_counts(categories))
    names = modeling.name_tokens(qwen.tokenizer, categories)
    parts = joint_stage.joint_losses(qwen, small(), names)(qwen.model, batch, 0)
    del qwen.model.perception
    assert {"words", "contrast", "dense", "named", "ratio"} == set(parts)
    assert all(part.isfinite() and part > 0 for part in parts.values())
    assert GridTargets(**batch["targets"]).labels.shape == (3, qwen.cells**2, 2)
    sum(parts.values()).backward()
    assert qwen.model.model.visual.patch_embed.proj.weight.grad.abs().sum() > 0
    qwen.model.zero_grad(set_to_none=True)


def test_its_rates_are_those_of_encoder_connector_and_words(qwen):
    rates = dict.fromkeys(joint_stage.CONNECTORS, 1.0) | dict.fromkeys(joint_stage.ENCODERS, 2.0) | {"": 3.0}
    groups = trainer.parameter_groups(qwen.model, rates, 0.0)
    by_rate = {group["lr"]: sum(p.numel() for p in group["params"]) for group in groups}
    assert set(by_rate) == {1.0, 2.0, 3.0}


def test_an_encoder_of_stage_one_is_refused(qwen, tmp_path):
    with pytest.raises(BadInput, match="encoder_steps"):
        joint_stage._load_encoder(qwen.model, tmp_path, None)
