"""Self-supervised pre-training: stage 1 of as many steps learns to fill in hidden patches; then as a standard VLM."""

from collections.abc import Sequence

from pstgen.models.answerer import Answerer, Query
from pstgen.training.systems import Plan

PLAN = Plan(pretraining="self-supervised")


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Ask once."""
    return answerer.answer(queries)
