"""Perceptual reward: stage 1 against perceptual targets, then words and lambda times the reward."""

from collections.abc import Sequence

from pstgen.models.answerer import Query, Speaker
from pstgen.training.systems import Plan

PLAN = Plan(first="perception", reward=True)


def answer(speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
    """Ask once."""
    return speaker.answers(queries)
