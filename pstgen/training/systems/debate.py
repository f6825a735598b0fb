"""Debate over a standard VLM: two debaters argue for the likeliest answers; a verifier decides."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pstgen.models.answerer import Answerer, Query, crop
from pstgen.training.systems import Plan

PLAN = Plan(weights_of="standard")
CLAIM = "One person says {}, another says {}. {question}"


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Two answers are argued for; the verifier hears them in both orders. Where there is only one, there is no debate."""
    claims = _claims(answerer, queries)
    arguments = [
        replace(query, options=pair, question=CLAIM.format(*order, question=query.question))
        for query, pair in zip(queries, claims, strict=True)
        if len(pair) == 2
        for order in (pair, pair[::-1])
    ]
    scores = iter(answerer.score(arguments))
    return [
        pair[int(np.argmax(np.add(next(scores), next(scores))))] if len(pair) == 2 else "".join(pair) for pair in claims
    ]


def _claims(answerer: Answerer, queries: Sequence[Query]) -> list[tuple[str, ...]]:
    """At most two answers per query: the likeliest options; of a free question the answers for the image and its middle."""
    open_queries = [query for query in queries if not query.options]
    scores = iter(answerer.score([query for query in queries if query.options]))
    first = iter(answerer.generate(open_queries))
    middles = [replace(query, image=crop(query.image, 0.2, 0.2)) for query in open_queries]
    second = iter(answerer.generate(middles))
    return [
        _likeliest(query.options, next(scores)) if query.options else _distinct(next(first), next(second))
        for query in queries
    ]


def _likeliest(options: tuple[str, ...], scores: Sequence[float]) -> tuple[str, ...]:
    return tuple(options[n] for n in np.argsort(scores)[::-1][:2])


def _distinct(*answers: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, answers)))
