"""Tools: what a detector sees of the image is put into the prompt as text, in training and in answering."""

from collections.abc import Sequence
from dataclasses import replace

from pstgen.models.answerer import Answerer, Query
from pstgen.training.systems import Plan

PLAN = Plan(preamble="tools")


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Run the tools on every image, then ask with what they say."""
    texts = answerer.describe([query.image for query in queries])
    return answerer.answer(
        [replace(query, question=f"{text} {query.question}") for query, text in zip(queries, texts, strict=True)]
    )
