"""Control: perceptual reward with the masks of another scene."""

from collections.abc import Sequence

from pstgen.models.answerer import Query, Speaker
from pstgen.training.systems import Plan

PLAN = Plan(first="perception", reward=True, corrupt="shuffled", control=True)


def answer(speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
    """Ask once."""
    return speaker.answers(queries)
