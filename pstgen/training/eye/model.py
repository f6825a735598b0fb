"""The eye's parts: its model, the heads that read its patches, and packed batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import nn

from pstgen.models import from_scratch
from pstgen.models.huggingface import prompt as worded
from pstgen.scenes.truth.colour import NAMES as COLOURS
from pstgen.scenes.vocabulary import plural, spoken
from pstgen.scenes.world.plan import kinds
from pstgen.training.eye.lessons import Page, Question
from pstgen.training.eye.recipe import Recipe

CELLS = 2  # a side, that a patch tells of
FACTORS = (1 + len(kinds()), 2 + len(COLOURS), 1 + len(kinds()))  # what a cell shows: category, colour, centre of
BACKDROP = 0.15  # weight of a cell that shows none
IGNORED = -100
TEMPERATURE = 0.1  # of the contrast between patches and words
NOTHING = 0.3  # cosine below which a patch is near no word
COUNT = "Say what there is of each."
KINDS = 4  # of things, a row of an inventory

Parts = list[tuple[str, bool]]  # a row's text in parts; True: to be learnt


@dataclass
class Batch:
    """Questions as rows that share the keys and values of their page's image, so that it is read once.

    begin: (B, P) int64, the tokens up to and with the image; P = 0 where there is none. pages: (R,) each row's page.
    ids, labels: (R, L) int64, padded on the right, shorter rows first; labels are IGNORED but at the answer.
    lengths: (R,) tokens of each row.
    pixels: (B, 3, S, S) float32 or None. patches: (B, grid, grid, CELLS, CELLS, 3) int64, or None.
    """

    begin: torch.Tensor
    pages: torch.Tensor
    ids: torch.Tensor
    labels: torch.Tensor
    lengths: torch.Tensor
    pixels: torch.Tensor | None = None
    patches: torch.Tensor | None = None


def build(recipe: Recipe, words: Any) -> tuple[Any, Any]:
    """Random weights, by the recipe's seed: (model, processor); a causal language model where it has no vision."""
    if not recipe.vision:
        return from_scratch.llama(words, recipe.text, recipe.seed), words
    return from_scratch.llava(words, recipe.vision, recipe.text, recipe.size, recipe.seed)


