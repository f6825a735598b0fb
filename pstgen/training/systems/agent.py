"""An agent of three steps over a standard VLM: a detector says where to look, the VLM looks closer, the detector checks the answer."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pstgen.models.answerer import Answerer, Query
from pstgen.models.chat import Image
from pstgen.models.detector import Found
from pstgen.scenes.truth.colour import NAMES as COLOURS
from pstgen.scenes.vocabulary import categories_in
from pstgen.training.systems import Plan

PLAN = Plan(detects=True, weights_of="standard")
LEAST = 0.4  # of a side, that is looked at closely
MARGIN = 0.125  # of a side, around what is looked at

Options = tuple[str, ...]


def answer(answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
    """Of the answers that the detector does not contradict, the likeliest by the whole image and the closer look together.

    Where it contradicts all of them, all count. The options of a free question are what is said of either image.
    """
    seen = _find(answerer, queries)
    views = [[query, *_closer(query, found)] for query, found in zip(queries, seen, strict=True)]
    options = _options(answerer, views)
    answers = []
    for query, choices, total, found in zip(queries, options, _score(answerer, views, options), seen, strict=True):
        known = answerer.finder.categories if query.image is not None else ()
        wrong = [is_contradicted(option, query.question, found, known) for option in choices]
        ranked = sorted(zip(wrong, -total, choices, strict=True))
        answers.append(ranked[0][2] if ranked else "")
    return answers


def _find(answerer: Answerer, queries: Sequence[Query]) -> list[list[Found]]:
    """What the detector finds in each image; nothing where none is shown."""
    found = iter(answerer.find([query.image for query in queries if query.image is not None]))
    return [[] if query.image is None else next(found) for query in queries]


def _closer(query: Query, found: Sequence[Found]) -> Iterator[Query]:
    """The part of the image that shows what the question names, where the detector found any of it."""
    named = categories_in(query.question, {thing.category for thing in found})
    corners = [(x, y, x + across, y + down) for kind, (x, y, across, down), _ in found if kind in named]
    if query.image is not None and corners:
        first, last = np.min(corners, axis=0)[:2].clip(0, 1), np.max(corners, axis=0)[2:].clip(0, 1)
        half = np.maximum((last - first) / 2 + MARGIN, LEAST / 2)
        yield replace(query, image=_part(query.image, (first + last) / 2 - half, (first + last) / 2 + half))


def _part(image: Image, first: NDArray[np.float64], last: NDArray[np.float64]) -> Image:
    """What lies between two corners, x and y as shares of the sides."""
    sides = np.array(image.shape[1::-1])
    left, top = np.floor(first.clip(0, 1) * sides).astype(int)
    right, bottom = np.ceil(last.clip(0, 1) * sides).astype(int)
    return np.ascontiguousarray(image[top:bottom, left:right])


def _options(answerer: Answerer, views: Sequence[Sequence[Query]]) -> list[Options]:
    texts = iter(answerer.generate([view for row in views if not row[0].options for view in row]))
    return [row[0].options or tuple(dict.fromkeys(filter(None, [next(texts) for _ in row]))) for row in views]


def _score(
    answerer: Answerer, views: Sequence[Sequence[Query]], options: Sequence[Options]
) -> list[NDArray[np.float64]]:
    """Of each query, log-probabilities of its options, summed over its views."""
    rows = [(row, choices) for row, choices in zip(views, options, strict=True) if choices]
    scores = iter(answerer.score([replace(view, options=choices) for row, choices in rows for view in row]))
    return [
        np.sum([normalize(next(scores)) for _ in row], axis=0) if choices else np.array([])
        for row, choices in zip(views, options, strict=True)
    ]


def is_contradicted(option: str, question: str, found: Sequence[Found], known: Sequence[str]) -> bool:
    """Does the detector miss what the option says: a thing, what a "yes" says is there, how many there are, or its colour?

    known: categories that the detector knows.
    """
    seen, named = {thing.category for thing in found}, categories_in(question, known)
    if option == "yes":
        return not seen.issuperset(named)
    if said := categories_in(option, known):
        return seen.isdisjoint(said)
    of_kind = [thing for thing in found if named == {thing.category}]
    if option.isdecimal():
        return bool(of_kind) and len(of_kind) != int(option)
    return option in COLOURS and any(thing.colour not in {"", option} for thing in of_kind)


def normalize(scores: Sequence[float]) -> list[float]:
    """Log-probabilities over the options alone."""
    total = float(np.logaddexp.reduce(scores))
    return [score - total for score in scores]
