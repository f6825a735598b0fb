"""A Hugging Face causal language model that reads the words and never sees an image."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from pstgen.core.config import BuildConfig
from pstgen.core.records import BadInput, Item, Verdict
from pstgen.models.huggingface import Model, prompt


@dataclass(frozen=True)
class Reader:
    """A judge."""

    model: Model
    batch_size: int
    name: str = "lm"
    sees: bool = False
    durable: bool = True

    @property
    def revision(self) -> str:
        """The model's."""
        return self.model.revision

    def key(self, item: Item, /) -> str:
        """The words."""
        return sha256(f"{prompt(item.question, item.options)}|{item.options}".encode()).hexdigest()

    def learn(self, examples: Sequence[Item], images: Sequence[str], /) -> "Reader":  # noqa: ARG002
        """It knows what it knows."""
        return self

    def answer(self, items: Sequence[Item], /) -> Iterator[Verdict]:
        """Batch by batch."""
        for start in range(0, len(items), self.batch_size):
            batch = items[start : start + self.batch_size]
            questions = [prompt(item.question, item.options) for item in batch]
            scored = self.model.score(questions, [item.options for item in batch], [None] * len(batch))
            for item, logprobs in zip(batch, scored, strict=True):
                yield Verdict(item_id=item.item_id, judge=self.name, logprobs=logprobs)


def open(config: BuildConfig, /) -> Sequence[Reader]:  # noqa: A001
    """Load the model. Raises Unavailable where it does not load."""
    if not config.judges.lm:
        raise BadInput("the judge lm needs --lm: a folder, or a hub id")
    return [Reader(Model(config.judges.lm, config.judges.device, "text"), config.judges.batch_size)]
