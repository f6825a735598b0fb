"""A vision-language model that answers: it chooses among options, or answers in words of its own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from more_itertools import batched

from pstgen.core.records import BadInput
from pstgen.models.chat import Image
from pstgen.models.detector import Finder, Found
from pstgen.models.huggingface import Model
from pstgen.models.router import Router
from pstgen.models.tools import Tools, open_finder, open_tools

BATCH = 64
MAX_TOKENS = 6  # of a short answer


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A question about an image. name: of its item. options: none where the answer is free text.

    image: (H, W, 3) uint8 RGB, or None where nothing is shown.
    """

    name: str
    question: str
    options: tuple[str, ...] = ()
    image: Image | None = None


@dataclass(frozen=True)
class Answerer:
    """A loaded model, and the tools that it may use. It gets the bare question, as in training; options are not listed.

    detector, ocr: what `tools.open_tools` opens, for systems that use them; "" where there is none. parts: of a system with
    several models, an answerer for each; router: says which of them a question is for. calls: how many questions models
    were asked so far, and images tools looked at.
    """

    model: Model
    detector: str = ""
    ocr: str = ""
    parts: Mapping[str, "Answerer"] = field(default_factory=dict)
    router: Router | None = None
    calls: Counter[str] = field(default_factory=Counter)

    def route(self, questions: Sequence[str]) -> list[str]:
        """Which of the parts each question is for. Raises BadInput where there are none."""
        if self.router is None:
            raise BadInput("a router needs several models to choose from")
        return self.router(questions)

    def describe(self, images: Sequence[Image | None]) -> list[str]:
        """What the tools say of each image. Raises BadInput where there are none."""
        self.calls["tools"] += len(images)
        return self._tools(images)

    @cached_property
    def _tools(self) -> Tools:
        return open_tools(self._named_detector, self.ocr)

    def find(self, images: Sequence[Image]) -> list[list[Found]]:
        """The objects that the detector finds in each image. Raises BadInput where there is no detector."""
        self.calls["tools"] += len(images)
        return self.finder.find(images)

    @cached_property
    def finder(self) -> Finder:
        """The detector, with the categories that it knows. Raises BadInput where there is none."""
        return open_finder(self._named_detector)

    @property
    def _named_detector(self) -> str:
        if not self.detector:
            raise BadInput("tools: no detector was trained; run stage 1 first")
        return self.detector

    def answer(self, queries: Sequence[Query]) -> list[str]:
        """Choose among the options by log-probability; a few words where there are none. In the order of the queries."""
        scores = iter(self.score([query for query in queries if query.options]))
        texts = iter(self.generate([query for query in queries if not query.options]))
        return [query.options[int(np.argmax(next(scores)))] if query.options else next(texts) for query in queries]

    def score(self, queries: Sequence[Query]) -> list[tuple[float, ...]]:
        """Log-probability of every option of every query."""
        self.calls["model"] += len(queries)
        scores: list[tuple[float, ...]] = []
        for batch in batched(queries, BATCH):
            questions, options = [query.question for query in batch], [query.options for query in batch]
            scores += self.model.score(questions, options, [query.image for query in batch])
        return scores

    def generate(self, queries: Sequence[Query], max_tokens: int = MAX_TOKENS) -> list[str]:
        """An answer in the model's own words, greedily, of at most so many tokens."""
        self.calls["model"] += len(queries)
        texts: list[str] = []
        for batch in batched(queries, BATCH):
            questions, images = [query.question for query in batch], [query.image for query in batch]
            texts += self.model.generate(questions, images, max_tokens)
        return texts
