"""Attention on the evidence, beside what it is worth: even attention, another item's evidence, deletion, an untrained model."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import numpy as np
import torch
from more_itertools import batched
from numpy.typing import NDArray
from torch.nn import functional

from pstgen.core.records import Unavailable
from pstgen.dataset.rows import Row
from pstgen.evaluation.metrics import Evaluation, Scores
from pstgen.models import hooks
from pstgen.models.chat import Image
from pstgen.models.huggingface import Model
from pstgen.scenes import pixels
from pstgen.training.systems import Plan

EXPENSIVE = True
ITEMS = 96  # of the stress test, about
COVERED = 0.1  # of a patch, from where on it is evidence
GREYED = 0.1  # of the patches, in the deletion test
DRAWS = 3  # of as many random patches
BATCH = 16

Map = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AnnotatedItem:
    """An item with its pixels. evidence: its mask, as large as the image: 0 or 255; all 0 of an absence."""

    row: Row
    image: Image
    evidence: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class AttentionMaps:
    """Of one answer, (patches,) each: gradient x attention, and rollout; what does not fall on the image is left out."""

    gradient: Map
    rollout: Map


def inapplicable(plan: Plan) -> str:
    """Attention goes by the weights, and falls on images alone."""
    if plan.weights_of:
        return f"answers with the weights of {plan.weights_of}: see there"
    if plan.parts:
        return "several models answer"
    return "" if plan.sees else "never sees an image"


def measure(evaluation: Evaluation, /) -> Scores:
    """The figures of `score`, on some of the stress test's items."""
    try:
        return score(evaluation.answerer.model, evaluation.rows(ITEMS))
    except Unavailable as error:
        return Scores(figures={}, absent={"share": str(error)})


def score(model: Model, rows: Sequence[Row]) -> Scores:
    """Where the model looks as it is about to give the right answer. Shares are in percent of what falls on the image.

    share: gradient x attention on the patches that show the evidence (the positive part, mean of heads and layers, from
    the tokens that predict the answer to the image's). uniform: what even attention has there; lift: share / uniform.
    shuffled: what it has on the evidence of other pairs' items. rollout: share by attention rollout, which measures
    position as much as anything; rollout_untrained: the same of the same model with random weights, its null.
    deletion: nats that the answer's log-probability falls where the most looked-at tenth of the patches is grey;
    deletion_random: where as many random ones are.

    Items without evidence (absences) are left out, and so are such that no gradient reaches; both are counted in `absent`.
    per_question: share, 0 to 1. Raises Unavailable where the model is not of LLaVA's kind. Source of the product:
    Chefer, Gur, Wolf (2021); of rollout: Abnar and Zuidema (2020).
    """
    items = [item for item in map(annotate, rows) if item.evidence.any()]
    absent = _left_out("evidence", "is nowhere in the image", len(rows) - len(items), len(rows))
    maps = [attention_maps(model, item) for item in items]
    reached = [n for n, item_maps in enumerate(maps) if item_maps.gradient.any()]
    absent |= _left_out("gradient", "reaches no patch", len(items) - len(reached), len(rows))
    if not reached:
        return Scores(figures={}, absent=absent)
    items, maps = [items[n] for n in reached], [maps[n] for n in reached]
    figures, shares = _figures(model, items, maps)
    if "shuffled" not in figures:
        absent["shuffled"] = "all items are of one pair"
    names = [item.row.item.item_id for item in items]
    return Scores(figures=figures, per_question=dict(zip(names, shares.tolist(), strict=True)), absent=absent)


def annotate(row: Row) -> AnnotatedItem:
    """A row's image, decoded, and its evidence."""
    image = pixels.decode(row.image)
    mask = next((target.pixels for target in row.targets if target.kind == "mask"), np.zeros(image.shape[:2]))
    return AnnotatedItem(row, image, mask.astype(np.uint8))


def _left_out(what: str, where: str, number: int, of: int) -> dict[str, str]:
    return {f"items whose {what} {where}": f"{number} of {of} items were left out"} if number else {}


def _figures(
    model: Model, items: Sequence[AnnotatedItem], maps: Sequence[AttentionMaps]
) -> tuple[dict[str, float], Map]:
    """All figures, and the share of every item; "shuffled" is missing where all items are of one pair."""
    gradient, rollout = np.stack([item.gradient for item in maps]), np.stack([item.rollout for item in maps])
    untrained = _untrained(model)
    evidence = _evidence(model, items, gradient.shape[1])
    shares = _share_on(gradient, evidence)
    fall, random_fall = _deletion(model, items, gradient)
    figures = {
        "share": 100 * shares.mean(),
        "uniform": 100 * evidence.mean(),
        "lift": shares.mean() / evidence.mean(),
        "deletion": fall,
        "deletion_random": random_fall,
        "rollout": 100 * _share_on(rollout, evidence).mean(),
        "rollout_untrained": 100
        * _share_on(np.stack([attention_maps(untrained, item).rollout for item in items]), evidence).mean(),
    }
    shuffled = _share_on_others(gradient, evidence, [item.row.item.pair_id for item in items])
    if shuffled is not None:
        figures["shuffled"] = 100 * shuffled
    return {name: float(value) for name, value in figures.items()}, shares


# ---------------------------------------------------------------------------------------------------------- maps


