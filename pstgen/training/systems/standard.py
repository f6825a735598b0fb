"""A standard VLM: stage 2 alone, rewarded for its words."""

from collections.abc import Sequence

from pstgen.models.answerer import Query, Speaker
from pstgen.training.systems import Plan

PLAN = Plan()


def answer(speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
    """Ask once."""
    return speaker.answers(queries)
