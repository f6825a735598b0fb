"""Pair accuracy in bad weather, under noise, blur and compression, and under attack by the model's own gradient."""

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from statistics import fmean
from typing import Protocol

import numpy as np
import torch
from more_itertools import batched

from pstgen.core.records import BadInput, Item, Unavailable
from pstgen.dataset.rows import Row
from pstgen.evaluation import corruptions
from pstgen.evaluation.metrics import Evaluation, Scores, plain
from pstgen.models import hooks
from pstgen.models.answerer import Answerer, Query
from pstgen.models.chat import Image
from pstgen.models.huggingface import Model
from pstgen.scenes import pixels
from pstgen.training.systems import Plan

EXPENSIVE = True
EPSILONS = (2, 4, 8)  # of 255, the most that a pixel changes
STEPS = 5  # of PGD
STRIDE = 0.5  # of epsilon, that one step of PGD goes
BATCH = 16
CORRUPTIONS = {
    f"{kind}/{strength}": (kind, strength) for kind in corruptions.KINDS for strength in corruptions.STRENGTHS
}
ATTACKS = ("seen", *(f"{kind}/{epsilon}" for kind in ("fgsm", "pgd") for epsilon in EPSILONS))

Images = tuple[str, list[Image]]  # with the name of their figure


class Answering(Protocol):
    """A system, as far as it is needed here."""

    def answer(self, answerer: Answerer, queries: Sequence[Query], /) -> list[str]:
        """One answer a query, in their order."""
        ...


def inapplicable(plan: Plan) -> str:
    """A system that is never shown an image cannot be disturbed by one."""
    return "" if plan.sees else "never sees an image"


def measure(evaluation: Evaluation, /) -> Scores:
    """The figures of `score`, on some of the stress test's items."""
    return score(evaluation.system, evaluation.answerer, evaluation.rows(evaluation.disturbed))


def score(system: Answering, answerer: Answerer, rows: Sequence[Row]) -> Scores:
    """Percent of the pairs all of whose twins are answered right: `clean`, and by corruption and strength.

    rain/1 to jpeg/3: albumentations' at three strengths, drawn by the item's id, so the same for every system. fgsm/2 to
    pgd/8: pixels changed by at most so many of 255, against the right option's log-probability in the answerer's own
    model; `seen` is what the pixels are before that: as the model's processor resizes and crops them. The system answers
    the changed images as any others, by whatever way it answers. Weather is absent without albumentations, attacks where
    the model is not of LLaVA's kind.

    per_question: the clean answers' scores by item. Sources: Goodfellow et al. (2015), Madry et al. (2018).
    """
    if not rows:
        raise BadInput("no items to be measured under corruption")
    items, images = [row.item for row in rows], [pixels.decode(row.image) for row in rows]
    right = partial(_right, system, answerer, items)
    clean = right(images)
    figures, absent = {"clean": _pairs_won(items, clean)}, dict[str, str]()
    for names, disturbances in (
        (CORRUPTIONS, _corruptions(items, images)),
        (ATTACKS, attacks(answerer, items, images)),
    ):
        try:
            figures |= {name: _pairs_won(items, right(disturbed)) for name, disturbed in disturbances}
        except Unavailable as error:
            absent |= dict.fromkeys(names, str(error))
    scores = {item.item_id: item_score for item, item_score in zip(items, clean, strict=True)}
    return Scores(figures=figures, per_question=scores, absent=absent)


def _right(system: Answering, answerer: Answerer, items: Sequence[Item], images: Sequence[Image]) -> list[float]:
    """Of each item, shown that image: 1 where it is answered right, else 0."""
    queries = [
        Query(item.item_id, item.question, item.options, image) for item, image in zip(items, images, strict=True)
    ]
    answers = system.answer(answerer, queries)
    return [float(plain(answer) == plain(item.answer)) for answer, item in zip(answers, items, strict=True)]


def _pairs_won(items: Sequence[Item], right: Sequence[float]) -> float:
    """Percent of the pairs all of whose twins are right."""
    won: dict[str, float] = {}
    for item, item_score in zip(items, right, strict=True):
        won[item.pair_id] = min(won.get(item.pair_id, 1.0), item_score)
    return 100 * fmean(won.values())


def _seed(*words: str) -> int:
    return int.from_bytes(sha256("/".join(words).encode()).digest()[:4], "big")


def _corruptions(items: Sequence[Item], images: Sequence[Image]) -> Iterator[Images]:
    """Each corruption's name with its images; all strengths of a kind draw in the same places."""
    for name, (kind, strength) in CORRUPTIONS.items():
        seeds = [_seed(item.item_id, kind) for item in items]
        corrupted = zip(images, seeds, strict=True)
        yield name, [corruptions.corrupt(image, kind, strength, seed) for image, seed in corrupted]


# ---------------------------------------------------------------------------------------------------------- attacks


def attacks(answerer: Answerer, items: Sequence[Item], images: Sequence[Image]) -> Iterator[Images]:
    """Each attack's name with its images, (S, S, 3) uint8; the first is none: `seen`.

    Raises Unavailable where the model is not of LLaVA's kind, and where there are several.
    """
    if answerer.parts:
        raise Unavailable("several models answer: there is no one gradient")
    model = answerer.model
    clean = hooks.preprocess(model, images).round()
    yield "seen", _as_images(clean)
    gradient = _gradient(model, items, images, clean)
    for epsilon in EPSILONS:
        yield f"fgsm/{epsilon}", _as_images((clean - epsilon * gradient.sign()).clamp(0, 255))
    for epsilon in EPSILONS:
        yield f"pgd/{epsilon}", _as_images(_projected_descent(model, items, images, clean, epsilon))


def _projected_descent(
    model: Model, items: Sequence[Item], images: Sequence[Image], clean: torch.Tensor, epsilon: int
) -> torch.Tensor:
    """Down the gradient step by step from a point within `epsilon` of the clean image, drawn by the item's id."""
    starts = [np.random.default_rng(_seed(item.item_id, "pgd")).random(clean.shape[1:], np.float32) for item in items]
    low, high = (clean - epsilon).clamp(min=0), (clean + epsilon).clamp(max=255)
    at = low + torch.from_numpy(np.stack(starts)) * (high - low)
    for _ in range(STEPS):
        down = STRIDE * epsilon * _gradient(model, items, images, at).sign()
        at = torch.minimum(torch.maximum(at - down, low), high)
    return at.round()


def _gradient(model: Model, items: Sequence[Item], images: Sequence[Image], at: torch.Tensor) -> torch.Tensor:
    """(N, 3, S, S): of the right option's log-probability by the pixels (0 to 255), at these pixels."""
    gradients = []
    for batch, shown, part in zip(batched(items, BATCH), batched(images, BATCH), at.split(BATCH), strict=True):
        place = part.clone().requires_grad_()
        questions, answers = [item.question for item in batch], [item.answer for item in batch]
        with torch.enable_grad(), hooks.replace_pixels(model, partial(_normalized, model, place)):
            logprobs = hooks.logprobs(model, questions, answers, shown)
            gradients.append(torch.autograd.grad(logprobs.sum(), place)[0])
    return torch.cat(gradients)


def _normalized(model: Model, place: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    """These pixels, as the model takes them, instead of others."""
    return hooks.normalize(model, place)


def _as_images(images: torch.Tensor) -> list[Image]:
    """(N, 3, S, S) whole numbers → images as any others."""
    return list(images.permute(0, 2, 3, 1).to(torch.uint8).contiguous().numpy())
