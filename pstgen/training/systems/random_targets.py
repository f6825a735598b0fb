"""Control: perceptual reward whose targets are drawn at random, the same of a scene whenever it is seen."""

from collections.abc import Sequence

from pstgen.models.answerer import Query, Speaker
from pstgen.training.systems import Plan

PLAN = Plan(first="perception", reward=True, corrupt="random", control=True)


def answer(speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
    """Ask once."""
    return speaker.answers(queries)
