"""Stage 2: the whole model, by its language loss and, of a system with the reward, lambda times the perceptual losses."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import torch
from more_itertools import chunked
from torch.nn import functional

from pstgen.core.records import BadInput
from pstgen.models.perceptual_losses import GridTargets, NumberHead, PerceptionHeads, name_alignment
from pstgen.models.tools import BATCH, HEADS, open_tools
from pstgen.scenes import pixels
from pstgen.training import grid_targets, modeling, trainer
from pstgen.training.batches import IGNORED, PackedBatches, StepPlan, TargetBuilder
from pstgen.training.examples import Examples
from pstgen.training.modeling import Vlm
from pstgen.training.recipe import Recipe
from pstgen.training.systems import Plan
from pstgen.training.trainer import Settings, Stage

ENCODERS = ("model.vision_tower", "model.visual")  # beginnings of its weights' names: LLaVA's and InternVL's, Qwen's
CONNECTORS = ("model.multi_modal_projector", "model.visual.merger", "model.visual.deepstack_merger_list")  # likewise


def prepare(  # noqa: PLR0913, PLR0917 (what a stage is made of)
    recipe: Recipe, system: Plan, examples: Examples, plan: StepPlan, settings: Settings, out: Path, *,
    tokenizer: Path, encoder: Path | None, detector: Path | None,
) -> Stage:  # fmt: skip
    """The whole model, saved as an ordinary Hugging Face model without the perception heads."""
    categories = examples[0].scene.categories
    vlm = modeling.load_vlm(recipe, None if recipe.model else modeling.load_tokenizer(tokenizer), settings.seed)
    sizes = grid_targets.code_counts(categories)
    heads = PerceptionHeads(vlm.width, sizes, seed=settings.seed)
    if encoder:
        _load_encoder(vlm.model, encoder, heads if system.pretraining == "perception" else None)
    begun = adapt(deepcopy(vlm.model), recipe) if recipe.language_kl and not recipe.lora else None
    model = adapt(vlm.model, recipe)
    targets = None
    if system.reward:
        model.perception = heads
        if recipe.numbers:
            heads.numbers = NumberHead(vlm.model.get_input_embeddings().embedding_dim, sizes)
        targets = TargetBuilder(vlm.cells, categories, system.corruption, cache(vlm.window), recipe.labelled)
    uses_tools = system.preamble == "tools" and detector
    descriptions = _describe(examples, str(detector), recipe.ocr) if uses_tools else ()
    return Stage(
        model=model,
        batches=PackedBatches(examples, plan, settings.seed, vlm, system, targets, descriptions),
        losses=joint_losses(vlm, recipe, modeling.name_tokens(vlm.tokenizer, categories), begun),
        rates={
            "perception": recipe.head_rate,
            **dict.fromkeys(CONNECTORS, recipe.connector_rate),
            **dict.fromkeys(ENCODERS, recipe.encoder_rate),
            "": recipe.learning_rate,
        },
        settings=settings,
        save=lambda: export(model, vlm.processor, out),
    )


def _describe(examples: Examples, detector: str, ocr: str) -> list[str]:
    """What the tools say of every example's image."""
    describe, texts = open_tools(detector, ocr), list[str]()
    for batch in chunked(examples, BATCH):
        texts += describe([pixels.read(example.scene.path) for example in batch])
    return texts


def adapt(model: Any, recipe: Recipe) -> Any:
    """The model itself, with eager attention on a CPU, where that is quicker; with LoRA where the recipe has a rank."""
    if not torch.cuda.is_available():
        model.set_attn_implementation("eager")
    if not recipe.lora:
        return model
    import peft

    config = peft.LoraConfig(
        r=recipe.lora,
        lora_alpha=2 * recipe.lora,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj"],
        modules_to_save=list(_connectors(model)),
    )
    return peft.get_peft_model(model, config)


def _connectors(model: Any) -> Iterator[str]:
    """Names of the modules between encoder and language model, of a list of them those in it."""
    modules = dict(model.named_modules())
    for name in CONNECTORS:
        if isinstance(modules.get(name), torch.nn.ModuleList):
            yield from (f"{name}.{n}" for n in range(len(modules[name])))
        elif name in modules:
            yield name


