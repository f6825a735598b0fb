"""Control: perceptual reward whose targets are drawn at random, the same of a scene whenever it is seen."""

from collections.abc import Sequence

from pstgen.models.answerer import Answerer, Query
from pstgen.training.systems import Plan

PLAN = Plan(pretraining="perception", reward=True, corruption="random", control=True)


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Ask once."""
    return answerer.answer(queries)
