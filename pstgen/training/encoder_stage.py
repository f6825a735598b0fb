"""Stage 1: the image encoder alone, against perceptual targets; or it learns to fill in masked patches."""

from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import nn
from torch.nn import functional

from pstgen.models.perceptual_losses import GridTargets, PerceptionHeads
from pstgen.models.tools import HEADS
from pstgen.training import grid_targets, modeling, trainer
from pstgen.training.batches import EncoderBatches, StepPlan, TargetBuilder
from pstgen.training.examples import Examples
from pstgen.training.recipe import Recipe
from pstgen.training.systems import Plan
from pstgen.training.trainer import Settings, Stage


def prepare(  # noqa: PLR0913, PLR0917 (what a stage is made of)
    recipe: Recipe, system: Plan, examples: Examples, plan: StepPlan, settings: Settings, out: Path
) -> Stage:
    """The encoder, saved as a plain Transformers backbone, its heads beside it."""
    categories = examples[0].scene.categories
    model = modeling.load_encoder(recipe, settings.seed)
    cells, width = modeling.grid_side(model, recipe.size), modeling.feature_width(model)
    masked = system.pretraining == "self-supervised"
    normalization, sizes = modeling.normalization(recipe), grid_targets.code_counts(categories)
    pixel_head = nn.Linear(width, 3 * (recipe.size // cells) ** 2)
    model.perception = pixel_head if masked else PerceptionHeads(width, sizes, seed=settings.seed)
    heads = {"categories": categories, "cells": cells, "size": recipe.size, "width": width, "sizes": sizes}

    def save() -> None:
        perception = model.perception
        del model.perception
        model.save_pretrained(out)
        _save_heads(perception, out, heads | normalization._asdict())

    targets = TargetBuilder(cells, categories, system.corruption)
    return Stage(
        model=model,
        batches=EncoderBatches(
            examples, plan, settings.seed, targets, recipe.size, masked=masked, normalization=normalization
        ),
        losses=_masked_pixel_loss if masked else _perceptual_losses(cells, recipe.dense),
        rates={"perception": recipe.head_rate, "": recipe.encoder_rate},
        settings=settings,
        save=save,
    )


def _perceptual_losses(cells: int, dense: float) -> trainer.Losses:
    def losses(model: Any, batch: dict[str, Any], step: int) -> trainer.Parts:  # noqa: ARG001
        features = modeling.encoder_features(model, batch["pixel_values"], cells)
        parts: trainer.Parts = model.perception(features, GridTargets(**batch["targets"]))
        return {"contrast": parts["contrast"], "dense": dense * parts["dense"]}

    return losses


def _masked_pixel_loss(model: Any, batch: dict[str, Any], step: int) -> trainer.Parts:  # noqa: ARG001
    """L1 of the masked patches' pixels, as SimMIM (Xie et al. 2022): masked ones are grey in the input."""
    mask = batch["mask"]
    cells = int(mask.shape[1] ** 0.5)
    predicted = model.perception(modeling.encoder_features(model, batch["pixel_values"], cells)).float()
    patch = batch["unmasked"].shape[-1] // cells
    patches = functional.unfold(batch["unmasked"].float(), patch, stride=patch).transpose(1, 2)
    return {"pixels": (predicted - patches).abs().mean(-1)[mask].mean()}


def _save_heads(heads: nn.Module, folder: Path, settings: dict[str, Any]) -> None:
    """The heads beside the encoder, for whoever wants to read what it sees."""
    from safetensors.torch import save_file

    tensors: dict[str, torch.Tensor] = {name: tensor.contiguous() for name, tensor in heads.state_dict().items()}
    save_file(tensors, folder / HEADS, {"told": msgspec.json.encode(settings).decode()})