def attention_maps(model: Model, item: AnnotatedItem) -> AttentionMaps:
    """One pass forward and one back. Raises Unavailable where the model is not of LLaVA's kind."""
    answer = item.row.item.answer
    with torch.enable_grad(), hooks.record_attention(model) as passes:
        logprob = hooks.logprobs(model, [item.row.item.question], [answer], [item.image]).sum()
        ids, layers = passes[0]
        gradients = torch.autograd.grad(logprob, layers)
    image = _image_tokens(model, ids[0])
    question = item.row.item.question
    predicting = len(
        model.tokens(answer, question, with_image=True)
    )  # the last tokens, each of which predicts one of the answer
    product = torch.stack([(a[0] * g[0]).clamp(min=0).mean(0) for a, g in zip(layers, gradients, strict=True)])
    return AttentionMaps(
        gradient=_map(product.mean(0)[-predicting:].mean(0)[image]),
        rollout=_map(_rollout([layer[0].mean(0) for layer in layers])[-predicting:].mean(0)[image]),
    )


def _rollout(layers: Sequence[torch.Tensor]) -> torch.Tensor:
    """(L, L): attention through all layers, half of each layer being the residual connection."""
    through = torch.eye(len(layers[0]), device=layers[0].device)
    for layer in layers:
        through = (layer.detach().float() + torch.eye(len(layer), device=layer.device)) / 2 @ through
    return through


def _map(weights: torch.Tensor) -> Map:
    return weights.detach().double().cpu().numpy()  # type: ignore[no-any-return]


def _image_tokens(model: Model, ids: torch.Tensor) -> torch.Tensor:
    """(L,) bool. Raises Unavailable where the image's tokens form no square grid."""
    token = getattr(model.model.config, "image_token_id", None)
    image = ids == (-1 if token is None else token)
    number = int(image.sum())
    if number == 0 or round(number**0.5) ** 2 != number:
        raise Unavailable(f"{model.name}: has {number} tokens an image, which are no square grid, as LLaVA's are")
    return image


def _untrained(model: Model) -> Model:
    """The same with random weights."""
    net = model.model
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fresh = type(net)(copy.deepcopy(net.config)).eval().to(net.device, net.dtype)
    untrained = copy.copy(model)
    untrained.model = fresh
    return untrained


# ---------------------------------------------------------------------------------------------------------- evidence


def _evidence(model: Model, items: Sequence[AnnotatedItem], patches: int) -> NDArray[np.bool_]:
    """(N, patches): those of which the evidence covers a tenth, or else the most covered one."""
    masks = hooks.preprocess(model, [np.repeat(item.evidence[:, :, None], 3, 2) for item in items])[:, 0]
    cover = functional.adaptive_avg_pool2d(masks[:, None] / 255, round(patches**0.5)).flatten(1)
    return (cover >= cover.max(1, keepdim=True).values.clamp(max=COVERED)).numpy()  # type: ignore[no-any-return]


def _share_on(maps: Map, evidence: NDArray[np.bool_]) -> Map:
    """(N,): the share of each map that is on its evidence."""
    return (maps * evidence).sum(1) / maps.sum(1)  # type: ignore[no-any-return]


def _share_on_others(maps: Map, evidence: NDArray[np.bool_], pairs: Sequence[str]) -> float | None:
    """Mean share on the evidence of items of other pairs."""
    names = np.array(pairs)
    shares = maps / maps.sum(1, keepdims=True) @ evidence.T.astype(float)
    others = names[:, None] != names[None, :]
    return float(shares[others].mean()) if others.any() else None


# ---------------------------------------------------------------------------------------------------------- deletion


def _deletion(model: Model, items: Sequence[AnnotatedItem], maps: Map) -> tuple[float, float]:
    """Mean fall of the answer's log-probability, in nats: by the patches most looked at, by random ones."""
    patches = maps.shape[1]
    number = max(1, round(GREYED * patches))
    by_attention = np.argsort(-maps, axis=1, kind="stable")
    rngs = [np.random.default_rng(list(sha256(item.row.item.item_id.encode()).digest())) for item in items]
    whole = _logprobs_without(model, items, np.zeros(maps.shape, bool))
    falls = whole - _logprobs_without(model, items, _first(by_attention, number))
    orders = [np.stack([rng.permutation(patches) for rng in rngs]) for _ in range(DRAWS)]
    random_falls = [whole - _logprobs_without(model, items, _first(order, number)) for order in orders]
    return float(falls.mean()), float(np.mean(random_falls))


def _first(order: NDArray[np.int64], number: int) -> NDArray[np.bool_]:
    """(N, patches): is a patch among the first of its row's order?"""
    return np.argsort(order, axis=1) < number


def _logprobs_without(model: Model, items: Sequence[AnnotatedItem], grey: NDArray[np.bool_]) -> Map:
    """(N,) log-probabilities of the answers, the patches that are `grey` (N, patches) taken away."""
    logprobs = []
    for batch, grey_batch in zip(batched(items, BATCH), torch.from_numpy(grey).split(BATCH), strict=True):
        questions, answers = [item.row.item.question for item in batch], [item.row.item.answer for item in batch]
        with torch.inference_mode(), hooks.replace_pixels(model, partial(_grey_out, grey_batch)):
            batch_logprobs = hooks.logprobs(model, questions, answers, [item.image for item in batch])
        logprobs.append(batch_logprobs.double().numpy())
    return np.concatenate(logprobs)


def _grey_out(grey: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """(B, 3, S, S), normalized. 0 is the mean colour that the model was made for: a grey."""
    side = round(grey.shape[1] ** 0.5)
    kept = (~grey).float().view(-1, 1, side, side)
    return image * functional.interpolate(kept, image.shape[-2:]).to(image)
