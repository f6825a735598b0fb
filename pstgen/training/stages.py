"""Stage 1: the image encoder against perceptual targets. Stage 2: language loss plus lambda times the perceptual reward."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any, Literal

import msgspec
import torch
from torch import nn
from torch.nn import functional

from pstgen.core.records import BadInput
from pstgen.dataset import store
from pstgen.models.flops import count_flops
from pstgen.models.perceptual_losses import Perception, Truths, align
from pstgen.models.tools import BATCH, HEADS, opened
from pstgen.scenes import pixels
from pstgen.training import grid_targets, modeling, trainer
from pstgen.training.batches import IGNORED, Looks, Pace, Pages, Steps, Targets
from pstgen.training.examples import Course
from pstgen.training.recipe import Recipe
from pstgen.training.systems import Plan

DONE = "learnt.json"
LOOKS = ("pixel_values", "image_grid_thw")  # what an image encoder gets; the grid of patches is Qwen2.5-VL's
ENCODERS = ("model.vision_tower", "model.visual")  # beginnings of its weights' names: LLaVA's, Qwen2.5-VL's
CONNECTORS = ("model.multi_modal_projector", "model.visual.merger")  # likewise
COUNTED = 3  # batches of a kind, whose FLOPs stand for all
STATE = 16.0  # bytes a parameter: itself, its gradient and two averages of the optimizer


@dataclass(frozen=True)
class Task:
    """One stage of one system, ready to be learnt in any process.

    stage: encoder (1) or joint (2).
    course, words: folders of lessons and tokenizer. begun: a folder of stage 1, whose encoder stage 2 begins with;
    detector: one that tools use.
    """

    recipe: Recipe
    plan: Plan
    course: Path
    words: Path
    out: Path
    stage: Literal["encoder", "joint"]
    seed: int
    steps: int
    begun: Path | None = None
    detector: Path | None = None


class Learnt(msgspec.Struct, frozen=True):
    """What a stage cost: FLOPs of one step are counted. memory: bytes that one step keeps for its backward pass."""

    steps: int
    parameters: int
    step_flops: float
    memory: float
    seconds: float = 0.0

    @property
    def flops(self) -> float:
        """Of all steps."""
        return self.steps * self.step_flops


@dataclass(frozen=True)
class Stage:
    """A model, its batches, and what is learnt from them. save: what is left in the folder at the end."""

    model: Any
    steps: Steps
    losses: trainer.Losses
    rates: dict[str, float]
    save: Callable[[], None]


def learn(task: Task, log: trainer.Log) -> Learnt:
    """Train one stage, or find that it is trained; a run that was cut off goes on from its last checkpoint."""
    done = task.out / DONE
    if done.is_file():
        return msgspec.json.decode(done.read_bytes(), type=Learnt)
    start, stage = perf_counter(), ready(task)
    learnt = weigh(stage, task)
    with trainer.space(task.out):
        trainer.run(stage.model, stage.steps, stage.losses, task.recipe, stage.rates, task.out, task.seed, log)
        stage.save()
        told = msgspec.structs.replace(learnt, seconds=round(perf_counter() - start, 1))
        store.put(done, msgspec.json.format(msgspec.json.encode(told)) + b"\n")
    for checkpoint in task.out.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
    return told


def weigh(stage: Stage, task: Task) -> Learnt:
    """Count parameters, and FLOPs and memory of a step; nothing is learnt. Steps of words alone cost less, and count so."""
    trainer.freeze(stage.model, task.recipe.frozen)
    numbers = range(len(stage.steps))
    blind = set(filter(stage.steps.pace.blind, numbers))
    kinds = ([n for n in numbers if n not in blind], sorted(blind))
    told = [(len(some), *counted(stage, some[:COUNTED])) for some in kinds if some]
    number = parameters(stage)
    whole = sum(n * flops for n, flops, _ in told)
    return Learnt(task.steps, number, whole / max(1, len(numbers)), told[0][-1] + STATE * number)


def parameters(stage: Stage) -> int:
    """How many numbers the model has, heads included."""
    return sum(parameter.numel() for parameter in stage.model.parameters())


def counted(stage: Stage, numbers: Sequence[int]) -> tuple[float, float]:
    """FLOPs of a step, the mean of these, and the bytes that the first of them keeps for its backward pass."""
    with _kept() as kept:
        flops = [count_flops(partial(step, stage, numbers[0]))]
    flops += [count_flops(partial(step, stage, n)) for n in numbers[1:]]
    stage.model.zero_grad(set_to_none=True)
    return fmean(flops), float(sum(kept.values()))


def step(stage: Stage, n: int) -> None:
    """One step without its update, as it will be done: on the accelerator where there is one."""
    from accelerate.utils import send_to_device

    device = "cuda" if torch.cuda.is_available() else "cpu"
    batch = send_to_device(stage.steps[n], device)
    with torch.autocast(device, torch.bfloat16, enabled=trainer.quick_bf16()):
        loss = trainer.whole(stage.losses(stage.model.to(device), batch, 1))
    loss.backward()


@contextmanager
def _kept() -> Iterator[dict[int, int]]:
    """Bytes of the tensors that are kept for the backward pass, by their place in memory."""
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield kept


def ready(task: Task) -> Stage:
    """Make a stage's model, heads and batches."""
    return _encoder(task) if task.stage == "encoder" else _joint(task)


