"""A vision-language model that answers: it chooses among options, or says what it likes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pstgen.core.records import BadInput
from pstgen.models.huggingface import Image, Model
from pstgen.models.tools import Tools, opened

BATCH = 64
MOST_TOKENS = 6  # of a short answer
SHARE = 0.6  # of a side, that a crop shows


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One question about one image. name: of its item. options: none where the answer is free text.

    image: (H, W, 3) uint8 RGB, or None where nothing is to be seen.
    """

    name: str
    question: str
    options: tuple[str, ...] = ()
    image: Image | None = None


@dataclass(frozen=True)
class Speaker:
    """A loaded model, and what it may use. It gets the bare question, as it was trained; options are scored, not listed.

    detector, ocr: what `toolbox.opened` opens, for systems that use tools; "" where there is none.
    """

    model: Model
    detector: str = ""
    ocr: str = ""

    def tools(self, images: Sequence[Image | None]) -> list[str]:
        """What the tools say of each image. Raises BadInput where there are none."""
        return self._tools(images)

    @cached_property
    def _tools(self) -> Tools:
        if not self.detector:
            raise BadInput("tools: no detector was trained; run stage 1 first")
        return opened(self.detector, self.ocr)

    def answers(self, queries: Sequence[Query]) -> list[str]:
        """Choose among the options by log-probability; say a few words where there are none. In the order of the queries."""
        told: dict[int, str] = {}
        closed = [n for n, query in enumerate(queries) if query.options]
        for n, logprobs in zip(closed, self.scores([queries[n] for n in closed]), strict=True):
            told[n] = queries[n].options[int(np.argmax(logprobs))]
        opened = [n for n, query in enumerate(queries) if not query.options]
        told |= dict(zip(opened, self.say([queries[n] for n in opened]), strict=True))
        return [told[n] for n in range(len(queries))]

    def scores(self, queries: Sequence[Query]) -> list[tuple[float, ...]]:
        """Log-probability of every option of every query."""
        scored: list[tuple[float, ...]] = []
        for some in _batches(queries):
            questions = [query.question for query in some]
            scored += self.model.score(questions, [query.options for query in some], [query.image for query in some])
        return scored

    def say(self, queries: Sequence[Query], most: int = MOST_TOKENS) -> list[str]:
        """Greedily, at most so many tokens."""
        said: list[str] = []
        for some in _batches(queries):
            questions = [query.question for query in some]
            said += self.model.say(questions, [query.image for query in some], most)
        return said


def crop(image: Image | None, y: float, x: float) -> Image | None:
    """The part of the image that begins at (y, x), shares of its sides; the model's processor makes it larger."""
    if image is None:
        return None
    height, width = image.shape[:2]
    top, left = int(y * height), int(x * width)
    return np.ascontiguousarray(image[top : top + int(SHARE * height), left : left + int(SHARE * width)])


def _batches(queries: Sequence[Query]) -> Iterator[Sequence[Query]]:
    return (queries[start : start + BATCH] for start in range(0, len(queries), BATCH))
