"""Control: question only. It is trained without images and never sees one."""

from collections.abc import Sequence
from dataclasses import replace

from pstgen.models.answerer import Answerer, Query
from pstgen.training.systems import Plan

PLAN = Plan(sees=False, control=True)


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Ask once, the image taken away."""
    return answerer.answer([replace(query, image=None) for query in queries])