def pace(task: Task) -> Pace:
    """How many steps a stage has, and of what."""
    recipe = task.recipe
    blind_every = recipe.blind_every if task.stage == "joint" else 0
    return Pace(task.steps, recipe.batch, recipe.questions, blind_every)


# ---------------------------------------------------------------------------------------------------------- stage 1


def _encoder(task: Task) -> Stage:
    """The encoder alone, saved as a plain Transformers backbone, its heads beside it."""
    recipe, course = task.recipe, Course(task.course)
    categories = course.lesson(0).scene.categories
    model = modeling.encoder(recipe, task.seed)
    cells = modeling.side(model, recipe.size)
    hidden = task.plan.first == "self-supervised"
    width = modeling.width(model)
    pixels_of = nn.Linear(width, 3 * (recipe.size // cells) ** 2)
    model.perception = pixels_of if hidden else Perception(width, grid_targets.sizes(categories), seed=task.seed)
    targets = Targets(cells, categories, task.plan.corrupt)
    spread = modeling.spread(recipe)
    told = {
        "categories": categories,
        "cells": cells,
        "size": recipe.size,
        "width": width,
        "sizes": grid_targets.sizes(categories),
        **spread._asdict(),
    }

    def save() -> None:
        heads = model.perception
        del model.perception
        model.save_pretrained(task.out)
        _save_heads(heads, task.out, told)

    return Stage(
        model=model,
        steps=Looks(course, pace(task), task.seed, targets, recipe.size, hidden=hidden, spread=spread),
        losses=_guess if hidden else _perceive(cells, recipe.dense),
        rates={"perception": recipe.head_rate, "": recipe.encoder_rate},
        save=save,
    )


def _perceive(cells: int, dense: float) -> trainer.Losses:
    def losses(model: Any, batch: dict[str, Any], step: int) -> trainer.Parts:  # noqa: ARG001
        features = modeling.features(model, batch["pixel_values"], cells)
        parts: trainer.Parts = model.perception(features, Truths(**batch["truths"]))
        return {"contrast": parts["contrast"], "dense": dense * parts["dense"]}

    return losses


def _guess(model: Any, batch: dict[str, Any], step: int) -> trainer.Parts:  # noqa: ARG001
    """L1 of the hidden patches' pixels, as SimMIM (Xie et al. 2022): hidden ones are grey in the input."""
    covered = batch["covered"]
    cells = int(covered.shape[1] ** 0.5)
    told = model.perception(modeling.features(model, batch["pixel_values"], cells)).float()
    patch = batch["whole"].shape[-1] // cells
    whole = functional.unfold(batch["whole"].float(), patch, stride=patch).transpose(1, 2)
    return {"pixels": (told - whole).abs().mean(-1)[covered].mean()}


# ---------------------------------------------------------------------------------------------------------- stage 2


def _joint(task: Task) -> Stage:
    """The whole model, saved as an ordinary Hugging Face model without the perception heads."""
    recipe, course = task.recipe, Course(task.course)
    categories = course.lesson(0).scene.categories
    vlm = modeling.vlm(recipe, None if recipe.model else modeling.tokenizer(task.words), task.seed)
    heads = Perception(vlm.width, grid_targets.sizes(categories), seed=task.seed)
    if task.begun:
        _begin(vlm.model, task.begun, heads if task.plan.first == "perception" else None)
    model = _adapted(vlm.model, recipe)
    if task.plan.reward:
        model.perception = heads
    targets = Targets(vlm.cells, categories, task.plan.corrupt, cache(vlm.window)) if task.plan.reward else None
    told = _tools(course, task.detector, recipe.ocr) if task.plan.told == "tools" and task.detector else ()
    return Stage(
        model=model,
        steps=Pages(course, pace(task), task.seed, vlm, task.plan, targets, told),
        losses=_reward(vlm, recipe, modeling.names(vlm.words, categories)),
        rates={
            "perception": recipe.head_rate,
            **dict.fromkeys(CONNECTORS, recipe.connector_rate),
            **dict.fromkeys(ENCODERS, recipe.encoder_rate),
            "": recipe.learning_rate,
        },
        save=lambda: _export(model, vlm.processor, task.out),
    )


def _tools(course: Course, detector: Path, ocr: str) -> list[str]:
    """What the tools say of every lesson's image."""
    tools = opened(str(detector), ocr)
    told: list[str] = []
    for start in range(0, len(course), BATCH):
        lessons = (course.lesson(n) for n in range(start, min(start + BATCH, len(course))))
        told += tools([pixels.read(lesson.scene.path) for lesson in lessons])
    return told


def _adapted(model: Any, recipe: Recipe) -> Any:
    """The model itself, eager on a CPU where that is quicker; with LoRA where the recipe has a rank."""
    if not torch.cuda.is_available():
        model.set_attn_implementation("eager")
    if not recipe.lora:
        return model
    import peft

    config = peft.LoraConfig(
        r=recipe.lora,
        lora_alpha=2 * recipe.lora,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj"],
        modules_to_save=["multi_modal_projector" if model.config.model_type == "llava" else "merger"],
    )
    return peft.get_peft_model(model, config)


def _reward(vlm: modeling.Vlm, recipe: Recipe, names: tuple[torch.Tensor, ...]) -> trainer.Losses:
    """The language loss at every answer, and of images with targets the perceptual reward; one encoder pass for both."""

    def losses(model: Any, batch: dict[str, Any], step: int) -> trainer.Parts:
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        if "pixel_values" not in batch:
            return {"words": words_loss(base, batch, {})}
        seen, projected, passed = modeling.looked(
            base, {name: batch[name] for name in LOOKS if name in batch}, vlm.cells
        )
        parts = {"words": words_loss(base, batch, {"mm_encoder_outputs": {"image": passed}})}
        if "truths" in batch:
            weight = recipe.reward * min(1.0, (step + 1) / max(1, recipe.reward_warm_up))
            truth = Truths(**batch["truths"])
            read = model.perception(seen, truth)
            near = align(projected, base.get_input_embeddings().weight, names, truth)
            parts |= {
                "contrast": weight * read["contrast"],
                "dense": weight * recipe.dense * read["dense"],
                "named": weight * recipe.words * near,
            }
            read_by_both = modeling.layers(base, passed)
            if step % trainer.LOG_EVERY == 0 and all(layer.requires_grad for layer in read_by_both):
                parts["ratio"] = ratio(parts, read_by_both)
        return parts

    return losses


def ratio(parts: trainer.Parts, layers: Sequence[torch.Tensor]) -> torch.Tensor:
    """How much larger the reward's gradient is than the language loss's, at the encoder's layers that both read."""
    reward = torch.stack([part for name, part in parts.items() if name != "words"]).sum()
    one, other = (
        torch.stack([part.float().norm() for part in torch.autograd.grad(loss, layers, retain_graph=True)]).norm()
        for loss in (reward, parts["words"])
    )
    return (one / other.clamp(min=1e-12)).detach()


def words_loss(model: Any, batch: dict[str, Any], more: dict[str, Any]) -> torch.Tensor:
    """Cross-entropy where there is a label; logits are made there only."""
    seen = batch["attention_mask"]
    if model.config._attn_implementation == "eager":  # noqa: SLF001 (eager adds a mask, the others choose by it)
        seen = torch.zeros(seen.shape, device=seen.device).masked_fill(~seen, torch.finfo(torch.float32).min)
    states = model.model(
        input_ids=batch["input_ids"], attention_mask=seen, position_ids=batch["position_ids"], **more
    ).last_hidden_state
    after = batch["labels"][:, 1:]
    learnt = after != IGNORED
    return functional.cross_entropy(model.lm_head(states[:, :-1][learnt]).float(), after[learnt])


def _begin(model: Any, folder: Path, heads: Perception | None) -> None:
    """Put stage 1's encoder into the model, and its heads into ours where they read the same layer: its last.

    Raises BadInput where it does not fit.
    """
    from safetensors.torch import load_file

    if model.config.model_type != "llava":
        raise BadInput(f"{folder}: stage 1 gives its encoder to a LLaVA alone; set encoder_steps to 0")
    kept = load_file(folder / "model.safetensors")
    tower = model.model.vision_tower.state_dict()
    if misfits := sorted(
        name
        for name in {*kept, *tower}
        if name not in kept or name not in tower or kept[name].shape != tower[name].shape
    ):
        raise BadInput(f"{folder}: an encoder that does not fit the model: {misfits[0]} (and {len(misfits) - 1} more)")
    model.model.vision_tower.load_state_dict(kept)
    if heads and modeling.reads_last(model.config):
        heads.load_state_dict(load_file(folder / HEADS))


def _save_heads(heads: nn.Module, folder: Path, told: dict[str, Any]) -> None:
    """The heads beside the encoder, for whoever wants to read what it sees."""
    from safetensors.torch import save_file

    tensors = {name: tensor.contiguous() for name, tensor in heads.state_dict().items()}
    save_file(tensors, folder / HEADS, {"told": msgspec.json.encode(told).decode()})


def _export(model: Any, processor: Any, out: Path) -> None:
    """Drop the heads, merge adapters, and save an ordinary model."""
    if hasattr(model, "perception"):
        del model.perception
    whole = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
    whole.set_attn_implementation("sdpa")
    whole.save_pretrained(out)
    processor.save_pretrained(out)
