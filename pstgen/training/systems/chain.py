"""Grounded chain of thought: it is taught to say what it sees and where, with boxes, before it answers.

A model says "red cup at (10, 20, 30, 40); so red".
"""

from collections.abc import Sequence

from pstgen.models.answerer import Query, Speaker
from pstgen.training.systems import Plan

PLAN = Plan(told="chain")
MOST_TOKENS = 96


def answer(speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
    """Let it speak, and take what follows the last "; so"; a chain that never ends gives no answer."""
    return [
        said.rpartition("; so ")[2].strip() if "; so " in said else "" for said in speaker.say(queries, MOST_TOKENS)
    ]
