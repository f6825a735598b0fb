"""Debate: two standard VLMs, trained under different seeds, answer; where they differ, a verifier hears both and looks again."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pstgen.models.answerer import Answerer, Query
from pstgen.training.systems import RIVAL, Plan

PLAN = Plan(weights_of="standard", rival=True)
CLAIM = "One person says {}, another says {}. {question}"


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """What both say; of two answers the one that the verifier, the first of the two models, believes when it hears them in both orders."""
    claims = [
        tuple(dict.fromkeys(filter(None, said)))
        for said in zip(answerer.answer(queries), answerer.parts[RIVAL].answer(queries), strict=True)
    ]
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
