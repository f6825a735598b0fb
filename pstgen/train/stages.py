"""Stage 1: the image encoder against perceptual targets. Stage 2: language loss plus lambda times the perceptual reward."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import nn
from torch.nn import functional

from pstgen.course import Course
from pstgen.perception import Perception, Truths, align
from pstgen.recipe import Recipe
from pstgen.systems import Plan
from pstgen.train import models, school, truths
from pstgen.train.batches import IGNORED, Looks, Pace, Pages, Targets

HEADS = "heads.safetensors"
DONE = "learnt.json"


class Learnt(msgspec.Struct, frozen=True):
    """What a stage cost: steps and training FLOPs (of one step, counted, times steps), seconds and parameters."""

    steps: int
    flops: float
    seconds: float
    parameters: int


def first(
    recipe: Recipe, plan: Plan, course: Course, categories: Sequence[str], out: Path, seed: int, log: school.Log
) -> None:
    """Train the encoder alone and save it in `out` as a plain Transformers backbone; its heads beside it."""
    model = models.encoder(recipe, seed)
    cells = models.side(model, recipe.size)
    targets = Targets(cells, categories, plan.corrupt)
    pace = Pace(recipe.encoder_steps, recipe.batch, recipe.questions)
    hidden = plan.first == "self-supervised"
    model.perception = (
        nn.Linear(models.width(model), 3 * (recipe.size // cells) ** 2)
        if hidden
        else Perception(models.width(model), truths.sizes(categories), seed=seed)
    )
    steps = Looks(course, pace, seed, targets, recipe.size, hidden=hidden)
    school.run(
        model,
        steps,
        _guess if hidden else _perceive(cells, recipe),
        recipe,
        {"perception": recipe.head_rate, "": recipe.learning_rate},
        out,
        seed,
        log,
    )
    heads = model.perception
    del model.perception
    model.save_pretrained(out)
    save_heads(heads, out)
    tidy(out)


def _perceive(cells: int, recipe: Recipe) -> school.Losses:
    def losses(model: Any, batch: dict[str, Any], step: int) -> school.Parts:  # noqa: ARG001
        parts: school.Parts = model.perception(models.features(model, batch["pixel_values"], cells), Truths(**batch["truths"]))
        return {"contrast": parts["contrast"], "dense": recipe.dense * parts["dense"]}

    return losses


def _guess(model: Any, batch: dict[str, Any], step: int) -> school.Parts:  # noqa: ARG001
    """L1 of the hidden patches' pixels, as SimMIM (Xie et al. 2022): hidden ones are grey in the input."""
    covered = batch["covered"]
    cells = int(covered.shape[1] ** 0.5)
    told = model.perception(models.features(model, batch["pixel_values"], cells)).float()
    patch = batch["whole"].shape[-1] // cells
    whole = functional.unfold(batch["whole"].float(), patch, stride=patch).transpose(1, 2)
    return {"pixels": (told - whole).abs().mean(-1)[covered].mean()}


def second(  # noqa: PLR0913 (what a stage is made of)
    recipe: Recipe, plan: Plan, course: Course, categories: Sequence[str], words: Any, begun: Path | None, out: Path,
    seed: int, steps: int, log: school.Log, told: Sequence[str] = (),
) -> None:  # fmt: skip
    """Train the whole model and save it in `out` as an ordinary Hugging Face model, without the perception heads.

    begun: a folder of stage 1 whose encoder it begins with. told: what is said before every question, by lesson.
    """
    vlm = models.vlm(recipe, words, seed)
    heads = Perception(vlm.width, truths.sizes(categories), seed=seed)
    if begun:
        load_encoder(vlm.model, begun, heads if plan.first == "perception" else None)
    model = _adapted(vlm.model, recipe)
    if plan.reward:
        model.perception = heads
    targets = Targets(vlm.cells, categories, plan.corrupt) if plan.reward else None
    pace = Pace(steps, recipe.batch, recipe.questions, recipe.blind_every)
    pages = Pages(course, pace, seed, vlm.processor, plan, targets, recipe.size, told)
    rates = {"perception": recipe.head_rate, "model.vision_tower": recipe.encoder_rate, "": recipe.learning_rate}
    school.run(model, pages, _joint(vlm, recipe, models.names(vlm.words, categories)), recipe, rates, out, seed, log)
    export(model, vlm.processor, out)


