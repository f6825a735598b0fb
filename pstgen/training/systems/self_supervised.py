"""Self-supervised pre-training: stage 1 of as many steps learns to fill in hidden patches; then as a standard VLM."""

from collections.abc import Sequence

from pstgen.models.answerer import Query, Speaker
from pstgen.training.systems import Plan

PLAN = Plan(first="self-supervised")


def answer(speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
    """Ask once."""
    return speaker.answers(queries)
