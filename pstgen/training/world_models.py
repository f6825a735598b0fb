"""`pstgen eye train`: a small model from random weights learns the built-in world, by a WorldRecipe.

Stage 1, look: the encoder, and what the language model gets of it, against what every patch shows. Stage 2, words:
inventories of what there is to see, then questions. A language model alone has the questions, and captions, of stage 2.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import nn

from pstgen.core.records import BadInput, Unavailable
from pstgen.models import from_scratch
from pstgen.models.asking import prompt
from pstgen.models.perceptual_losses import DenseHead, GridTargets, PositionHead, name_alignment
from pstgen.scenes.world.plan import kinds
from pstgen.training import joint_stage, modeling, stages, trainer
from pstgen.training.batches import Batches, StepPlan
from pstgen.training.modeling import Vlm
from pstgen.training.recipe import SAVED, WorldRecipe
from pstgen.training.trainer import Settings, Stage
from pstgen.training.world_batches import CELLS, COUNT, LookBatches, WordBatches, code_counts
from pstgen.training.world_examples import WorldExamples

LOOK = "look"  # the folder of stage 1
CORPUS = 400  # examples that the tokenizer is trained on
KEEP_EVERY = 250  # steps between checkpoints


def train(recipe: WorldRecipe, out: Path, log: trainer.Log, device: str = "auto") -> None:
    """Train by the recipe and save model and processor in `out`, in Hugging Face format.

    A run that was cut off goes on from `out`'s last checkpoint when it is started again. log: gets the steps of both
    stages, numbered through. device: auto, cpu or cuda. Raises BadInput where another recipe's run is in `out`,
    Unavailable where there is no such device.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise Unavailable(f"--device {device}: there is none; auto takes what there is")
    _claim(recipe, out)
    examples = WorldExamples(recipe)
    if recipe.look_steps:
        stages.train_stage(partial(_look_stage, recipe, examples, out / LOOK, device), out / LOOK, log)
    stages.train_stage(
        partial(_words_stage, recipe, examples, out, device),
        out,
        lambda step, figures: log(recipe.look_steps + step, figures),
    )


def _claim(recipe: WorldRecipe, out: Path) -> None:
    """Write the recipe into the folder of the run. Raises BadInput where it was begun with another."""
    file, text = out / SAVED, msgspec.json.format(msgspec.json.encode(recipe))
    if file.is_file() and file.read_bytes() != text:
        raise BadInput(f"{out}: was begun with another recipe (see {SAVED}); name another --out")
    out.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text)


def _look_stage(recipe: WorldRecipe, examples: WorldExamples, out: Path, device: str) -> Stage:
    """Saves all weights, for stage 2."""
    vlm = build(recipe, train_tokenizer(recipe, examples))
    batches = LookBatches(examples, StepPlan(recipe.look_steps, recipe.batch, 0), vlm)
    settings = _settings(recipe, device, cooling=0)  # the rate goes down at the end of stage 2
    return _stage(recipe, vlm, batches, settings, lambda: trainer.save_weights(vlm.model, out))


def _words_stage(recipe: WorldRecipe, examples: WorldExamples, out: Path, device: str) -> Stage:
    """Begins with stage 1's weights, and saves an ordinary Hugging Face model in half precision."""
    vlm = build(recipe, train_tokenizer(recipe, examples))
    if recipe.look_steps:
        trainer.load_weights(vlm.model, out / LOOK)
    steps = recipe.tell_steps + recipe.steps
    plan = StepPlan(steps, recipe.batch, recipe.questions, recipe.blind_every if recipe.vision else 1)
    cooling = round(trainer.COOLING * (recipe.look_steps + steps))
    batches, settings = WordBatches(examples, plan, vlm), _settings(recipe, device, cooling)

    def save() -> None:
        joint_stage.export(vlm.model.half(), vlm.processor, out)

    return _stage(recipe, vlm, batches, settings, save)


