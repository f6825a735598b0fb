"""Control: pair-gated reward without the pairs: every right answer is rewarded by itself."""

from collections.abc import Sequence

from pstgen.models.answerer import Answerer, Query
from pstgen.training.systems import Plan

PLAN = Plan(after="perceptual_reward", gate="item", control=True)


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Ask once."""
    return answerer.answer(queries)
