"""Training: stage 1 teaches the encoder what every patch shows, stage 2 the whole model to answer."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import msgspec
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from pstgen.eye.lessons import Lessons
from pstgen.eye.model import CELLS, COUNT, IGNORED, Batch, Heads, Packer, build, prompt, tokenizer
from pstgen.eye.recipe import Recipe

CORPUS = 400  # pages that the tokenizer is trained on
KEEP_EVERY = 250  # steps between checkpoints
COOLING = 0.25  # of the steps, at the end
CLIP = 1.0  # largest norm of the gradient


class Log(Protocol):
    """Shows one line of a running training."""

    def __call__(self, step: int, figures: dict[str, float], /) -> None:
        """Figures of the step: loss and its parts."""
        ...


def train(recipe: Recipe, out: Path, log: Log, device: str = "auto") -> None:
    """Train by the recipe and save model and processor in `out`, in Hugging Face format.

    A run that was cut off goes on from `out`'s last checkpoint when it is started again.
    """
    out.mkdir(parents=True, exist_ok=True)
    where = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    lessons = Lessons(recipe, _cells(recipe))
    words = tokenizer(_corpus(lessons), recipe.vocabulary)
    model, processor = build(recipe, words)
    if where == "cpu":
        model.set_attn_implementation("eager")  # its backward pass is far quicker there than that of the fused kernel
    heads = Heads(recipe.vision.get("hidden_size", 1)) if recipe.vision else None
    school = _School(recipe, model.to(where), heads.to(where) if heads else None, out / "checkpoint")
    first = school.restore()
    batches: Iterable[Batch] = DataLoader(
        _Steps(recipe, lessons, words, first), batch_size=None, num_workers=1, prefetch_factor=8
    )
    for step, batch in enumerate(batches, first):
        figures = school.learn(step, batch)
        log(step, figures)
        if (step + 1) % KEEP_EVERY == 0:
            school.keep(step + 1)
    model.half().save_pretrained(out)
    processor.save_pretrained(out)
    (out / "checkpoint").unlink(missing_ok=True)
    (out / "recipe.json").write_bytes(msgspec.json.format(msgspec.json.encode(recipe)))


def _cells(recipe: Recipe) -> int:
    return CELLS * (recipe.size // recipe.vision["patch_size"]) if recipe.vision else 1


def _corpus(lessons: Lessons) -> Iterator[str]:
    for page in map(lessons.heard, range(CORPUS)):
        yield from (f"USER: {prompt(question)} ASSISTANT: {question.answer}" for question in page.questions)
        yield from (prompt(question) for question in page.questions)
        yield from chain.from_iterable((f" {option}" for option in question.options) for question in page.questions)
        yield from (f" {caption}" for caption in page.captions)
    for page in map(lessons.seen, range(CORPUS // 4)):
        yield from (f"{COUNT} ASSISTANT: {name} {there}," for name, there in page.inventory)


class _Steps(Dataset[Batch]):
    """Step → batch; every step's is the same whenever it is asked for."""

    def __init__(self, recipe: Recipe, lessons: Lessons, words: Any, first: int) -> None:
        self.recipe, self.lessons, self.first = recipe, lessons, first
        self.packer = Packer(words, recipe)

    def __len__(self) -> int:
        return self.recipe.look_steps + self.recipe.steps - self.first

    def __getitem__(self, index: int) -> Batch:
        torch.set_num_threads(1)
        step = index + self.first
        if index >= len(self):
            raise IndexError(index)
        blind = not self.recipe.vision or (self.recipe.blind_every and step % self.recipe.blind_every == 0)
        draw = self.lessons.heard if blind and step >= self.recipe.look_steps else self.lessons.seen
        return self.packer.pack([draw(step * self.recipe.batch + n) for n in range(self.recipe.batch)])


