"""Batches of the built-in world for `pstgen eye train`, drawn as they are needed."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
from more_itertools import batched

from pstgen.models.asking import prompt
from pstgen.models.perceptual_losses import UNKNOWN
from pstgen.scenes.truth.colour import NAMES as COLOURS
from pstgen.scenes.world.plan import kinds
from pstgen.training import grid_targets
from pstgen.training.batches import Batches, Packer, Part, StepPlan
from pstgen.training.modeling import Vlm
from pstgen.training.world_examples import WorldExample, WorldExamples

CELLS = 2  # a side, of the squares that a patch is divided into
COUNT = "Say what there is of each."
MAX_KINDS = 4  # of things, in one part of an inventory
MIXED = 1 + len(COLOURS)  # the colour of things that have several, which the world knows


class WorldBatches(Batches):
    """Examples of the world by their numbers."""

    def __init__(self, examples: WorldExamples, plan: StepPlan, vlm: Vlm) -> None:
        super().__init__(plan)
        self.examples, self.vlm = examples, vlm

    def drawn(self, step: int) -> list[WorldExample]:
        """A step's examples."""
        raise NotImplementedError

    def scenes(self, step: int) -> list[str]:
        """Names of a step's scenes."""
        return [example.scene.id for example in self.drawn(step)]

    def images(self, examples: list[WorldExample]) -> dict[str, Any]:
        """Images, and what each cell of their patches shows."""
        grids = [_targets(example, CELLS * self.vlm.cells) for example in examples]
        inputs = self.vlm.image_inputs([example.image for example in examples if example.image is not None])
        return {**inputs, "targets": grid_targets.collate(grids)._asdict()}


def code_counts() -> dict[str, int]:
    """How many codes each factor has, as of other scenes; beside them there is a colour for things of several colours."""
    return {**grid_targets.code_counts(tuple(kinds())), "colour": MIXED}


def _targets(example: WorldExample, cells: int) -> grid_targets.Grid:
    """Category, colour and centres; nothing is known of an image that shows nothing. Joints are not taught."""
    grid = grid_targets.from_scene(example.scene, cells, example.scene.categories)
    unknown = np.full_like(grid.labels, UNKNOWN)
    labels = unknown if example.is_grey else np.where(grid.labels == UNKNOWN, MIXED, grid.labels)
    centres = unknown[:, 0] if example.is_grey else grid.centres
    return grid._replace(labels=labels, centres=centres, joints=np.full_like(grid.joints, np.nan))


class LookBatches(WorldBatches):
    """Stage 1: images with what their patches show."""

    def drawn(self, step: int) -> list[WorldExample]:
        """A step's examples, without questions."""
        first = step * self.plan.batch
        return [self.examples.unasked(n) for n in range(first, first + self.plan.batch)]

    def __getitem__(self, step: int) -> dict[str, Any]:
        """One batch."""
        return self.images(self.drawn(step))


class WordBatches(WorldBatches):
    """Stage 2: inventories at first, then questions; some batches have no images, and captions instead."""

    def __init__(self, examples: WorldExamples, plan: StepPlan, vlm: Vlm) -> None:
        super().__init__(examples, plan, vlm)
        self.packer = Packer(vlm)

    def kind(self, step: int) -> str:
        """Steps of one kind cost about the same."""
        return "inventory" if step < self.examples.recipe.tell_steps else super().kind(step)

    def drawn(self, step: int) -> list[WorldExample]:
        """A step's examples; their numbers go on where those of stage 1 end."""
        draws = {"inventory": self.examples.unasked, "seeing": self.examples.seen, "blind": self.examples.read}
        draw = draws[self.kind(step)]
        first = (self.examples.recipe.look_steps + step) * self.plan.batch
        return [draw(n) for n in range(first, first + self.plan.batch)]

    def __getitem__(self, step: int) -> dict[str, Any]:
        """One batch."""
        examples, sees = self.drawn(step), self.kind(step) != "blind"
        rows = [list(self._parts(example, sees=sees)) for example in examples]
        if sees:
            return self.packer.pack(rows, with_image=True) | self.images(examples)
        return self.packer.pack(
            [[part] for row in rows for part in row], with_image=False
        )  # nothing to share: short rows

    def _parts(self, example: WorldExample, *, sees: bool) -> Iterator[Part]:
        """Questions as a judge asks them, captions of what is only read about, and the inventory."""
        for question in example.questions:
            text = prompt(question.text, question.options)
            yield self.packer.question(text, [(f" {question.answer}{self.packer.end}", True)], with_image=sees)
        for caption in () if sees else example.scene.captions:
            yield self.packer.sentence(caption)
        for items in batched(example.inventory, MAX_KINDS):
            pieces = chain.from_iterable(((f" {name}", False), (f" {there},", True)) for name, there in items)
            yield self.packer.question(COUNT, pieces, with_image=sees)
