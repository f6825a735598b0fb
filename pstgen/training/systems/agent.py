"""An agent of three steps over a standard VLM: plan where to look, look closer at the crop, verify."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pstgen.models.answerer import Answerer, Query, crop
from pstgen.training.systems import Plan

PLAN = Plan(weights_of="standard")
CROPS = ((0.0, 0.0), (0.0, 0.4), (0.4, 0.0), (0.4, 0.4), (0.2, 0.2))  # upper left corners, shares of the sides


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Answer each query in three steps; the options of a free question are the answers for the whole and for every crop."""
    return [_best_option(answerer, _views(query)) for query in queries]


def _views(query: Query) -> list[Query]:
    """The whole, then the crops."""
    return [query, *(replace(query, image=crop(query.image, *corner)) for corner in CROPS)]


def _best_option(answerer: Answerer, views: Sequence[Query]) -> str:
    """Plan: of all crops the one whose answer is surest. Look closer at it. Verify: both views together decide."""
    options = views[0].options or tuple(dict.fromkeys(filter(None, answerer.generate(views))))
    if len(options) < 2:
        return "".join(options)
    whole, *crops = map(normalize, answerer.score([replace(view, options=options) for view in views]))
    surest = max(crops, key=max)
    return options[int(np.argmax(np.add(whole, surest)))]


def normalize(scores: Sequence[float]) -> list[float]:
    """Log-probabilities over the options alone."""
    total = float(np.logaddexp.reduce(scores))
    return [score - total for score in scores]
