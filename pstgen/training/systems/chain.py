"""Grounded chain of thought: it learns to say what it sees and where, with boxes, before it answers.

A model says "red cup at (10, 20, 30, 40); so red".
"""

from collections.abc import Sequence

from pstgen.models.answerer import Answerer, Query
from pstgen.training.systems import Plan

PLAN = Plan(preamble="chain")
MAX_TOKENS = 96
END = "; so "  # of the chain, before the answer


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Let it generate, and take what follows the last "; so"; a chain that never ends gives no answer."""
    return [text.rpartition(END)[2].strip() if END in text else "" for text in answerer.generate(queries, MAX_TOKENS)]
