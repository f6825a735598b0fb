"""The source's own statistics: P(answer | the words)."""

import math
from collections.abc import Iterator, Sequence

from pstgen import plugins
from pstgen.config import BuildConfig
from pstgen.priors import Expectation
from pstgen.records import Fact, Item, Truth, Verdict


class Prior:
    """Answers what one would expect before looking."""

    name = "prior"
    revision = "counts of the prior's part"
    sees = durable = False

    def __init__(self, expectation: Expectation) -> None:
        self.expectation = expectation

    def key(self, item: Item, /) -> str:
        """Not kept: cheap, and it depends on the lessons."""
        raise NotImplementedError(self.name)

    def answer(self, items: Sequence[Item], /) -> Iterator[Verdict]:
        """Log-probability of every option, given family, form and words."""
        for item in items:
            expected = self.expectation.expect((item.family, item.form, item.about), item.options)
            yield Verdict(item_id=item.item_id, judge=self.name, logprobs=tuple(map(math.log, expected)))


def open(config: BuildConfig, lessons: Sequence[Item], /) -> Sequence[Prior]:  # noqa: A001
    """Fit the configured prior on the lessons."""
    return [Prior(plugins.load("priors", config.prior).fit(map(_fact, lessons)))]


def _fact(item: Item) -> Fact:
    return Fact(scene_id=item.scene_id, family=item.family, form=item.form, about=item.about, truth=Truth(item.answer))
