"""Debate over a standard VLM: two answerers hold against each other what they think likeliest; a verifier decides."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pstgen.models.answerer import Query, Speaker, crop
from pstgen.training.systems import Plan

PLAN = Plan(of="standard")
CLAIM = "One person says {}, another says {}. {question}"


def answer(speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
    """Two answers are argued for; the verifier hears them in both orders. Where only one is given, nobody argues."""
    said = _said(speaker, queries)
    argued = [
        replace(query, options=pair, question=CLAIM.format(*order, question=query.question))
        for query, pair in zip(queries, said, strict=True)
        if len(pair) == 2
        for order in (pair, pair[::-1])
    ]
    heard = iter(speaker.scores(argued))
    return [
        pair[int(np.argmax(np.add(next(heard), next(heard))))] if len(pair) == 2 else "".join(pair) for pair in said
    ]


def _said(speaker: Speaker, queries: Sequence[Query]) -> list[tuple[str, ...]]:
    """Of each query at most two answers: the likeliest options; of a free one what is said of the image and its middle."""
    closed = [query for query in queries if query.options]
    opened = [query for query in queries if not query.options]
    scores = iter(speaker.scores(closed))
    first = iter(speaker.say(opened))
    second = iter(speaker.say([replace(query, image=crop(query.image, 0.2, 0.2)) for query in opened]))
    return [
        _likeliest(query.options, next(scores)) if query.options else _apart(next(first), next(second))
        for query in queries
    ]


def _likeliest(options: tuple[str, ...], scores: Sequence[float]) -> tuple[str, ...]:
    return tuple(options[n] for n in np.argsort(scores)[::-1][:2])


def _apart(*said: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, said)))
