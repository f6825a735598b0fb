"""Steps → batches, the same whenever one is asked for, so that a run that was cut off goes on as if it had not been."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from pstgen.models.perceptual_losses import Truths
from pstgen.scenes import pixels
from pstgen.training import grid_targets
from pstgen.training.examples import Asked, Course, Lesson
from pstgen.training.modeling import Spread, Vlm
from pstgen.training.systems import Plan

IGNORED = -100
CAPTIONS = 2  # of a scene, that are read where there is no image
MARK = "QUESTION"  # where a question stands in a template
MASKED = 0.6  # of the patches that self-supervision hides


@dataclass(frozen=True)
class Pace:
    """How many steps, and of how many images and questions."""

    steps: int
    batch: int
    questions: int
    blind_every: int = 0

    def blind(self, step: int) -> bool:
        """Is this step one of words alone?"""
        return bool(self.blind_every) and step % self.blind_every == self.blind_every - 1


class Frame(NamedTuple):
    """What stands around a question.

    begin: tokens before it; places: (axes, tokens before), where those stand. before, after: the text around it;
    shared: how many tokens of that text, an image being one, are those before it.
    """

    begin: list[int]
    places: NDArray[np.int64]
    before: str
    after: str
    shared: int


class Steps(Dataset[dict[str, Any]]):
    """Batches by number. Subclasses say what a batch of lessons holds."""

    def __init__(self, course: Course, pace: Pace, seed: int) -> None:
        self.course, self.pace, self.seed = course, pace, seed

    def __len__(self) -> int:
        return self.pace.steps

    def drawn(self, step: int) -> list[int]:
        """The numbers of a step's lessons: all in an order drawn by the seed, then all in another."""
        first = step * self.pace.batch
        numbers = range(first, first + self.pace.batch)
        return [int(self._order(n // len(self.course))[n % len(self.course)]) for n in numbers]

    def scenes(self, step: int) -> list[str]:
        """Names of a step's scenes."""
        return [self.course.lesson(n).scene.id for n in self.drawn(step)]

    def after(self, numbers: Sequence[int]) -> Lesson:
        """Another lesson than the last of these."""
        return self.course.lesson((numbers[-1] + 1) % len(self.course))

    def _order(self, epoch: int) -> np.ndarray:
        return np.random.default_rng((self.seed, epoch)).permutation(len(self.course))


def look(lessons: Sequence[Lesson], size: int, spread: Spread = Spread()) -> np.ndarray:  # noqa: B008 (frozen)
    """(B, 3, size, size) float32, normalized; in -1 to 1 unless told."""
    shown = [pixels.read(lesson.scene.path) for lesson in lessons]
    sized = [
        one if one.shape[:2] == (size, size) else cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA)
        for one in shown
    ]
    mean, std = (np.array(one, np.float32).reshape(3, 1, 1) for one in spread)
    whole = np.stack(sized).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1
    return (whole - (2 * mean - 1)) / (2 * std)


class Targets:
    """Lessons → perceptual targets on a grid, or what a control makes of them.

    window: of an image's width and height, what of it the encoder sees; all unless told.
    """

    def __init__(
        self, cells: int, categories: Sequence[str], corrupt: grid_targets.Corrupt,
        window: Callable[[int, int], grid_targets.Window] | None = None,
    ) -> None:  # fmt: skip
        self.cells, self.categories, self.corrupt, self.window = cells, categories, corrupt, window

    def of(self, lessons: Sequence[Lesson], after: Lesson) -> Truths:
        """The truths of a batch; a control's other scene is the next one, and `after` the last one's."""
        grids = [self._grid(lesson) for lesson in lessons]
        if self.corrupt:
            others = [*grids[1:], self._grid(after)]
            names = [lesson.scene.id for lesson in lessons]
            grids = [
                grid_targets.corrupted(one, other, self.corrupt, name, self.categories)
                for one, other, name in zip(grids, others, names, strict=True)
            ]
        return grid_targets.gather(grids)

    def _grid(self, lesson: Lesson) -> grid_targets.Grid:
        seen = self.window(lesson.scene.width, lesson.scene.height) if self.window else None
        return grid_targets.grid(lesson.scene, self.cells, self.categories, seen)


class Looks(Steps):
    """Stage 1: images with perceptual targets, or images of which some patches are hidden."""

    def __init__(  # noqa: PLR0913 (what is drawn, and how)
        self, course: Course, pace: Pace, seed: int, targets: Targets, size: int, *, hidden: bool,
        spread: Spread = Spread(),  # noqa: B008 (frozen)
    ) -> None:  # fmt: skip
        super().__init__(course, pace, seed)
        self.targets, self.size, self.hidden, self.spread = targets, size, hidden, spread

    def __getitem__(self, step: int) -> dict[str, Any]:
        """One batch."""
        numbers = self.drawn(step)
        lessons = [self.course.lesson(n) for n in numbers]
        images = look(lessons, self.size, self.spread)
        if not self.hidden:
            told = self.targets.of(lessons, self.after(numbers))
            return {"pixel_values": torch.from_numpy(images), "truths": told._asdict()}
        cells, patch = self.targets.cells, self.size // self.targets.cells
        covered = np.random.default_rng((self.seed, step)).random((len(images), cells, cells)) < MASKED
        over = covered.repeat(patch, 1).repeat(patch, 2)[:, None]
        return {
            "pixel_values": torch.from_numpy(np.where(over, np.float32(0), images)),
            "whole": torch.from_numpy(images),
            "covered": torch.from_numpy(covered.reshape(len(images), -1)),
        }


class Pages(Steps):
    """Stage 2: each image once, its questions packed behind it; none sees another."""

    def __init__(  # noqa: PLR0913, PLR0917 (a batch has many sides)
        self, course: Course, pace: Pace, seed: int, vlm: Vlm, plan: Plan, targets: Targets | None,
        told: Sequence[str] = (),
    ) -> None:  # fmt: skip
        super().__init__(course, pace, seed)
        self.vlm, self.plan, self.targets, self.told = vlm, plan, targets, told

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.vlm.words(text, add_special_tokens=False)["input_ids"]
        return ids

    @cached_property
    def looking(self) -> Frame:
        """What stands around a question that has an image."""
        return self._frame([{"type": "image"}])

    @cached_property
    def blind(self) -> Frame:
        """What stands around a question that has none."""
        return self._frame([])

    def _frame(self, image: list[dict[str, str]]) -> Frame:
        """By the processor's template, with the tokens that the tokenizer puts before all of it, as in likelihood.Model."""
        chat = [{"role": "user", "content": [*image, {"type": "text", "text": MARK}]}]
        text = self.vlm.processor.apply_chat_template(chat, add_generation_prompt=True)
        before, _, after = text.partition(MARK)
        begin = before.rstrip(" ")  # a space belongs to the first word of the question
        bare, alone, whole = self._ids(begin), self._ids(text), self.vlm.words(text)["input_ids"]
        first = next((n for n in range(len(whole)) if whole[n : n + len(alone)] == alone), 0)
        same = next((n for n, (one, other) in enumerate(zip(bare, alone, strict=False)) if one != other), len(bare))
        tokens = self._shown(begin) if image else bare
        tokens = whole[:first] + tokens[: len(tokens) - (len(bare) - same)]
        places = self.vlm.places(tokens) if image else np.arange(len(tokens))[None]
        return Frame(tokens, places, before, after, first + same)

    def _shown(self, text: str) -> list[int]:
        """Tokens of a text with an image."""
        grey = np.zeros((self.vlm.size, self.vlm.size, 3), np.uint8)
        return list(self.vlm.processor(images=[grey], text=[text], add_special_tokens=False)["input_ids"][0])

    def _asked(self, frame: Frame, question: str) -> list[int]:
        """Tokens of a question and what stands after it, as they are in the whole prompt."""
        ids: list[int] = self.vlm.words(f"{frame.before}{question}{frame.after}")["input_ids"]
        return ids[frame.shared :]

    def __getitem__(self, step: int) -> dict[str, Any]:
        """One batch; every `blind_every`-th is of words alone."""
        sees = self.plan.sees and not self.pace.blind(step)
        numbers = self.drawn(step)
        lessons = [self.course.lesson(n) for n in numbers]
        rng = np.random.default_rng((self.seed, step))
        rows = [self._row(lesson, n, sees=sees, rng=rng) for lesson, n in zip(lessons, numbers, strict=True)]
        batch = pad(rows, self.vlm.words.pad_token_id, (self.looking if sees else self.blind).places)
        if sees:
            batch |= self.vlm.looks([pixels.read(lesson.scene.path) for lesson in lessons])
            if self.targets:
                batch["truths"] = self.targets.of(lessons, self.after(numbers))._asdict()
        return batch

    def _row(
        self, lesson: Lesson, number: int, *, sees: bool, rng: np.random.Generator
    ) -> list[tuple[list[int], list[bool]]]:
        """The parts of one row: what all questions share, then each question with its answer, which is to be learnt."""
        frame = self.looking if sees else self.blind
        parts = [(frame.begin, [False] * len(frame.begin))]
        drawn = rng.permutation(len(lesson.asked))[: self.pace.questions]
        for n in drawn:
            asked = lesson.asked[n]
            said = f"{self.told[number]} {asked.question}" if self.told and sees else asked.question
            question = self._asked(frame, said)
            answer = self._ids(f" {self._answer(asked)}{self.vlm.words.eos_token}")
            parts.append((question + answer, [False] * len(question) + [True] * len(answer)))
        for caption in () if sees else lesson.scene.captions[:CAPTIONS]:
            told = self._ids(f" {caption}{self.vlm.words.eos_token}")
            parts.append((told, [False] + [True] * (len(told) - 1)))  # nothing is before its first word
        return parts

    def _answer(self, asked: Asked) -> str:
        return f"{asked.chain}; so {asked.answer}" if self.plan.told == "chain" else asked.answer


def pad(
    rows: Sequence[Sequence[tuple[list[int], list[bool]]]], filler: int, first: NDArray[np.int64]
) -> dict[str, Any]:
    """Rows of parts → tensors: the first part of a row is seen by all others, no other by any.

    first: (axes, tokens of the first part), where those stand; all others follow. input_ids, labels: (B, L) int64;
    labels are IGNORED but where an answer is. position_ids: the same, or (axes, B, L) where there are several.
    attention_mask: (B, 1, L, L) bool, True where a token (row) sees another (column).
    """
    length = max(sum(len(ids) for ids, _ in row) for row in rows)
    ids, labels, parts = (np.full((len(rows), length), fill) for fill in (filler, IGNORED, -1))
    places = np.zeros((len(first), len(rows), length), np.int64)
    for n, row in enumerate(rows):
        whole = [i for told, _ in row for i in told]
        learnt = [one for _, some in row for one in some]
        ids[n, : len(whole)] = whole
        labels[n, : len(whole)] = np.where(learnt, whole, IGNORED)
        after = [np.tile(first.max() + 1 + np.arange(len(told)), (len(first), 1)) for told, _ in row[1:]]
        places[:, n, : len(whole)] = np.concatenate([first, *after], axis=1)
        parts[n, : len(whole)] = np.repeat(np.arange(len(row)), [len(told) for told, _ in row])
    tokens = torch.from_numpy(parts)
    same = (tokens[:, :, None] == tokens[:, None]) | (tokens[:, None] == 0)
    seen = same.tril() | torch.eye(length, dtype=torch.bool)  # a padded token sees itself, so that no row is empty
    told = {"input_ids": ids, "labels": labels, "position_ids": places if len(first) > 1 else places[0]}
    return {name: torch.from_numpy(array) for name, array in told.items()} | {"attention_mask": seen[:, None]}
