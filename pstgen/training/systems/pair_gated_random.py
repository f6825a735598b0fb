"""Control: pair-gated reward for answers that are drawn at random, the same of a question about a scene whenever it is asked."""

from collections.abc import Sequence

from pstgen.models.answerer import Answerer, Query
from pstgen.training.systems import Plan

PLAN = Plan(after="perceptual_reward", gate="pair", corruption="random", control=True)


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Ask once."""
    return answerer.answer(queries)
