"""An agent of three steps over a standard VLM: plan where to look, look closer at the crop, verify."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pstgen.models.answerer import Query, Speaker, crop
from pstgen.training.systems import Plan

PLAN = Plan(of="standard")
CROPS = ((0.0, 0.0), (0.0, 0.4), (0.4, 0.0), (0.4, 0.4), (0.2, 0.2))  # upper left corners, shares of the sides


def answer(speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
    """Answer each query in three steps; of a free question, what is said of the whole and of every crop are the options."""
    return [_chosen(speaker, _views(query)) for query in queries]


def _views(query: Query) -> list[Query]:
    """The whole, then the crops."""
    return [query, *(replace(query, image=crop(query.image, *corner)) for corner in CROPS)]


def _chosen(speaker: Speaker, views: Sequence[Query]) -> str:
    """Plan: of all crops the one whose answer is surest. Look closer at it. Verify: both views together decide."""
    options = views[0].options or tuple(dict.fromkeys(said for said in speaker.say(views) if said))
    if len(options) < 2:
        return "".join(options)
    told = [normalized(scores) for scores in speaker.scores([replace(view, options=options) for view in views])]
    closest = max(told[1:], key=max)
    return options[int(np.argmax(np.add(told[0], closest)))]


def normalized(scores: Sequence[float]) -> list[float]:
    """Log-probabilities over the options alone."""
    whole = float(np.logaddexp.reduce(scores))
    return [score - whole for score in scores]
