"""The perceptual reward: what an encoder's patches and regions show, contrasted with what is there (docs/training.md).

Regions: the features under a mask, pooled and projected, are to be nearest to the code of what the region is, factor by
factor, among all *unique* codes of that factor. Patches: category, centre of a thing, depth and joints, read by dense
heads. Words: the features as the language model gets them, contrasted with its own embeddings of the names of things.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional

from pstgen.core.records import BadInput

FACTORS = ("category", "colour", "size", "position", "depth", "keypoint")
NAMED = FACTORS[:2]  # those whose codes have names
JOINTS = 17
TEMPERATURE = 0.1
BACKDROP = 0.15  # weight of a patch that shows no thing
NOTHING = 0.3  # cosine below which a patch is near no word
UNKNOWN = -1


class Truths(NamedTuple):
    """What a batch of B images shows on a grid of G patches; R regions.

    cover: (R, G) float, how much of each patch the region covers. sample: (R,) int64, the image of each.
    codes: (R, F) int64, its code of every factor, UNKNOWN where nobody knows.
    shown: (B, G, 2) int64, category and colour of what covers most of a patch, from 1; 0 is backdrop.
    centre: (B, G) int64, category of a thing whose centre is there, from 1. depth: (B, G) float, log metres, NaN unknown.
    joints: (B, G, JOINTS) float, 0 to 1, NaN where nobody knows.
    """

    cover: torch.Tensor
    sample: torch.Tensor
    codes: torch.Tensor
    shown: torch.Tensor
    centre: torch.Tensor
    depth: torch.Tensor
    joints: torch.Tensor


class Perception(nn.Module):
    """Heads that read what is seen; dropped when the model is exported.

    width: of a patch's features. sizes: how many codes each factor has.
    """

    def __init__(self, width: int, sizes: Mapping[str, int], dim: int = 64, seed: int = 0) -> None:
        super().__init__()
        self.sizes = dict(sizes)
        draw = torch.Generator().manual_seed(seed)
        self.read = nn.ModuleDict({factor: nn.Linear(width, dim) for factor in FACTORS})
        for factor in FACTORS:
            codes = functional.normalize(torch.randn(self.sizes[factor], dim, generator=draw), dim=-1)
            self.register_buffer(f"codes_{factor}", codes)
        kinds = 1 + self.sizes["category"]
        self.parts = (kinds, 1 + self.sizes["colour"], kinds, 1, JOINTS)
        self.dense = nn.Linear(width, sum(self.parts))

    def forward(self, features: torch.Tensor, truths: Truths) -> dict[str, torch.Tensor]:
        """Of (B, G, width) features the contrast of regions and the loss of the dense heads; what has no truth is absent."""
        return {"contrast": self.contrast(features, truths), "dense": self.patches(features, truths)}

    def contrast(self, features: torch.Tensor, truths: Truths) -> torch.Tensor:
        """L_NCE: the mean over factors of -log softmax over the factor's codes of z·t / temperature."""
        pooled = pool(features, truths)
        losses = []
        for n, factor in enumerate(FACTORS):
            known = truths.codes[:, n] != UNKNOWN
            if known.any():
                seen = functional.normalize(self.read[factor](pooled[known]).float(), dim=-1)
                logits = seen @ self.get_buffer(f"codes_{factor}").T / TEMPERATURE
                each = functional.cross_entropy(logits, truths.codes[known, n], reduction="none")
                losses.append(by_sample(each, truths.sample[known], len(features)))
        return torch.stack(losses).mean() if losses else features.sum() * 0.0

    def segmentation(self, features: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Logits of every patch: its category, its colour, a centre, then log depth and joints."""
        return self.dense(features).float().split(self.parts, dim=-1)  # type: ignore[no-any-return]

    def patches(self, features: torch.Tensor, truths: Truths) -> torch.Tensor:
        """Dense losses: segmentation by category and colour, centres, depth (L1 of log metres), joints (binary)."""
        kind, colour, centre, depth, joints = self.segmentation(features)
        segments = ((kind, truths.shown[..., 0]), (colour, truths.shown[..., 1]), (centre, truths.centre))
        losses = [_weighed(logits, truth) for logits, truth in segments if (truth != UNKNOWN).any()]
        index = torch.arange(len(features), device=features.device)[:, None].expand(truths.depth.shape)
        known = ~truths.depth.isnan()
        if known.any():
            away = (depth[..., 0][known] - truths.depth[known]).abs()
            losses.append(by_sample(away, index[known], len(features)))
        known = ~truths.joints.isnan()
        if known.any():
            each = functional.binary_cross_entropy_with_logits(joints[known], truths.joints[known], reduction="none")
            losses.append(by_sample(each, index[..., None].expand(known.shape)[known], len(features)))
        return torch.stack(losses).mean() if losses else features.sum() * 0.0


def align(
    projected: torch.Tensor, embedding: torch.Tensor, names: Sequence[torch.Tensor], truths: Truths
) -> torch.Tensor:
    """Contrast patches, as the language model gets them, with its embeddings of the words that name what they show.

    projected: (B, G, D); embedding: (vocabulary, D); names: of NAMED factors (N, T) token ids, padded with UNKNOWN.
    Where there is backdrop no word should be near.
    """
    seen = functional.normalize(projected.float(), dim=-1)
    losses = []
    for n, ids in enumerate(names):
        if (truths.shown[..., n] == UNKNOWN).all():
            continue
        known = (ids != UNKNOWN).to(seen.device)
        codes = (embedding[ids.clamp(min=0).to(seen.device)].float() * known[:, :, None]).sum(1)
        near = seen @ functional.normalize(codes, dim=-1).T
        logits = torch.cat([near.new_full((*near.shape[:2], 1), NOTHING), near], dim=-1) / TEMPERATURE
        losses.append(_weighed(logits, truths.shown[..., n]))
    return torch.stack(losses).mean() if losses else projected.sum() * 0.0


def _weighed(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of (B, G, N) logits, the backdrop counting for little; UNKNOWN is left out."""
    weight = torch.ones(logits.shape[-1], device=logits.device)
    weight[0] = BACKDROP
    known = truth != UNKNOWN
    return functional.cross_entropy(logits.float()[known], truth[known], weight)


def pool(features: torch.Tensor, truths: Truths) -> torch.Tensor:
    """(R, width): the mean of each region's patches, by how much of them it covers."""
    weight = truths.cover / truths.cover.sum(-1, keepdim=True).clamp(min=1e-6)
    return torch.einsum("rg,rgw->rw", weight.to(features.dtype), features[truths.sample])


def by_sample(losses: torch.Tensor, sample: torch.Tensor, samples: int) -> torch.Tensor:
    """The mean over samples that have any, of each one's own mean: a sample of many targets counts no more than one of few.

    >>> by_sample(torch.tensor([1.0, 1.0, 4.0]), torch.tensor([0, 0, 2]), 3).item()
    2.5
    """
    total = losses.new_zeros(samples).index_add(0, sample, losses)
    counted = losses.new_zeros(samples).index_add(0, sample, torch.ones_like(losses))
    return (total / counted.clamp(min=1))[counted > 0].mean()


def tokens(states: Any, cells: int) -> torch.Tensor:
    """(B, G, width) patch features of a vision model's output, row by row; class and register tokens left out.

    states: (B, tokens, width), or a feature map (B, width, h, w) as ResNet gives. cells: a side of the grid. Raises
    BadInput where the grid does not match.
    """
    if states.ndim == 4:
        states = states.flatten(2).transpose(1, 2)
    if not cells**2 <= states.shape[1] <= cells**2 + 8:
        raise BadInput(f"the encoder gives {states.shape[1]} tokens an image; a grid of {cells} x {cells} was expected")
    return states[:, states.shape[1] - cells**2 :]
