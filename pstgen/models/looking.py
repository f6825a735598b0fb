"""A model as a judge, looking in one of four ways: at no image, a grey one, another scene's, or the item's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from pstgen.core.config import JudgeConfig, Way
from pstgen.core.records import Item, Verdict
from pstgen.models import asking
from pstgen.models.asking import Answering
from pstgen.models.chat import Image
from pstgen.models.loading import ModelOptions
from pstgen.questions.priors import Expectation
from pstgen.scenes import pixels

View = Literal["no-image", "grey-image", "other-image", "seeing"]
VIEWS: tuple[View, ...] = ("no-image", "grey-image", "other-image", "seeing")
GREY = np.full((224, 224, 3), 128, np.uint8)
OTHERS = 4  # scenes that the other image is drawn from, so that items share it; none of them gives items


@dataclass(frozen=True)
class Look:
    """One way of looking through one model; a judge. name: of the judge. way: how the model is asked. server: its address."""

    name: str
    model: Answering
    view: View
    way: Way
    batch_size: int
    others: tuple[str, ...] = ()
    server: str = ""
    durable: bool = True

    @property
    def revision(self) -> str:
        """The model's, and how it is asked."""
        return f"{self.model.revision} by {self.way}"

    @property
    def sees(self) -> bool:
        """Only with the item's own image."""
        return self.view == "seeing"

    def details(self) -> dict[str, Any]:
        """How the model is asked and, where it is loaded here, what its check at load found."""
        checked = getattr(self.model, "checked", None)
        return {"way": self.way, **({"check": msgspec.to_builtins(checked)} if checked else {})}

    def in_every_way(self) -> Iterator[Look]:
        """The same, asked in each way that the model can be asked in."""
        for way in asking.WAYS:
            if way in getattr(self.model, "ways", asking.WAYS):
                yield replace(self, way=way)

    def key(self, item: Item, /) -> str:
        """The words, where an image is looked at its bytes, and the server: two may serve different models by one name."""
        shown = self._file(item)
        image = sha256(Path(shown).read_bytes()).hexdigest() if shown else ""
        return sha256(f"{self.server}|{item.question}|{item.options}|{image}".encode()).hexdigest()

    def learn(self, examples: Sequence[Item], images: Sequence[str], prior: Expectation, /) -> Look | None:  # noqa: ARG002
        """Take images that can stand for another scene; who looks at one is left out where there is none."""
        if self.view != "other-image":
            return self
        others = tuple(sorted(set(images))[:OTHERS])
        return replace(self, others=others) if others else None

    def answer(self, items: Sequence[Item], /) -> Iterator[Verdict]:
        """Batch by batch; images are opened one batch at a time, each once."""
        for start in range(0, len(items), self.batch_size):
            batch = items[start : start + self.batch_size]
            read = {file: self._image(file) for file in dict.fromkeys(map(self._file, batch))}
            images = [read[self._file(item)] for item in batch]
            questions, options = [item.question for item in batch], [item.options for item in batch]
            answers = asking.ask(self.model, self.way, questions, options, images)
            for item, logprobs in zip(batch, answers, strict=True):
                yield Verdict(item_id=item.item_id, judge=self.name, logprobs=logprobs)

    def _file(self, item: Item) -> str:
        if self.view == "other-image":
            return self.others[int(sha256(item.question.encode()).hexdigest(), 16) % len(self.others)]
        return item.image if self.sees else ""

    def _image(self, file: str) -> Image | None:
        if self.view == "grey-image":
            return GREY
        return pixels.read(file) if file else None


def model_options(judges: JudgeConfig, *, sees: bool) -> ModelOptions:
    """How a run's model is loaded. Revision and adapter are the VLM's."""
    return ModelOptions(
        revision=judges.vlm_revision if sees else None,
        dtype=judges.dtype,
        device=judges.device,
        device_map=judges.device_map,
        attention=judges.attention,
        adapter=judges.adapter if sees else None,
    )


def way(judges: JudgeConfig, model: Answering) -> Way:
    """How a model is asked: as the run says, or else as suits it."""
    return judges.ask or asking.default_way(model)
