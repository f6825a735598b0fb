"""Tools: what a detector sees of the image is put into the prompt as text, in training and in answering."""

from collections.abc import Sequence
from dataclasses import replace

from pstgen.models.answerer import Query, Speaker
from pstgen.training.systems import Plan

PLAN = Plan(told="tools")


def answer(speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
    """Run the tools on every image, then ask with what they say."""
    told = speaker.tools([query.image for query in queries])
    return speaker.answers(
        [replace(query, question=f"{said} {query.question}") for query, said in zip(queries, told, strict=True)]
    )
