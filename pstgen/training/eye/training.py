"""Training: first the encoder learns what every patch shows, then the whole model to tell it, then to answer."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import msgspec
import torch
import transformers
from torch import nn
from torch.utils.data import DataLoader, Dataset

from pstgen.models.from_scratch import tokenizer
from pstgen.training.eye.lessons import Lessons
from pstgen.training.eye.model import CELLS, COUNT, IGNORED, Batch, Heads, Packer, build, names, prompt
from pstgen.training.eye.recipe import Recipe

CORPUS = 400  # pages that the tokenizer is trained on
KEEP_EVERY = 250  # steps between checkpoints
COOLING = 0.25  # of the steps, at the end
CHUNKS = 4  # of a batch's rows, by length
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
    heads = Heads(recipe.vision["hidden_size"], names(words)) if recipe.vision else None
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
        return self.recipe.look_steps + self.recipe.tell_steps + self.recipe.steps - self.first

    def __getitem__(self, index: int) -> Batch:
        torch.set_num_threads(1)
        step = index + self.first
        if index >= len(self):
            raise IndexError(index)
        blind = not self.recipe.vision or (self.recipe.blind_every and step % self.recipe.blind_every == 0)
        draw = self.lessons.heard if blind else self.lessons.seen
        if step < self.recipe.look_steps + self.recipe.tell_steps:
            draw = self.lessons.shown
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
            seen = self.model.model.get_image_features(pixel_values=pixels, return_dict=True)
            more = {"mm_encoder_outputs": {"image": seen}}
            weight, patches = 1.0 if looking else self.recipe.dense, batch.patches.to(where)
            parts["patches"] = weight * self.heads.loss(seen.last_hidden_state[:, 1:], patches)
            embedding = self.model.get_input_embeddings().weight
            parts["align"] = weight * self.heads.alignment(torch.stack(seen.pooler_output), embedding, patches)
        if not looking:
            parts["words"] = self._words(batch, where, more)
        return parts

    def _words(self, batch: Batch, where: torch.device, more: dict[str, Any]) -> torch.Tensor:
        """Cross-entropy where there is a label; logits are made there only."""
        told = [
            (states[:, :-1][after != IGNORED], after[after != IGNORED])
            for rows, states in hidden(self.model, batch, more, where)
            for after in [batch.labels[rows, 1 : states.shape[1]].to(where)]
        ]
        logits = self.model.lm_head(torch.cat([before for before, _ in told]))
        return nn.functional.cross_entropy(logits.float(), torch.cat([after for _, after in told]))

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


def hidden(model: Any, batch: Batch, more: dict[str, Any], where: torch.device) -> Iterator[tuple[slice, torch.Tensor]]:
    """Rows and their last hidden states, (rows, L, width), L their own longest: rows come sorted by length, in CHUNKS.

    The image's keys and values are made once a page.
    """
    begun = batch.begin.shape[1]
    shared = model.model(batch.begin.to(where), use_cache=True, **more).past_key_values if begun else None
    speaker = getattr(model.model, "language_model", model.model)
    size = -(-len(batch.ids) // CHUNKS)
    for first in range(0, len(batch.ids), size):
        rows = slice(first, first + size)
        ids = batch.ids[rows, : int(batch.lengths[rows].max())].to(where)
        cache, pages = transformers.DynamicCache(), batch.pages[rows].to(where)
        for n, layer in enumerate(shared.layers if shared else ()):
            cache.update(layer.keys[pages], layer.values[pages], n)
        positions = torch.arange(begun, begun + ids.shape[1], device=where).expand(len(ids), -1)
        told = speaker(ids, position_ids=positions, past_key_values=cache if begun else None, use_cache=bool(begun))
        yield rows, told.last_hidden_state


def _rate(step: int, recipe: Recipe) -> float:
    """Warm up at the start, and again when words join, hold, and go down in a line over the last quarter."""
    begun = step if step < recipe.look_steps else step - recipe.look_steps
    warm = min(1.0, (begun + 1) / max(1, recipe.warm_up))
    left = 1 - step / (recipe.look_steps + recipe.tell_steps + recipe.steps)
    return recipe.learning_rate * warm * min(1.0, left / COOLING)


def _autocast(where: torch.device) -> AbstractContextManager[Any]:
    """bf16 where the processor multiplies it quickly; on others it is far slower than float32."""
    fast = where.type == "cuda" or (where.type == "cpu" and torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001 (nothing public tells)
    return torch.autocast(where.type, torch.bfloat16) if fast else nullcontext()