def _stage(recipe: WorldRecipe, vlm: Vlm, batches: Batches, settings: Settings, save: Callable[[], None]) -> Stage:
    if settings.device_type == "cpu":
        vlm.model.set_attn_implementation("eager")  # its backward pass is far quicker there
    losses = world_losses(vlm, recipe.dense)
    return Stage(vlm.model, batches, losses, {"": recipe.learning_rate}, settings, save)


def _settings(recipe: WorldRecipe, device: str, cooling: int) -> Settings:
    return Settings(
        warm_up=recipe.warm_up,
        weight_decay=recipe.weight_decay,
        seed=recipe.seed,
        cooling=cooling,
        keep_every=KEEP_EVERY,
        device=device,
        workers=1,
    )


def train_tokenizer(recipe: WorldRecipe, examples: WorldExamples) -> Any:
    """A tokenizer of the words of the world; or that of the model that is begun with."""
    if recipe.begin:
        return modeling.load(recipe.begin).tokenizer
    return from_scratch.train_tokenizer(_corpus(examples), recipe.vocabulary)


def _corpus(examples: WorldExamples) -> Iterator[str]:
    for example in map(examples.read, range(CORPUS)):
        prompts = [prompt(question.text, question.options) for question in example.questions]
        answers = [question.answer for question in example.questions]
        yield from (f"USER: {text} ASSISTANT: {answer}" for text, answer in zip(prompts, answers, strict=True))
        yield from prompts
        yield from chain.from_iterable((f" {option}" for option in question.options) for question in example.questions)
        yield from (f" {caption}" for caption in example.scene.captions)
    for example in map(examples.seen, range(CORPUS // 4)):
        yield from (f"{COUNT} ASSISTANT: {name} {there}," for name, there in example.inventory)


def build(recipe: WorldRecipe, tokenizer: Any) -> Vlm:
    """The model of random weights, with the heads that read its patches; a language model where there is no vision."""
    if not recipe.vision:
        return modeling.small_language_model(recipe.text, tokenizer, recipe.seed)
    vlm = modeling.small_vlm(recipe.vision, recipe.text, recipe.size, tokenizer, recipe.seed)
    if recipe.begin:
        _load_start(vlm.model, recipe.begin)
    if recipe.position_codes:
        from_scratch.add_position_codes(vlm.model.model.vision_tower, recipe.position_codes)
    vlm.model.perception = nn.ModuleDict(
        {
            "cells": DenseHead(vlm.width, code_counts(), CELLS),
            "place": PositionHead(vlm.model.config.text_config.hidden_size, vlm.cells),
        }
    )
    return vlm


def _load_start(model: Any, folder: str) -> None:
    """Begin with a model's weights. Raises BadInput where it is of another shape."""
    try:
        model.load_state_dict(modeling.load(folder).model.float().state_dict())
    except RuntimeError as error:
        raise BadInput(f"begin: {folder}: another shape than vision and text: {str(error).splitlines()[-1]}") from None


def world_losses(vlm: Vlm, dense: float) -> trainer.Losses:
    """What every patch shows, and the words, as far as the batch has them; beside words, the patches weigh `dense`."""
    names = modeling.name_tokens(vlm.tokenizer, tuple(kinds()))

    def losses(model: Any, batch: dict[str, Any], step: int) -> trainer.Parts:  # noqa: ARG001
        parts: trainer.Parts = {}
        output = None
        if "pixel_values" in batch:
            weight, targets = dense if "input_ids" in batch else 1.0, GridTargets(**batch["targets"])
            inputs = {"pixel_values": batch["pixel_values"]}
            features, projected, output = modeling.encode_images(model, inputs, vlm.cells)
            parts["dense"] = weight * model.perception["cells"].loss(features, targets)
            parts["place"] = weight * model.perception["place"].loss(projected)
            embedding = model.get_input_embeddings().weight
            parts["named"] = weight * name_alignment(projected, embedding, names, targets)
        if "input_ids" in batch:
            parts["words"] = joint_stage.words_loss(model, batch, output)
        return parts

    return losses