def _adapted(model: Any, recipe: Recipe) -> Any:
    """The model itself, eager on a CPU where that is quicker; with LoRA where the recipe has a rank."""
    if not torch.cuda.is_available():
        model.set_attn_implementation("eager")
    if not recipe.lora:
        return model
    import peft

    targets = ["q_proj", "k_proj", "v_proj", "o_proj"]
    config = peft.LoraConfig(
        r=recipe.lora, lora_alpha=2 * recipe.lora, target_modules=targets, modules_to_save=["multi_modal_projector"]
    )
    return peft.get_peft_model(model, config)


def _joint(vlm: models.Vlm, recipe: Recipe, names: tuple[torch.Tensor, ...]) -> school.Losses:
    """The language loss at every answer, and of images with targets the perceptual reward; one encoder pass for both."""

    def losses(model: Any, batch: dict[str, Any], step: int) -> school.Parts:
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        more: dict[str, Any] = {}
        parts: school.Parts = {}
        if "pixel_values" in batch:
            seen, projected, passed = models.looked(base, {"pixel_values": batch["pixel_values"]}, vlm.cells)
            more = {"mm_encoder_outputs": {"image": passed}}
        parts["words"] = words_loss(base, batch, more)
        if "truths" in batch:
            weight = recipe.reward * min(1.0, (step + 1) / max(1, recipe.reward_warm_up))
            parts |= {
                name: part
                for name, part in _reward(model, base, seen, projected, Truths(**batch["truths"]), recipe, names, weight).items()
            }
            if step % school.LOG_EVERY == 0 and torch.is_grad_enabled():
                parts["ratio"] = ratio(sum_of(parts, but="words"), parts["words"], passed.last_hidden_state)
        return parts

    return losses


def _reward(
    model: Any,
    base: Any,
    seen: torch.Tensor,
    projected: torch.Tensor,
    truth: Any,
    recipe: Recipe,
    names: tuple[torch.Tensor, ...],
    weight: float,
) -> school.Parts:
    told = model.perception(seen, truth)
    near = align(projected, base.get_input_embeddings().weight, names, truth)
    return {
        "contrast": weight * told["contrast"],
        "dense": weight * recipe.dense * told["dense"],
        "named": weight * recipe.words * near,
    }


def sum_of(parts: school.Parts, *, but: str) -> torch.Tensor:
    """All parts but one."""
    return torch.stack([part for name, part in parts.items() if name != but]).sum()


def ratio(reward: torch.Tensor, words: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """How much larger the reward's gradient is than the language loss's, at the encoder's features."""
    one, other = (torch.autograd.grad(loss, features, retain_graph=True)[0].float().norm() for loss in (reward, words))
    return (one / other.clamp(min=1e-12)).detach()


def words_loss(model: Any, batch: dict[str, Any], more: dict[str, Any]) -> torch.Tensor:
    """Cross-entropy where there is a label; logits are made there only."""
    seen = batch["attention_mask"]
    if model.config._attn_implementation == "eager":  # noqa: SLF001 (what adds a mask, and what takes a choice)
        seen = torch.zeros(seen.shape, device=seen.device).masked_fill(~seen, torch.finfo(torch.float32).min)
    states = model.model(
        input_ids=batch["input_ids"], attention_mask=seen, position_ids=batch["position_ids"], **more
    ).last_hidden_state
    after = batch["labels"][:, 1:]
    learnt = after != IGNORED
    return functional.cross_entropy(model.lm_head(states[:, :-1][learnt]).float(), after[learnt])


def load_encoder(model: Any, folder: Path, heads: Perception | None) -> None:
    """Put stage 1's encoder into the model, and its heads into ours. Raises BadInput where they do not fit."""
    from safetensors.torch import load_file

    from pstgen.records import BadInput

    tower = model.model.vision_tower
    missing, unexpected = tower.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    if missing or unexpected:
        raise BadInput(f"{folder}: an encoder that does not fit the model: {min([*missing, *unexpected])}")
    if heads:
        heads.load_state_dict(load_file(folder / HEADS))


def save_heads(heads: nn.Module, folder: Path) -> None:
    """The heads beside the encoder, for whoever wants to read what it sees."""
    from safetensors.torch import save_file

    save_file({name: tensor.contiguous() for name, tensor in heads.state_dict().items()}, folder / HEADS)


def export(model: Any, processor: Any, out: Path) -> None:
    """Drop the heads, merge adapters, and save an ordinary model."""
    heads = model.__dict__.get("_modules", {}).pop("perception", None)
    if heads is not None:
        save_heads(heads, out)
    whole = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
    whole.set_attn_implementation("sdpa")
    whole.save_pretrained(out)
    processor.save_pretrained(out)
    tidy(out)


def tidy(out: Path) -> None:
    """Checkpoints are not needed any more."""
    for checkpoint in out.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
