"""Control: question only. It is trained without images and never sees one."""

from collections.abc import Sequence
from dataclasses import replace

from pstgen.models.answerer import Query, Speaker
from pstgen.training.systems import Plan

PLAN = Plan(sees=False, control=True)


def answer(speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
    """Ask once, the image taken away."""
    return speaker.answers([replace(query, image=None) for query in queries])
