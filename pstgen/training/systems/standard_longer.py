"""Control: a standard VLM that is trained until it has cost what perceptual reward's two stages cost."""

from collections.abc import Sequence

from pstgen.models.answerer import Answerer, Query
from pstgen.training.systems import Plan

PLAN = Plan(longer=True, control=True)


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Ask once."""
    return answerer.answer(queries)
