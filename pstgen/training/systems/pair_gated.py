"""Pair-gated reward: after perceptual reward's stage 2, answers are rewarded where those to both twins of a pair are right."""

from collections.abc import Sequence

from pstgen.models.answerer import Answerer, Query
from pstgen.training.systems import Plan

PLAN = Plan(after="perceptual_reward", gate="pair")


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Ask once."""
    return answerer.answer(queries)
