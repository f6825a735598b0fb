"""Steps → batches, the same whenever one is asked for, so that a run that was cut off goes on as if it had not been."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from pstgen.core.records import Scene
from pstgen.models.perceptual_losses import GridTargets
from pstgen.models.tools import encoder_pixels
from pstgen.scenes import pixels
from pstgen.training import grid_targets
from pstgen.training.examples import Example, Examples, Question, is_labelled
from pstgen.training.modeling import Normalization, Vlm
from pstgen.training.systems import Plan

IGNORED = -100
MAX_CAPTIONS = 2  # of a scene, that are read where there is no image
PLACEHOLDER = "QUESTION"  # where a question stands in a template
MASKED = 0.6  # of the patches that self-supervision hides
LENGTH_STEP = 32  # tokens: rows are padded to a multiple, since a matrix product of a new shape costs a compilation

Part = tuple[list[int], list[bool]]  # token ids, and which of them are learnt


@dataclass(frozen=True)
class StepPlan:
    """How many steps, and of how many images and questions."""

    steps: int
    batch: int
    questions: int
    blind_every: int = 0

    def is_blind(self, step: int) -> bool:
        """Is this step one of words alone?"""
        return bool(self.blind_every) and step % self.blind_every == self.blind_every - 1


class Batches(Dataset[dict[str, Any]]):
    """Batches by number. Subclasses say what they hold."""

    def __init__(self, plan: StepPlan) -> None:
        self.plan = plan

    def __len__(self) -> int:
        return self.plan.steps

    def kind(self, step: int) -> str:
        """Steps of one kind cost about the same."""
        return "blind" if self.plan.is_blind(step) else "seeing"

    def scenes(self, step: int) -> list[str]:
        """Names of a step's scenes."""
        raise NotImplementedError


