"""The perceptual reward: an encoder's patches and regions, contrasted with what the scene shows there (docs/training.md).

Regions: the features under a mask, pooled and projected, should be nearest to the code of what the region is, factor by
factor, among all *unique* codes of that factor. Patches: dense heads read category, centre of an object, depth and joints.
Names: the features as the language model gets them, contrasted with its own embeddings of the names of objects. Numbers: how many
things of each kind there are, read from the same features.
"""

from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional

from pstgen.core.records import BadInput

FACTORS = ("category", "colour", "size", "position", "depth", "keypoint")
NAMED_FACTORS = FACTORS[:2]  # those whose codes have names
JOINTS = 17
TEMPERATURE = 0.1
BACKDROP_WEIGHT = 0.15  # of a cell that shows no object
NO_NAME_COSINE = 0.3  # below which a patch is near no name
UNKNOWN = -1


class GridTargets(NamedTuple):
    """What a batch of B images shows on a grid of G cells; R regions.

    coverage: (R, G) float, how much of each cell the region covers. sample: (R,) int64, the image of each region.
    codes: (R, F) int64, the region's code of every factor, or UNKNOWN.
    labels: (B, G, 2) int64, category and colour of what covers most of a cell, from 1; 0 is backdrop.
    centres: (B, G) int64, category of an object whose centre is there, from 1. depth: (B, G) float, log metres, NaN if
    unknown. joints: (B, G, JOINTS) float, 0 to 1, NaN if unknown.
    """

    coverage: torch.Tensor
    sample: torch.Tensor
    codes: torch.Tensor
    labels: torch.Tensor
    centres: torch.Tensor
    depth: torch.Tensor
    joints: torch.Tensor


