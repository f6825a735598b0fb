"""The source's own statistics: P(answer | the words)."""

import math
from collections.abc import Iterator, Sequence

from pstgen.core.config import BuildConfig
from pstgen.core.records import Fact, Item, Truth, Verdict
from pstgen.questions import priors
from pstgen.questions.priors import Expectation


class Prior:
    """Answers what one would expect before looking."""

    name = "prior"
    revision = "counts of the prior's part"
    sees = durable = False

    def __init__(self, kind: str, expectation: Expectation | None = None) -> None:
        self.kind, self.expectation = kind, expectation

    def key(self, item: Item, /) -> str:
        """Not kept: cheap, and it depends on the examples."""
        raise NotImplementedError(self.name)

    def learn(self, examples: Sequence[Item], images: Sequence[str], /) -> "Prior | None":  # noqa: ARG002
        """Fit the configured prior on the examples."""
        fitted = priors.load(self.kind).fit(priors.count(map(_fact, examples)))
        return Prior(self.kind, fitted) if examples else None

    def answer(self, items: Sequence[Item], /) -> Iterator[Verdict]:
        """Log-probability of every option, given family, form and words."""
        if self.expectation is None:
            raise RuntimeError("the prior has learnt nothing yet")
        for item in items:
            expected = self.expectation.expect((item.family, item.form, item.about), item.options)
            yield Verdict(item_id=item.item_id, judge=self.name, logprobs=tuple(map(math.log, expected)))


def open(config: BuildConfig, /) -> Sequence[Prior]:  # noqa: A001
    """One of the configured kind, that knows nothing yet."""
    return [Prior(config.questions.prior)]


def _fact(item: Item) -> Fact:
    return Fact(scene_id=item.scene_id, family=item.family, form=item.form, about=item.about, truth=Truth(item.answer))
