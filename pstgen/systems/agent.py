"""An agent of three steps over a standard VLM: plan where to look, look closer at the crop, verify."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pstgen.likelihood import Image
from pstgen.speaker import Query, Speaker
from pstgen.systems import Plan

PLAN = Plan(of="standard")
CROPS = ((0.0, 0.0), (0.0, 0.4), (0.4, 0.0), (0.4, 0.4), (0.2, 0.2))  # upper left corners, shares of the sides
SHARE = 0.6  # of a side, that a crop shows


def answer(speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
    """Answer each query in three steps; a free question is asked whole and once more of the crop it is surest of."""
    return [_closed(speaker, query) if query.options else _open(speaker, query) for query in queries]


def _closed(speaker: Speaker, query: Query) -> str:
    """Plan: of all crops the one whose answer is surest. Look closer at it. Verify: both views together decide."""
    views = [query, *(replace(query, image=crop(query.image, *corner)) for corner in CROPS)]
    told = [normalized(scores) for scores in speaker.scores(views)]
    closest = max(told[1:], key=max)
    return query.options[int(np.argmax(np.add(told[0], closest)))]


def _open(speaker: Speaker, query: Query) -> str:
    """Plan: the middle crop's answer beside the whole's. Verify: the model chooses between them on the whole image."""
    closer = replace(query, image=crop(query.image, 0.2, 0.2))
    options = tuple(dict.fromkeys(said for said in speaker.say([query, closer]) if said))
    return speaker.answers([replace(query, options=options)])[0] if options else ""


def crop(image: Image | None, y: float, x: float) -> Image | None:
    """The part of the image that begins at (y, x), shares of its sides; the model's processor makes it larger."""
    if image is None:
        return None
    height, width = image.shape[:2]
    top, left = int(y * height), int(x * width)
    return np.ascontiguousarray(image[top : top + int(SHARE * height), left : left + int(SHARE * width)])


def normalized(scores: Sequence[float]) -> list[float]:
    """Log-probabilities over the options alone."""
    whole = float(np.logaddexp.reduce(scores))
    return [score - whole for score in scores]