def joint_losses(vlm: Vlm, recipe: Recipe, names: tuple[torch.Tensor, ...], begun: Any = None) -> trainer.Losses:
    """The language loss at every answer, and of images with targets the perceptual reward; one encoder pass for both.

    begun: the model that stage 2 begins with, where the recipe keeps its language; with adapters it is the model without them.
    """

    def losses(model: Any, batch: dict[str, Any], step: int) -> trainer.Parts:
        base = base_model(model)
        if "pixel_values" not in batch:
            return _words_alone(base, batch, recipe.language_kl, model if begun is None else begun)
        inputs = {name: batch[name] for name in modeling.IMAGE_INPUTS if name in batch}
        features, projected, output = modeling.encode_images(base, inputs, vlm.cells)
        parts = {"words": words_loss(base, batch, output)}
        if "targets" in batch:
            weight = recipe.reward * min(1.0, (step + 1) / max(1, recipe.reward_warm_up))
            targets = GridTargets(**batch["targets"])
            perceptual = model.perception(features, targets)
            named = name_alignment(projected, base.get_input_embeddings().weight, names, targets)
            parts |= {
                "contrast": weight * perceptual["contrast"],
                "dense": weight * recipe.dense * perceptual["dense"],
                "named": weight * recipe.words * named,
            }
            if recipe.numbers:
                parts["numbers"] = weight * recipe.numbers * model.perception.numbers.loss(projected, targets)
            shared = modeling.connector_inputs(base, output)
            if step % trainer.LOG_EVERY == 0 and all(layer.requires_grad for layer in shared):
                parts["ratio"] = gradient_ratio(parts, shared)
        return parts

    return losses


def _words_alone(model: Any, batch: dict[str, Any], weight: float, begun: Any) -> trainer.Parts:
    """The language loss, and how far the model is from what it began with: KL(begun || model), the mean over labels."""
    logits, targets = logits_at_labels(model, batch)
    words = functional.cross_entropy(logits, targets)
    if not weight:
        return {"words": words}
    with torch.no_grad(), begun.disable_adapter() if hasattr(begun, "disable_adapter") else nullcontext():
        before = logits_at_labels(base_model(begun.to(logits.device)), batch)[0].log_softmax(-1)
    divergence = functional.kl_div(logits.log_softmax(-1), before, reduction="batchmean", log_target=True)
    return {"words": words, "language_kl": weight * divergence}


def gradient_ratio(parts: trainer.Parts, layers: Sequence[torch.Tensor]) -> torch.Tensor:
    """How much larger the reward's gradient is than the language loss's, at the encoder's layers that both read."""
    reward = torch.stack([part for name, part in parts.items() if name != "words"]).sum()
    numerator, denominator = (
        torch.stack([part.float().norm() for part in torch.autograd.grad(loss, layers, retain_graph=True)]).norm()
        for loss in (reward, parts["words"])
    )
    return (numerator / denominator.clamp(min=1e-12)).detach()


def base_model(model: Any) -> Any:
    """The model itself, where adapters may stand around it."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def words_loss(model: Any, batch: dict[str, Any], encoder_output: Any = None) -> torch.Tensor:
    """Cross-entropy where there is a label. encoder_output: of the batch's images, if any."""
    logits, targets = logits_at_labels(model, batch, encoder_output)
    return functional.cross_entropy(logits, targets)


def logits_at_labels(
    model: Any, batch: dict[str, Any], encoder_output: Any = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, vocabulary) logits where there is a label, and nowhere else, and the N labels: row by row, in their order."""
    mask = batch["attention_mask"]
    if model.config._attn_implementation == "eager":  # noqa: SLF001 (eager adds a mask, the others choose by it)
        mask = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, torch.finfo(torch.float32).min)
    images = {"mm_encoder_outputs": {"image": encoder_output}} if encoder_output is not None else {}
    states = model.model(
        input_ids=batch["input_ids"], attention_mask=mask, position_ids=batch["position_ids"], **images
    ).last_hidden_state
    targets = batch["labels"][:, 1:]
    learnt = targets != IGNORED
    return model.lm_head(states[:, :-1][learnt]).float(), targets[learnt]


def _load_encoder(model: Any, folder: Path, heads: PerceptionHeads | None) -> None:
    """Put stage 1's encoder into the model, and its heads into ours where they read the same layer: its last.

    Raises BadInput where it does not fit.
    """
    from safetensors.torch import load_file

    if not modeling.is_llava(model.config):
        raise BadInput(f"{folder}: stage 1 gives its encoder to a LLaVA alone; set encoder_steps to 0")
    weights = load_file(folder / "model.safetensors")
    tower = model.model.vision_tower.state_dict()
    if misfits := sorted(
        name
        for name in {*weights, *tower}
        if name not in weights or name not in tower or weights[name].shape != tower[name].shape
    ):
        raise BadInput(f"{folder}: an encoder that does not fit the model: {misfits[0]} (and {len(misfits) - 1} more)")
    model.model.vision_tower.load_state_dict(weights)
    if heads and modeling.reads_last_layer(model.config):
        heads.load_state_dict(load_file(folder / HEADS))


def export(model: Any, processor: Any, out: Path) -> None:
    """Drop the heads, merge adapters, and save an ordinary model."""
    if hasattr(model, "perception"):
        del model.perception
    merged = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
    merged.set_attn_implementation("sdpa")
    merged.config.use_cache = True  # which the trainer switches off
    merged.save_pretrained(out)
    processor.save_pretrained(out)
