"""Pair accuracy in bad weather, under noise, blur and compression, and under attack by the model's own gradient."""

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from statistics import fmean
from typing import Protocol

import numpy as np
import torch

from pstgen.core.records import BadInput, Item, Unavailable
from pstgen.dataset.store import Row
from pstgen.evaluation import corruptions
from pstgen.evaluation.metrics import Scores, plain
from pstgen.models import hooks
from pstgen.models.answerer import Query, Speaker
from pstgen.models.huggingface import Image, Model
from pstgen.scenes import pixels

EPSILONS = (2, 4, 8)  # of 255, the most that a pixel changes
STEPS = 5  # of PGD
STRIDE = 0.5  # of epsilon, that one step of PGD goes
BATCH = 16
WEATHER = tuple(f"{kind}/{strength}" for kind in corruptions.KINDS for strength in corruptions.STRENGTHS)
ATTACKS = ("seen", *(f"{kind}/{most}" for kind in ("fgsm", "pgd") for most in EPSILONS))


class Answering(Protocol):
    """A system, as far as it is needed here."""

    def answer(self, speaker: Speaker, queries: Sequence[Query], /) -> list[str]:
        """One answer a query, in their order."""
        ...


def measure(system: Answering, speaker: Speaker, rows: Sequence[Row]) -> Scores:
    """Percent of the pairs all of whose twins are answered right: `clean`, and by corruption and strength.

    rain/1 to jpeg/3: albumentations' at three strengths, drawn by the item's id, so the same for every system. fgsm/2 to
    pgd/8: pixels changed by at most so many of 255, against the right option's log-probability in the speaker's own model;
    `seen` is what the pixels are before that: as the model's processor resizes and crops them. The system answers the
    changed images as any others, by whatever way it answers. Weather is absent without albumentations, attacks where the
    model is not of LLaVA's kind.

    per_question: the clean answers' scores by item. Sources: Goodfellow et al. (2015), Madry et al. (2018).
    """
    if not rows:
        raise BadInput("no items to be measured under corruption")
    items, images = [row.item for row in rows], [pixels.decoded(row.image) for row in rows]

    def right(shown: Sequence[Image]) -> list[float]:
        queries = (
            Query(one.item_id, one.question, one.options, image) for one, image in zip(items, shown, strict=True)
        )
        said = system.answer(speaker, list(queries))
        return [float(plain(one) == plain(item.answer)) for one, item in zip(said, items, strict=True)]

    clean = right(images)
    figures, absent = {"clean": _pairs(items, clean)}, dict[str, str]()
    for names, changes in (
        (WEATHER, _weather(items, images)),
        (ATTACKS, attacks(speaker.model, items, images)),
    ):
        try:
            figures |= {name: _pairs(items, right(changed)) for name, changed in changes}
        except Unavailable as error:
            absent |= dict.fromkeys(names, str(error))
    scores = {item.item_id: score for item, score in zip(items, clean, strict=True)}
    return Scores(figures=figures, per_question=scores, absent=absent)


def _pairs(items: Sequence[Item], right: Sequence[float]) -> float:
    """Percent of the pairs all of whose twins are right."""
    won: dict[str, float] = {}
    for item, score in zip(items, right, strict=True):
        won[item.pair_id] = min(won.get(item.pair_id, 1.0), score)
    return 100 * fmean(won.values())


def _seed(*words: str) -> int:
    return int.from_bytes(sha256("/".join(words).encode()).digest()[:4], "big")


def _weather(items: Sequence[Item], images: Sequence[Image]) -> Iterator[tuple[str, list[Image]]]:
    """Each corruption's name with its images; a strength draws where the others draw."""
    for name in WEATHER:
        kind, _, strength = name.partition("/")
        seeds = [_seed(item.item_id, kind) for item in items]
        yield (
            name,
            [corruptions.spoilt(one, kind, int(strength), seed) for one, seed in zip(images, seeds, strict=True)],
        )


# ---------------------------------------------------------------------------------------------------------- attacks


def attacks(model: Model, items: Sequence[Item], images: Sequence[Image]) -> Iterator[tuple[str, list[Image]]]:
    """Each attack's name with its images, (S, S, 3) uint8; the first is none: `seen`.

    Raises Unavailable where the model is not of LLaVA's kind.
    """
    clean = hooks.seen(model, images).round()
    yield "seen", _shown(clean)
    slope = _slope(model, items, images, clean)
    for most in EPSILONS:
        yield f"fgsm/{most}", _shown((clean - most * slope.sign()).clamp(0, 255))
    for most in EPSILONS:
        yield f"pgd/{most}", _shown(_descent(model, items, images, clean, most))


def _descent(
    model: Model, items: Sequence[Item], images: Sequence[Image], clean: torch.Tensor, most: int
) -> torch.Tensor:
    """Down the slope step by step from a point within `most` of the clean image, drawn by the item's id."""
    chance = [np.random.default_rng(_seed(item.item_id, "pgd")).random(clean.shape[1:], np.float32) for item in items]
    low, high = (clean - most).clamp(min=0), (clean + most).clamp(max=255)
    at = low + torch.from_numpy(np.stack(chance)) * (high - low)
    for _ in range(STEPS):
        down = STRIDE * most * _slope(model, items, images, at).sign()
        at = torch.minimum(torch.maximum(at - down, low), high)
    return at.round()


def _slope(model: Model, items: Sequence[Item], images: Sequence[Image], at: torch.Tensor) -> torch.Tensor:
    """(N, 3, S, S): of the right option's log-probability by the pixels (0 to 255), at these pixels."""
    slopes = []
    for start in range(0, len(items), BATCH):
        some = items[start : start + BATCH]
        place = at[start : start + BATCH].clone().requires_grad_()
        words = [item.question for item in some], [item.answer for item in some]
        with torch.enable_grad(), hooks.instead(model, partial(_placed, model, place)):
            told = hooks.logprobs(model, *words, images[start : start + BATCH])
            slopes.append(torch.autograd.grad(told.sum(), place)[0])
    return torch.cat(slopes)


def _placed(model: Model, place: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    """These pixels, as the model takes them, instead of others."""
    return hooks.normalized(model, place)


def _shown(images: torch.Tensor) -> list[Image]:
    """(N, 3, S, S) whole numbers → images as any others."""
    return list(images.permute(0, 2, 3, 1).to(torch.uint8).contiguous().numpy())