class DenseHead(nn.Linear):
    """Reads from a patch's features what its cells show: category, colour, centre, log depth, joints.

    width: of a patch's features. sizes: how many codes each factor has. cells: a side of the square of cells that a patch
    is divided into.
    """

    def __init__(self, width: int, sizes: Mapping[str, int], cells: int = 1) -> None:
        categories = 1 + sizes["category"]
        parts = (categories, 1 + sizes["colour"], categories, 1, JOINTS)
        super().__init__(width, cells**2 * sum(parts))
        self.parts, self.cells = parts, cells

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(B, patches, width) → logits of every cell (B, G, n): its category, colour and centre, then log depth and joints."""
        values = super().forward(features).float().unflatten(-1, (self.cells**2, -1))
        return tuple(on_cells(values).split(self.parts, dim=-1))

    def loss(self, features: torch.Tensor, targets: GridTargets) -> torch.Tensor:
        """Mean of: segmentation by category and colour, centres, depth (L1 of log metres), joints (binary)."""
        category, colour, centre, depth, joints = self(features)
        segments = ((category, targets.labels[..., 0]), (colour, targets.labels[..., 1]), (centre, targets.centres))
        losses = [_cell_loss(logits, codes) for logits, codes in segments if (codes != UNKNOWN).any()]
        sample = torch.arange(len(features), device=features.device)[:, None].expand(targets.depth.shape)
        known = ~targets.depth.isnan()
        if known.any():
            errors = (depth[..., 0][known] - targets.depth[known]).abs()
            losses.append(mean_by_sample(errors, sample[known], len(features)))
        known = ~targets.joints.isnan()
        if known.any():
            errors = functional.binary_cross_entropy_with_logits(joints[known], targets.joints[known], reduction="none")
            losses.append(mean_by_sample(errors, sample[..., None].expand(known.shape)[known], len(features)))
        return torch.stack(losses).mean() if losses else features.sum() * 0.0


class PositionHead(nn.Linear):
    """Reads from a patch, as the language model gets it, in which column and row of the grid it lies. width: of a patch."""

    def __init__(self, width: int, grid: int) -> None:
        super().__init__(width, 2 * grid)
        self.grid = grid

    def loss(self, projected: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of column and row, their mean. projected: (B, grid * grid, width), row by row."""
        logits = self(projected.float()).unflatten(-1, (2, self.grid)).flatten(0, 1)
        cells = torch.arange(self.grid**2, device=projected.device)
        places = torch.stack([cells % self.grid, cells // self.grid], dim=-1).repeat(len(projected), 1)
        return functional.cross_entropy(logits.transpose(1, 2), places)


class NumberHead(nn.Linear):
    """Reads how many things of each kind an image shows from its patches, as the language model gets them.

    The number is the sum of a density that is linear in each patch (Lempitsky and Zisserman 2010). width: of a patch.
    """

    def __init__(self, width: int, sizes: Mapping[str, int]) -> None:
        super().__init__(width, sizes["category"])

    def forward(self, projected: torch.Tensor) -> torch.Tensor:
        """(B, patches, width) → (B, categories), numbers."""
        return super().forward(projected.float().mean(1))

    def loss(self, projected: torch.Tensor, targets: GridTargets) -> torch.Tensor:
        """Huber loss of the numbers, the mean over categories; images in which anything was left out do not count."""
        known = (targets.labels[..., 0] != UNKNOWN).all(1)
        if not known.any():
            return projected.sum() * 0.0
        return functional.smooth_l1_loss(self(projected[known]), numbers(targets, self.out_features)[known])


class PerceptionHeads(nn.Module):
    """Heads that read what an encoder sees; dropped when the model is exported. width, sizes: as of DenseHead."""

    def __init__(self, width: int, sizes: Mapping[str, int], dim: int = 64, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.read = nn.ModuleDict({factor: nn.Linear(width, dim) for factor in FACTORS})
        for factor in FACTORS:
            codes = functional.normalize(torch.randn(sizes[factor], dim, generator=generator), dim=-1)
            self.register_buffer(f"codes_{factor}", codes)
        self.dense = DenseHead(width, sizes)

    def forward(self, features: torch.Tensor, targets: GridTargets) -> dict[str, torch.Tensor]:
        """Of (B, G, width) features the contrast of regions and the loss of the dense heads; unknown targets do not count."""
        return {"contrast": self.contrast(features, targets), "dense": self.dense.loss(features, targets)}

    def contrast(self, features: torch.Tensor, targets: GridTargets) -> torch.Tensor:
        """L_NCE: the mean over factors of -log softmax over the factor's codes of z·t / temperature."""
        pooled = pool_regions(features, targets)
        losses = []
        for n, factor in enumerate(FACTORS):
            known = targets.codes[:, n] != UNKNOWN
            if known.any():
                projected = functional.normalize(self.read[factor](pooled[known]).float(), dim=-1)
                logits = projected @ self.get_buffer(f"codes_{factor}").T / TEMPERATURE
                entropies = functional.cross_entropy(logits, targets.codes[known, n], reduction="none")
                losses.append(mean_by_sample(entropies, targets.sample[known], len(features)))
        return torch.stack(losses).mean() if losses else features.sum() * 0.0


def name_alignment(
    projected: torch.Tensor, embedding: torch.Tensor, names: Sequence[torch.Tensor], targets: GridTargets
) -> torch.Tensor:
    """Contrast patches, as the language model gets them, with its embeddings of the names of what their cells show.

    projected: (B, patches, D); embedding: (vocabulary, D); names: of NAMED_FACTORS (N, T) token ids, padded with UNKNOWN.
    Where there is backdrop no name should be near. A code that is past the names has none, and is left out.
    """
    patches = functional.normalize(projected.float(), dim=-1)
    losses = []
    for n, ids in enumerate(names):
        labels = targets.labels[..., n]
        labels = torch.where(labels > len(ids), UNKNOWN, labels)
        if (labels == UNKNOWN).all():
            continue
        known = (ids != UNKNOWN).to(patches.device)
        codes = (embedding[ids.clamp(min=0).to(patches.device)].float() * known[:, :, None]).sum(1)
        cosines = patches @ functional.normalize(codes, dim=-1).T
        none = cosines.new_full((*cosines.shape[:2], 1), NO_NAME_COSINE)
        logits = torch.cat([none, cosines], dim=-1) / TEMPERATURE
        cells = labels.shape[1] // logits.shape[1]  # of a patch
        losses.append(_cell_loss(on_cells(logits[:, :, None].expand(-1, -1, cells, -1)), labels))
    return torch.stack(losses).mean() if losses else projected.sum() * 0.0


def on_cells(values: torch.Tensor) -> torch.Tensor:
    """(B, patches, cells of a patch, N) → (B, G, N): all cells of the image, row by row.

    >>> on_cells(torch.arange(16).view(1, 4, 4, 1)).view(4, 4).tolist()
    [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    """
    patches, cells = isqrt(values.shape[1]), isqrt(values.shape[2])
    squares = values.reshape(len(values), patches, patches, cells, cells, -1)
    return squares.transpose(2, 3).reshape(len(values), (patches * cells) ** 2, -1)


def _cell_loss(logits: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of (B, G, N) logits, the backdrop counting for little; UNKNOWN is left out."""
    weight = torch.ones(logits.shape[-1], device=logits.device)
    weight[0] = BACKDROP_WEIGHT
    known = codes != UNKNOWN
    return functional.cross_entropy(logits.float()[known], codes[known], weight)


def numbers(targets: GridTargets, categories: int) -> torch.Tensor:
    """(B, categories) float: how many regions of each category an image has."""
    category = targets.codes[:, FACTORS.index("category")]
    known = category != UNKNOWN
    counts = torch.zeros(len(targets.labels), categories, device=category.device)
    return counts.index_put((targets.sample[known], category[known]), counts.new_ones(()), accumulate=True)


def pool_regions(features: torch.Tensor, targets: GridTargets) -> torch.Tensor:
    """(R, width): the mean of each region's cells, by how much of them it covers."""
    weight = targets.coverage / targets.coverage.sum(-1, keepdim=True).clamp(min=1e-6)
    return torch.einsum("rg,rgw->rw", weight.to(features.dtype), features[targets.sample])


def mean_by_sample(losses: torch.Tensor, sample: torch.Tensor, samples: int) -> torch.Tensor:
    """The mean over samples that have any, of the sample's own mean: one of many targets counts no more than one of few.

    >>> mean_by_sample(torch.tensor([1.0, 1.0, 4.0]), torch.tensor([0, 0, 2]), 3).item()
    2.5
    """
    totals = losses.new_zeros(samples).index_add(0, sample, losses)
    counts = losses.new_zeros(samples).index_add(0, sample, torch.ones_like(losses))
    return (totals / counts.clamp(min=1))[counts > 0].mean()


def patch_features(states: Any, cells: int) -> torch.Tensor:
    """(B, G, width) patch features of a vision model's output, row by row; class and register tokens left out.

    states: (B, tokens, width), or a feature map (B, width, h, w) as ResNet gives. cells: a side of the grid. Raises
    BadInput where the grid does not match.
    """
    if states.ndim == 4:
        states = states.flatten(2).transpose(1, 2)
    if not cells**2 <= states.shape[1] <= cells**2 + 8:
        raise BadInput(f"the encoder gives {states.shape[1]} tokens an image; a grid of {cells} x {cells} was expected")
    return states[:, states.shape[1] - cells**2 :]
