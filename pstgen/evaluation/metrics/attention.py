"""Attention on the evidence, beside what it is worth: a uniform gaze, another item's evidence, deletion, an untrained model."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from pstgen.core.records import Unavailable
from pstgen.dataset.store import Row
from pstgen.evaluation.metrics import Scores
from pstgen.models import hooks
from pstgen.models.huggingface import Image, Model
from pstgen.scenes import pixels

COVERED = 0.1  # of a patch, from where on it is evidence
GREYED = 0.1  # of the patches, in the deletion test
DRAWS = 3  # of as many random patches
BATCH = 16

Map = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """An item as the model is asked it. evidence: its mask, as large as the image: 0 or 255."""

    row: Row
    image: Image
    evidence: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Gaze:
    """Of one answer, (patches,) each: gradient x attention, and rollout; what is not of the image is left out."""

    weighed: Map
    rollout: Map


def measure(model: Model, rows: Sequence[Row]) -> Scores:
    """Where the model looks as it is about to give the right answer. Shares are in percent of what falls on the image.

    share: gradient x attention on the patches that show the evidence (the positive part, mean of heads and layers, from
    the tokens that predict the answer to the image's). uniform: what an even gaze has there; lift: share / uniform.
    shuffled: what it has on the evidence of other pairs' items. rollout: share by attention rollout, which measures
    position as much as anything; rollout_untrained: the same of the same model with random weights, its null.
    deletion: nats that the answer's log-probability falls where the most looked-at tenth of the patches is grey;
    deletion_random: where as many random ones are.

    Items without evidence (absences) are left out, and so are such that no gradient reaches; both are counted in `absent`.
    per_question: share, 0 to 1. Raises Unavailable where the model is not of LLaVA's kind. Source of the product:
    Chefer, Gur, Wolf (2021); of rollout: Abnar and Zuidema (2020).
    """
    shown = [one for row in rows if (one := _asked(row)) is not None]
    absent = _counted("evidence", "is nowhere in the image", len(rows) - len(shown), len(rows))
    if not shown:
        return Scores(figures={}, absent=absent)
    gazes = [_gaze(model, one) for one in shown]
    kept = [n for n, gaze in enumerate(gazes) if gaze.weighed.any()]
    absent |= _counted("gradient", "reaches no patch", len(shown) - len(kept), len(rows))
    if not kept:
        return Scores(figures={}, absent=absent)
    shown, gazes = [shown[n] for n in kept], [gazes[n] for n in kept]
    weighed = np.stack([gaze.weighed for gaze in gazes])
    evidence = _evidence(model, shown, weighed.shape[1])
    shares = _on(weighed, evidence)
    others = _elsewhere(weighed, evidence, [one.row.item.pair_id for one in shown])
    fallen, fallen_random = _deletion(model, shown, weighed)
    new = _untrained(model)
    figures = {
        "share": 100 * shares.mean(),
        "uniform": 100 * evidence.mean(),
        "lift": shares.mean() / evidence.mean(),
        "deletion": fallen,
        "deletion_random": fallen_random,
        "rollout": 100 * _on(np.stack([gaze.rollout for gaze in gazes]), evidence).mean(),
        "rollout_untrained": 100 * _on(np.stack([_gaze(new, one).rollout for one in shown]), evidence).mean(),
    }
    if others is None:
        absent["shuffled"] = "all items are of one pair"
    else:
        figures["shuffled"] = 100 * others
    names = [one.row.item.item_id for one in shown]
    return Scores(
        figures={name: float(one) for name, one in figures.items()},
        per_question=dict(zip(names, shares.tolist(), strict=True)),
        absent=absent,
    )


def _asked(row: Row) -> Asked | None:
    """None for an absence."""
    mask = next((target.pixels for target in row.targets if target.kind == "mask"), None)
    return None if mask is None or not mask.any() else Asked(row, pixels.decoded(row.image), mask.astype(np.uint8))


def _counted(what: str, where: str, number: int, of: int) -> dict[str, str]:
    return {f"items whose {what} {where}": f"{number} of {of} items were left out"} if number else {}


# ---------------------------------------------------------------------------------------------------------- the gaze


def _gaze(model: Model, one: Asked) -> Gaze:
    """One pass forward and one back."""
    answer = one.row.item.answer
    with torch.enable_grad(), hooks.watched(model) as passes:
        told = hooks.logprobs(model, [one.row.item.question], [answer], [one.image]).sum()
        ids, layers = passes[0]
        gradients = torch.autograd.grad(told, layers)
    image = _image_tokens(model, ids[0])
    asking = len(model.tokens(answer))  # the last tokens, each of which predicts one of the answer
    product = torch.stack([(a[0] * g[0]).clamp(min=0).mean(0) for a, g in zip(layers, gradients, strict=True)])
    return Gaze(
        weighed=_map(product.mean(0)[-asking:].mean(0)[image]),
        rollout=_map(_rollout([layer[0].mean(0) for layer in layers])[-asking:].mean(0)[image]),
    )


def _rollout(layers: Sequence[torch.Tensor]) -> torch.Tensor:
    """(L, L): attention through all layers, half of each layer being what passes by it."""
    through = torch.eye(len(layers[0]), device=layers[0].device)
    for layer in layers:
        through = (layer.detach().float() + torch.eye(len(layer), device=layer.device)) / 2 @ through
    return through


def _map(weights: torch.Tensor) -> Map:
    return weights.detach().double().cpu().numpy()  # type: ignore[no-any-return]


def _image_tokens(model: Model, ids: torch.Tensor) -> torch.Tensor:
    """(L,) bool. Raises Unavailable where the image's tokens are no square grid."""
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
    new = copy.copy(model)
    new.model = fresh
    return new


# ---------------------------------------------------------------------------------------------------------- evidence


def _evidence(model: Model, shown: Sequence[Asked], patches: int) -> NDArray[np.bool_]:
    """(N, patches): those of which the evidence covers a tenth, or else the most covered one."""
    masks = hooks.seen(model, [np.repeat(one.evidence[:, :, None], 3, 2) for one in shown])[:, 0]
    cover = functional.adaptive_avg_pool2d(masks[:, None] / 255, round(patches**0.5)).flatten(1)
    return (cover >= cover.max(1, keepdim=True).values.clamp(max=COVERED)).numpy()  # type: ignore[no-any-return]


def _on(maps: Map, evidence: NDArray[np.bool_]) -> Map:
    """(N,): the share of each map that is on its evidence."""
    return (maps * evidence).sum(1) / maps.sum(1)  # type: ignore[no-any-return]


def _elsewhere(maps: Map, evidence: NDArray[np.bool_], pairs: Sequence[str]) -> float | None:
    """Mean share on the evidence of items of other pairs."""
    names = np.array(pairs)
    shares = maps / maps.sum(1, keepdims=True) @ evidence.T.astype(float)
    others = names[:, None] != names[None, :]
    return float(shares[others].mean()) if others.any() else None


# ---------------------------------------------------------------------------------------------------------- deletion


def _deletion(model: Model, shown: Sequence[Asked], maps: Map) -> tuple[float, float]:
    """Mean fall of the answer's log-probability, in nats: by the patches most looked at, by random ones."""
    patches = maps.shape[1]
    number = max(1, round(GREYED * patches))
    most = np.argsort(-maps, axis=1, kind="stable")
    chance = [np.random.default_rng(list(sha256(one.row.item.item_id.encode()).digest())) for one in shown]
    whole = _told(model, shown, np.zeros(maps.shape, bool))
    fallen = whole - _told(model, shown, _first(most, number))
    random = [np.stack([one.permutation(patches) for one in chance]) for _ in range(DRAWS)]
    fallen_random = [whole - _told(model, shown, _first(some, number)) for some in random]
    return float(fallen.mean()), float(np.mean(fallen_random))


def _first(order: NDArray[np.int64], number: int) -> NDArray[np.bool_]:
    """(N, patches): is a patch among the first of its row's order?"""
    return np.argsort(order, axis=1) < number


def _told(model: Model, shown: Sequence[Asked], grey: NDArray[np.bool_]) -> Map:
    """(N,) log-probabilities of the answers, the patches that are `grey` (N, patches) taken away."""
    told = []
    for start in range(0, len(shown), BATCH):
        some = shown[start : start + BATCH]
        words = [one.row.item.question for one in some], [one.row.item.answer for one in some]
        change = partial(_greyed, torch.from_numpy(grey[start : start + BATCH]))
        with torch.inference_mode(), hooks.instead(model, change):
            told.append(hooks.logprobs(model, *words, [one.image for one in some]).double().numpy())
    return np.concatenate(told)


def _greyed(grey: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """(B, 3, S, S), normalized. 0 is the mean colour that the model was made for: a grey."""
    side = round(grey.shape[1] ** 0.5)
    kept = (~grey).float().view(-1, 1, side, side)
    return image * functional.interpolate(kept, image.shape[-2:]).to(image)