class ExampleBatches(Batches):
    """Batches of examples on disk: all in an order drawn by the seed, then all in another."""

    def __init__(self, examples: Examples, plan: StepPlan, seed: int) -> None:
        super().__init__(plan)
        self.examples, self.seed = examples, seed

    def numbers(self, step: int) -> list[int]:
        """The numbers of a step's examples."""
        first, size = step * self.plan.batch, len(self.examples)
        return [int(self._order(n // size)[n % size]) for n in range(first, first + self.plan.batch)]

    def scenes(self, step: int) -> list[str]:
        """Names of a step's scenes."""
        return [self.examples[n].scene.id for n in self.numbers(step)]

    def after(self, numbers: Sequence[int]) -> Example:
        """Another example than the last of these."""
        return self.examples[(numbers[-1] + 1) % len(self.examples)]

    def _order(self, epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng((self.seed, epoch)).permutation(len(self.examples))


class TargetBuilder:
    """Examples → perceptual targets on a grid, or what a control makes of them.

    window: of an image's width and height, what of it the encoder sees; by default all. labelled: the share of the scenes
    that have targets; nothing is known of the others.
    """

    def __init__(
        self, cells: int, categories: Sequence[str], corruption: grid_targets.Corruption,
        window: Callable[[int, int], grid_targets.Window] | None = None, labelled: float = 1.0,
    ) -> None:  # fmt: skip
        self.cells, self.categories, self.corruption, self.window = cells, categories, corruption, window
        self.labelled = labelled

    def build(self, examples: Sequence[Example], after: Example) -> GridTargets:
        """The targets of a batch; a control's other scene is the next one, and `after` that of the last one."""
        grids = [self._grid(example.scene) for example in examples]
        if self.corruption:
            others = [*grids[1:], self._grid(after.scene)]
            names = [example.scene.id for example in examples]
            grids = [
                grid_targets.corrupt(grid, other, self.corruption, name, self.categories) if self._has(name) else grid
                for grid, other, name in zip(grids, others, names, strict=True)
            ]
        return grid_targets.collate(grids)

    def _has(self, name: str) -> bool:
        return is_labelled(name, self.labelled)

    def _grid(self, scene: Scene) -> grid_targets.Grid:
        if not self._has(scene.id):
            return grid_targets.unlabelled(self.cells)
        window = self.window(scene.width, scene.height) if self.window else None
        return grid_targets.from_scene(scene, self.cells, self.categories, window)


class EncoderBatches(ExampleBatches):
    """Stage 1: images with perceptual targets, or images of which some patches are masked."""

    def __init__(  # noqa: PLR0913 (what is drawn, and how)
        self, examples: Examples, plan: StepPlan, seed: int, targets: TargetBuilder, size: int, *, masked: bool,
        normalization: Normalization = Normalization(),  # noqa: B008 (frozen)
    ) -> None:  # fmt: skip
        super().__init__(examples, plan, seed)
        self.targets, self.size, self.masked, self.normalization = targets, size, masked, normalization

    def __getitem__(self, step: int) -> dict[str, Any]:
        """One batch."""
        numbers = self.numbers(step)
        examples = [self.examples[n] for n in numbers]
        images = encoder_pixels(
            (pixels.read(example.scene.path) for example in examples), self.size, *self.normalization
        )
        if self.masked:
            return self._mask(images, step)
        targets = self.targets.build(examples, self.after(numbers))
        return {"pixel_values": torch.from_numpy(images), "targets": targets._asdict()}

    def _mask(self, images: NDArray[np.float32], step: int) -> dict[str, Any]:
        cells, patch = self.targets.cells, self.size // self.targets.cells
        mask = np.random.default_rng((self.seed, step)).random((len(images), cells, cells)) < MASKED
        pixel_mask = mask.repeat(patch, 1).repeat(patch, 2)[:, None]
        return {
            "pixel_values": torch.from_numpy(np.where(pixel_mask, np.float32(0), images)),
            "unmasked": torch.from_numpy(images),
            "mask": torch.from_numpy(mask.reshape(len(images), -1)),
        }


class PackedBatches(ExampleBatches):
    """Stage 2: each image once, its questions packed behind it; none sees another.

    descriptions: of each example's image, what tools say of it; none where no tool is used.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (a batch has many sides)
        self, examples: Examples, plan: StepPlan, seed: int, vlm: Vlm, system: Plan, targets: TargetBuilder | None,
        descriptions: Sequence[str] = (),
    ) -> None:  # fmt: skip
        super().__init__(examples, plan, seed)
        self.vlm, self.system, self.targets, self.descriptions = vlm, system, targets, descriptions
        self.packer = Packer(vlm)

    def __getitem__(self, step: int) -> dict[str, Any]:
        """One batch; every `blind_every`-th is of words alone."""
        sees = self.system.sees and not self.plan.is_blind(step)
        numbers = self.numbers(step)
        examples = [self.examples[n] for n in numbers]
        rng = np.random.default_rng((self.seed, step))
        rows = [self._row(example, n, sees=sees, rng=rng) for example, n in zip(examples, numbers, strict=True)]
        batch = self.packer.pack(rows, with_image=sees)
        if sees:
            batch |= self.vlm.image_inputs([pixels.read(example.scene.path) for example in examples])
            if self.targets:
                batch["targets"] = self.targets.build(examples, self.after(numbers))._asdict()
        return batch

    def _row(self, example: Example, number: int, *, sees: bool, rng: np.random.Generator) -> list[Part]:
        """The parts of one row: each question with its answer, and where there is no image, captions."""
        drawn = rng.permutation(len(example.questions))[: self.plan.questions]
        parts = [self._question(example.questions[n], number, sees=sees) for n in drawn]
        return parts if sees else [*parts, *map(self.packer.sentence, example.scene.captions[:MAX_CAPTIONS])]

    def _question(self, question: Question, number: int, *, sees: bool) -> Part:
        text = f"{self.descriptions[number]} {question.text}" if self.descriptions and sees else question.text
        has_chain = self.system.preamble == "chain"
        answer = f"{question.chain}; so {question.answer}" if has_chain else question.answer
        return self.packer.question(text, [(f" {answer}{self.packer.end}", True)], with_image=sees)


# ------------------------------------------------------------------------------------------------------------ packing


class PromptTemplate(NamedTuple):
    """What stands around a question.

    begin: tokens before it; positions: (axes, tokens before). before, after: the text around it; shared: how many tokens
    of that text, an image being one, are those before it.
    """

    begin: list[int]
    positions: NDArray[np.int64]
    before: str
    after: str
    shared: int


class Packer:
    """Packs what is asked of an image into one row, in the prompts that the model will be asked with."""

    def __init__(self, vlm: Vlm) -> None:
        self.vlm = vlm
        self.end = str(vlm.tokenizer.eos_token)

    def ids(self, text: str) -> list[int]:
        """Tokens of a text that others stand before."""
        ids: list[int] = self.vlm.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def question(self, text: str, answer: Iterable[tuple[str, bool]], *, with_image: bool) -> Part:
        """A question, with the tokens that it has in the whole prompt, and the pieces of its answer: text, is it learnt?"""
        template = self._template(with_image=with_image)
        prompt: list[int] = self.vlm.tokenizer(f"{template.before}{text}{template.after}")["input_ids"]
        pieces = [(prompt[template.shared :], False), *((self.ids(piece), learnt) for piece, learnt in answer)]
        return [i for ids, _ in pieces for i in ids], [learnt for ids, learnt in pieces for _ in ids]

    def sentence(self, text: str) -> Part:
        """A sentence of which all is learnt but the first token, which nothing foretells."""
        ids = self.ids(f" {text}{self.end}")
        return ids, [False] + [True] * (len(ids) - 1)

    def pack(self, rows: Sequence[Sequence[Part]], *, with_image: bool) -> dict[str, Any]:
        """Rows of parts, behind what stands before every question, as tensors: see `pad`."""
        template = self._template(with_image=with_image)
        begin = (template.begin, [False] * len(template.begin))
        return pad([[begin, *parts] for parts in rows], self.vlm.tokenizer.pad_token_id, template.positions)

    def _template(self, *, with_image: bool) -> PromptTemplate:
        return self._with_image if with_image else self._without_image

    @cached_property
    def _with_image(self) -> PromptTemplate:
        return self._make_template(with_image=True)

    @cached_property
    def _without_image(self) -> PromptTemplate:
        return self._make_template(with_image=False)

    def _make_template(self, *, with_image: bool) -> PromptTemplate:
        """By the processor's template, with the tokens that the tokenizer puts before all of it, as when it is asked."""
        text = self.vlm.prompt(PLACEHOLDER, with_image=with_image)
        before, _, after = text.partition(PLACEHOLDER)
        begin = before.rstrip(" ")  # a space belongs to the first word of the question
        written = bool(bos := self.vlm.tokenizer.bos_token) and text.startswith(bos)  # by the template itself
        bare, alone = self.ids(begin), self.ids(text)
        whole = self.vlm.tokenizer(text, add_special_tokens=not written)["input_ids"]
        first = next((n for n in range(len(whole)) if whole[n : n + len(alone)] == alone), 0)
        same = next((n for n, (a, b) in enumerate(zip(bare, alone, strict=False)) if a != b), len(bare))
        tokens = self._ids_with_image(begin) if with_image else bare
        tokens = whole[:first] + tokens[: len(tokens) - (len(bare) - same)]
        positions = self.vlm.positions(tokens) if with_image else np.arange(len(tokens))[None]
        return PromptTemplate(tokens, positions, before, after, first + same)

    def _ids_with_image(self, text: str) -> list[int]:
        blank = np.zeros((self.vlm.size, self.vlm.size, 3), np.uint8)
        return list(self.vlm.processor(images=[blank], text=[text], add_special_tokens=False)["input_ids"][0])


def pad(rows: Sequence[Sequence[Part]], filler: int, first: NDArray[np.int64]) -> dict[str, Any]:
    """Rows of parts → tensors: the first part of a row is seen by all others, no other by any.

    first: (axes, tokens of the first part), their positions; those of every other part follow. input_ids, labels: (B, L)
    int64; labels are IGNORED but where an answer is. position_ids: the same, or (axes, B, L) where there are several.
    attention_mask: (B, 1, L, L) bool, True where a token (row) sees another (column).
    """
    longest = max(sum(len(ids) for ids, _ in row) for row in rows)
    length = LENGTH_STEP * -(-longest // LENGTH_STEP)
    ids, labels, parts = (np.full((len(rows), length), fill) for fill in (filler, IGNORED, -1))
    positions = np.zeros((len(first), len(rows), length), np.int64)
    for n, row in enumerate(rows):
        row_ids = [i for part, _ in row for i in part]
        learnt = [flag for _, flags in row for flag in flags]
        used = slice(len(row_ids))
        ids[n, used] = row_ids
        labels[n, used] = np.where(learnt, row_ids, IGNORED)
        after = [np.tile(first.max() + 1 + np.arange(len(part)), (len(first), 1)) for part, _ in row[1:]]
        positions[:, n, used] = np.concatenate([first, *after], axis=1)
        parts[n, used] = np.repeat(np.arange(len(row)), [len(part) for part, _ in row])
    numbers = torch.from_numpy(parts)
    same = (numbers[:, :, None] == numbers[:, None]) | (numbers[:, None] == 0)
    sees = same.tril() | torch.eye(length, dtype=torch.bool)  # a padded token sees itself, so that no row is empty
    arrays = {"input_ids": ids, "labels": labels, "position_ids": positions if len(first) > 1 else positions[0]}
    return {name: torch.from_numpy(array) for name, array in arrays.items()} | {"attention_mask": sees[:, None]}