class _School:
    """Model, heads and optimizer, one step at a time."""

    def __init__(self, recipe: Recipe, model: Any, heads: Heads | None, kept: Path) -> None:
        self.recipe, self.model, self.heads, self.kept = recipe, model, heads, kept
        named = dict(chain(model.named_parameters(), heads.named_parameters(prefix="heads") if heads else ()))
        self.named = named
        groups = [
            {"params": [p for p in named.values() if p.ndim > 1], "weight_decay": recipe.weight_decay},
            {"params": [p for p in named.values() if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98))

    def learn(self, step: int, batch: Batch) -> dict[str, float]:
        """One step; returns its figures."""
        where = next(iter(self.named.values())).device
        self.model.train()
        rate = _rate(step, self.recipe)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with _autocast(where):
            parts = self._losses(step, batch, where)
        loss = sum(parts.values(), start=torch.zeros((), device=where))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.named.values(), CLIP)
        self.optimizer.step()
        return {name: part.item() for name, part in parts.items()} | {"norm": norm.item(), "rate": rate}

    def _losses(self, step: int, batch: Batch, where: torch.device) -> dict[str, torch.Tensor]:
        parts: dict[str, torch.Tensor] = {}
        looking = step < self.recipe.look_steps
        more: dict[str, Any] = {}
        if batch.pixels is not None and self.heads is not None and batch.patches is not None:
            pixels = batch.pixels.to(where)
            if looking:
                features = self.model.model.vision_tower(pixels).last_hidden_state
            else:
                seen = self.model.model.get_image_features(pixel_values=pixels, return_dict=True)
                features, more = seen.last_hidden_state, {"mm_encoder_outputs": {"image": seen}}
            weight = 1.0 if looking else self.recipe.dense
            parts["patches"] = weight * self.heads.loss(features[:, 1:], batch.patches.to(where))
        if not looking:
            parts["words"] = self._words(batch, where, more)
        return parts

    def _words(self, batch: Batch, where: torch.device, more: dict[str, Any]) -> torch.Tensor:
        """Cross-entropy where there is a label; logits are made there only."""
        before, after = hidden(self.model, batch, more, where)[:, :-1], batch.labels[:, 1:].to(where)
        logits = self.model.lm_head(before[after != IGNORED])
        return nn.functional.cross_entropy(logits.float(), after[after != IGNORED])

    def keep(self, step: int) -> None:
        """Write everything that the next step needs, atomically."""
        from safetensors.torch import save_file

        tensors = {f"parameter/{name}": p.detach() for name, p in self.named.items()}
        for name, p in self.named.items():
            tensors |= {
                f"{part}/{name}": self.optimizer.state[p][part]
                for part in ("exp_avg", "exp_avg_sq")
                if p in self.optimizer.state and part in self.optimizer.state[p]
            }
        made = self.kept.with_suffix(".part")
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, made, {"step": str(step)})
        made.replace(self.kept)

    def restore(self) -> int:
        """Take up the last checkpoint, if there is one; returns the step to begin with."""
        from safetensors import safe_open

        if not self.kept.is_file():
            return 0
        with safe_open(self.kept, "pt") as kept:
            step = int(kept.metadata()["step"])
            names = set(kept.keys())
            for name, p in self.named.items():
                p.data.copy_(kept.get_tensor(f"parameter/{name}"))
                if f"exp_avg/{name}" in names:
                    moments = {
                        part: kept.get_tensor(f"{part}/{name}").to(p.device) for part in ("exp_avg", "exp_avg_sq")
                    }
                    self.optimizer.state[p] = {"step": torch.tensor(float(step)), **moments}
        return step


def hidden(model: Any, batch: Batch, more: dict[str, Any], where: torch.device) -> torch.Tensor:
    """(R, L, width): the last hidden states of all rows; the image's keys and values are made once a page."""
    shared, begun = None, batch.begin.shape[1]
    if begun:
        shared = model.model(batch.begin.to(where), use_cache=True, **more).past_key_values
        shared.batch_select_indices(batch.pages.to(where))
    rows, length = batch.ids.shape
    positions = torch.arange(begun, begun + length, device=where).expand(rows, -1)
    speaker = getattr(model.model, "language_model", model.model)
    told = speaker(batch.ids.to(where), position_ids=positions, past_key_values=shared, use_cache=bool(begun))
    states: torch.Tensor = told.last_hidden_state
    return states


def _rate(step: int, recipe: Recipe) -> float:
    """Warm up at the start of each stage, hold, and go down in a line over the last quarter."""
    begun = step if step < recipe.look_steps else step - recipe.look_steps
    warm = min(1.0, (begun + 1) / max(1, recipe.warm_up))
    left = 1 - step / (recipe.look_steps + recipe.steps)
    return recipe.learning_rate * warm * min(1.0, left / COOLING)


def _autocast(where: torch.device) -> AbstractContextManager[Any]:
    """bf16 where the processor multiplies it quickly; on others it is far slower than float32."""
    fast = where.type == "cuda" or (where.type == "cpu" and torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001 (nothing public tells)
    return torch.autocast(where.type, torch.bfloat16) if fast else nullcontext()
