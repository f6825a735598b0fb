"""The source's own statistics: P(answer | the words), and what the words add to it."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from pstgen.core.config import BuildConfig
from pstgen.core.records import Item, Verdict
from pstgen.questions.priors import Expectation


class Prior:
    """Answers what the words make one expect before looking; what is expected whatever the words are is taken away."""

    name = "prior"
    revision = "counts of the prior's part"
    sees = durable = False

    def __init__(self, expectation: Expectation | None = None) -> None:
        self.expectation = expectation

    def key(self, item: Item, /) -> str:
        """Not kept: cheap, and it depends on what was counted."""
        raise NotImplementedError(self.name)

    def learn(self, examples: Sequence[Item], images: Sequence[str], prior: Expectation, /) -> "Prior":  # noqa: ARG002
        """Take the fitted prior."""
        return Prior(prior)

    def answer(self, items: Sequence[Item], /) -> Iterator[Verdict]:
        """Log-probability of every option, given family, form and words; calibrated, what the words add."""
        if self.expectation is None:
            raise RuntimeError("the prior has learnt nothing yet")
        for item in items:
            question = item.family, item.form, item.about
            expected = self.expectation.expect(question, item.options)
            added = np.array([each.value for each in self.expectation.associate(question, item.options)])
            yield Verdict(
                item_id=item.item_id,
                judge=self.name,
                logprobs=tuple(map(math.log, expected)),
                calibrated=tuple((added - np.logaddexp.reduce(added)).tolist()),
            )


def open(config: BuildConfig, /) -> Sequence[Prior]:  # noqa: A001, ARG001
    """One that knows nothing yet."""
    return [Prior()]
