"""Control: pair-gated reward by words alone: every image that it gets is flat grey, in stage 3 and where it answers."""

from collections.abc import Sequence
from dataclasses import replace

from pstgen.models.answerer import Answerer, Query
from pstgen.training.pair_batches import blank
from pstgen.training.systems import Plan

PLAN = Plan(after="perceptual_reward", gate="pair", sees=False, control=True)


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Ask once, about a grey image."""
    return answerer.answer(
        [query if query.image is None else replace(query, image=blank(query.image)) for query in queries]
    )
