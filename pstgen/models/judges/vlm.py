"""A Hugging Face vision-language model, looking in four ways: at no image, a grey one, another scene's, and the item's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

import numpy as np

from pstgen.core.config import BuildConfig
from pstgen.core.records import BadInput, Item, Verdict
from pstgen.models.huggingface import Image, Model, prompt
from pstgen.scenes import pixels

View = Literal["no-image", "grey-image", "other-image", "seeing"]
VIEWS: tuple[View, ...] = ("no-image", "grey-image", "other-image", "seeing")
GREY = np.full((224, 224, 3), 128, np.uint8)
OTHERS = 16  # scenes that the other image is drawn from; none of them gives items


@dataclass(frozen=True)
class Look:
    """One way of looking through one model; a judge."""

    model: Model
    view: View
    batch_size: int
    others: tuple[str, ...] = ()
    durable: bool = True

    @property
    def name(self) -> str:
        """vlm/<view>."""
        return f"vlm/{self.view}"

    @property
    def revision(self) -> str:
        """The model's."""
        return self.model.revision

    @property
    def sees(self) -> bool:
        """Only with the item's own image."""
        return self.view == "seeing"

    def key(self, item: Item, /) -> str:
        """The words and, where an image is looked at, its bytes."""
        shown = self._file(item)
        image = sha256(Path(shown).read_bytes()).hexdigest() if shown else ""
        return sha256(f"{prompt(item.question, item.options)}|{item.options}|{image}".encode()).hexdigest()

    def learn(self, examples: Sequence[Item], images: Sequence[str], /) -> Look | None:  # noqa: ARG002
        """Take images that can stand for another scene; who looks at one is left out where there is none."""
        if self.view != "other-image":
            return self
        others = tuple(sorted(set(images))[:OTHERS])
        return replace(self, others=others) if others else None

    def answer(self, items: Sequence[Item], /) -> Iterator[Verdict]:
        """Batch by batch; images are opened one batch at a time."""
        for start in range(0, len(items), self.batch_size):
            batch = items[start : start + self.batch_size]
            questions = [prompt(item.question, item.options) for item in batch]
            read = {file: self._image(file) for file in dict.fromkeys(map(self._file, batch))}
            images = [read[self._file(item)] for item in batch]
            scored = self.model.score(questions, [item.options for item in batch], images)
            for item, logprobs in zip(batch, scored, strict=True):
                yield Verdict(item_id=item.item_id, judge=self.name, logprobs=logprobs)

    def _file(self, item: Item) -> str:
        if self.view == "other-image":
            return self.others[int(sha256(item.question.encode()).hexdigest(), 16) % len(self.others)]
        return item.image if self.sees else ""

    def _image(self, file: str) -> Image | None:
        if self.view == "grey-image":
            return GREY
        return pixels.read(file) if file else None


def open(config: BuildConfig, /) -> Sequence[Look]:  # noqa: A001
    """Load the model once and look through it in every way. Raises Unavailable where it does not load."""
    if not config.judges.vlm:
        raise BadInput("the judge vlm needs --vlm: a folder, or a hub id")
    model = Model(config.judges.vlm, config.judges.device)
    return [Look(model, view, config.judges.batch_size) for view in VIEWS]
