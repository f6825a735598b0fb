"""Debate over a standard VLM: two answerers hold against each other what they think likeliest; a verifier decides."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pstgen.speaker import Query, Speaker
from pstgen.systems import Plan

PLAN = Plan(of="standard")
CLAIM = "One person says {first}, another says {second}. {question}"


def answer(speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
    """The two likeliest options are argued for; the verifier hears them in both orders. Free questions are asked once."""
    told: dict[int, str] = {}
    closed = [n for n, query in enumerate(queries) if len(query.options) > 1]
    some = [queries[n] for n in closed]
    rivals = [_rivals(query, scores) for query, scores in zip(some, speaker.scores(some), strict=True)]
    heard = [
        np.add(*pair)
        for pair in zip(
            speaker.scores(
                [_argued(query, first, second) for query, (first, second) in zip(some, rivals, strict=True)]
            ),
            speaker.scores(
                [_argued(query, second, first) for query, (first, second) in zip(some, rivals, strict=True)]
            ),
            strict=True,
        )
    ]
    for n, query, pair, scores in zip(closed, some, rivals, heard, strict=True):
        at = [query.options.index(rival) for rival in pair]
        told[n] = pair[int(np.argmax(scores[at]))]
    rest = [n for n in range(len(queries)) if n not in told]
    told |= dict(zip(rest, speaker.answers([queries[n] for n in rest]), strict=True))
    return [told[n] for n in range(len(queries))]


def _rivals(query: Query, scores: Sequence[float]) -> tuple[str, str]:
    first, second = np.argsort(scores)[::-1][:2]
    return query.options[first], query.options[second]


def _argued(query: Query, first: str, second: str) -> Query:
    return replace(query, question=CLAIM.format(first=first, second=second, question=query.question))