class Heads(nn.Module):
    """From each patch's features, what its cells show; dropped when the eye is saved.

    named: for categories and for colours, (N, T) token ids of the words that name each, padded with -1.
    """

    def __init__(self, width: int, named: tuple[torch.Tensor, ...] = ()) -> None:
        super().__init__()
        self.read = nn.Linear(width, CELLS * CELLS * sum(FACTORS))
        self.named = named

    def alignment(self, projected: torch.Tensor, embedding: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
        """Contrast each patch, as the language model gets it, with the embeddings of the words that name what it shows.

        The word that names it should be nearest, by cosine over TEMPERATURE, and no word where there is backdrop.
        projected: (B, patches, width of the words); embedding: (vocabulary, the same).
        """
        seen = nn.functional.normalize(projected.float(), dim=-1).flatten(0, 1)
        cells = patches.flatten(0, 2).flatten(1, 2).unbind(-1)  # of each factor (patches, cells)
        losses = []
        for ids, truth in zip(self.named, cells[: len(self.named)], strict=True):
            known = (ids >= 0).to(seen.device)
            codes = (embedding.float()[ids.clamp(min=0).to(seen.device)] * known[:, :, None]).sum(1)
            near = seen @ nn.functional.normalize(codes, dim=-1).T
            logits = torch.cat([near.new_full((len(near), 1), NOTHING), near], dim=1) / TEMPERATURE
            weight = torch.ones(logits.shape[1], device=seen.device)
            weight[0] = BACKDROP
            told = torch.where(truth > len(codes), IGNORED, truth)  # things of no one colour
            every = logits[:, :, None].expand(-1, -1, told.shape[1])
            losses.append(nn.functional.cross_entropy(every, told, weight, ignore_index=IGNORED))
        return torch.stack(losses).mean()

    def loss(self, features: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy over factors; the backdrop counts for little. features: (B, patches, width)."""
        told = self.read(features).float().view(-1, sum(FACTORS)).split(FACTORS, dim=-1)
        true = patches.view(-1, len(FACTORS)).unbind(-1)
        losses = []
        for logits, truth in zip(told, true, strict=True):
            weight = torch.ones(logits.shape[-1], device=logits.device)
            weight[0] = BACKDROP
            losses.append(nn.functional.cross_entropy(logits, truth, weight, ignore_index=IGNORED))
        return torch.stack(losses).mean()


def names(words: Any) -> tuple[torch.Tensor, ...]:
    """Token ids of the words that name each category, singular and plural, and each colour: (N, T) int64, padded with -1."""
    nouns = [{noun, plural(noun)} for noun in map(spoken, kinds())]
    return tuple(_table(words, told) for told in (nouns, [{name} for name in COLOURS]))


def _table(words: Any, told: Sequence[set[str]]) -> torch.Tensor:
    rows = [
        sorted({i for name in some for i in words(f" {name}", add_special_tokens=False)["input_ids"]}) for some in told
    ]
    table = torch.full((len(rows), max(map(len, rows))), -1)
    for row, ids in zip(table, rows, strict=True):
        row[: len(ids)] = torch.tensor(ids)
    return table


def prompt(question: Question) -> str:
    """As the judge asks it."""
    return worded(question.text, question.options)


class Packer:
    """Pages → a batch."""

    def __init__(self, words: Any, recipe: Recipe) -> None:
        self.words, self.recipe = words, recipe
        self.grid = recipe.size // recipe.vision.get("patch_size", recipe.size)
        image = "<image>" * self.grid**2
        self.looking = self._ids(f"USER: {image}\n")

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.words(text, add_special_tokens=False)["input_ids"]
        return ids

    def pack(self, pages: Sequence[Page]) -> Batch:
        """All pages have an image, or none has."""
        sees = pages[0].pixels is not None
        rows = [(n, self._encoded(parts)) for n, page in enumerate(pages) for parts in self._parts(page, sees=sees)]
        rows.sort(key=lambda row: len(row[1][0]))
        lengths = np.array([len(ids) for _, (ids, _) in rows])
        ids = np.full((len(rows), lengths[-1]), self.words.pad_token_id, np.int64)
        labels = np.full_like(ids, IGNORED)
        for row, (_, (told, learnt)) in enumerate(rows):
            ids[row, : len(told)] = told
            labels[row, : len(told)] = np.where(learnt, told, IGNORED)
        begin = np.tile(np.array(self.looking if sees else [], np.int64), (len(pages), 1))
        ours = map(torch.from_numpy, (begin, np.array([n for n, _ in rows]), ids, labels, lengths))
        return Batch(*ours, **(self._images(pages) if sees else {}))

    def _parts(self, page: Page, *, sees: bool) -> Iterator[Parts]:
        """The rows of a page: its questions, its captions, and its inventory."""
        end = str(self.words.eos_token)
        user = "" if sees else "USER: "
        for question in page.questions:
            yield [(f"{user}{prompt(question)} ASSISTANT:", False), (f" {question.answer}{end}", True)]
        for caption in page.captions:
            yield [(f" {caption}{end}", True)]
        for first in range(0, len(page.inventory), KINDS):
            kinds = page.inventory[first : first + KINDS]
            named = ([(f" {name}", False), (f" {there},", True)] for name, there in kinds)
            yield [(f"{COUNT} ASSISTANT:", False), *chain.from_iterable(named)]

    def _encoded(self, parts: Parts) -> tuple[list[int], list[bool]]:
        """Token ids of a row, and which of them are to be learnt."""
        told = [(self._ids(text), learnt) for text, learnt in parts]
        return [i for ids, _ in told for i in ids], [learnt for ids, learnt in told for _ in ids]

    def _images(self, pages: Sequence[Page]) -> dict[str, torch.Tensor]:
        pixels = np.stack([page.pixels for page in pages if page.pixels is not None])
        cells = self.grid * CELLS
        blank = np.full((cells, cells, len(FACTORS)), IGNORED)
        patches = np.stack([blank if page.patches is None else page.patches for page in pages])
        patches = patches.reshape(len(pages), self.grid, CELLS, self.grid, CELLS, -1).transpose(0, 1, 3, 2, 4, 5)
        looks = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
        return {"pixels": looks.float() / 127.5 - 1, "patches": torch.from_numpy(np.ascontiguousarray(patches))}
