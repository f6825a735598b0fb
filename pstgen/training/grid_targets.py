"""Targets on a grid of cells: what annotations say that each cell and each region of an image shows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Literal, NamedTuple

import cv2
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from pstgen.core.records import Instance, Keypoint, Region, Scene
from pstgen.models.perceptual_losses import FACTORS, JOINTS, UNKNOWN, GridTargets
from pstgen.pairs.image_ops import encoded
from pstgen.scenes import pixels
from pstgen.scenes.truth.colour import NAMES as COLOURS

SIZES = (0.01, 0.04, 0.12)  # shares of the image between the size bins
PLACES = 4  # a side, of the position bins
DEPTHS = (2.0, 3.0, 4.5, 7.0, 12.0)  # metres between the depth bins
MAX_REGIONS = 24  # an image
COVERED = 0.2  # of a cell, that a thing must cover to be what it shows

Corruption = Literal["", "random", "shuffled"]


class Window(NamedTuple):
    """The part of an image that is seen, in pixels; right and bottom are past it, and all may be outside where it is padded."""

    left: int
    top: int
    right: int
    bottom: int


class Grid(NamedTuple):
    """One image on a grid of G = cells x cells: the arrays of GridTargets without the batch."""

    coverage: NDArray[np.float32]
    codes: NDArray[np.int64]
    labels: NDArray[np.int64]
    centres: NDArray[np.int64]
    depth: NDArray[np.float32]
    joints: NDArray[np.float32]


def code_counts(categories: Sequence[str]) -> dict[str, int]:
    """How many codes each factor has."""
    return {
        "category": len(categories),
        "colour": len(COLOURS),
        "size": len(SIZES) + 1,
        "position": PLACES**2,
        "depth": len(DEPTHS) + 1,
        "keypoint": JOINTS,
    }


def from_scene(scene: Scene, cells: int, categories: Sequence[str], window: Window | None = None) -> Grid:
    """What each cell and each region of a scene shows; crowds and things without a mask give no target.

    window: what the grid lies on; by default the whole scene.
    """
    window = window or Window(0, 0, scene.width, scene.height)
    depth, scene = _depth(scene, cells, window), crop(scene, window)
    masked = [thing for thing in scene.instances if thing.rle and not thing.crowd]
    things, crowds = masked[:MAX_REGIONS], [thing for thing in scene.instances if thing.crowd]
    covers = [_coverage(pixels.mask(thing, scene), cells) for thing in things]
    left_out = [_coverage(pixels.mask(thing, scene), cells) for thing in (*masked[MAX_REGIONS:], *crowds) if thing.rle]
    joints = _visible_joints(things)
    rows = [_codes(thing, scene, categories) for thing in things]
    rows += [[UNKNOWN] * (len(FACTORS) - 1) + [n] for n, _ in joints]
    points = (_coverage_of_point(joint.x, joint.y, scene, cells) for _, joint in joints)
    return Grid(
        coverage=np.stack([*covers, *points] or [np.zeros(cells**2, np.float32)]),
        codes=np.array(rows or [[UNKNOWN] * len(FACTORS)], np.int64),
        labels=_labels(covers, left_out, rows, cells),
        centres=_centres(masked, scene, cells, categories),
        depth=depth,
        joints=_joint_maps(scene, cells),
    )


def unlabelled(cells: int) -> Grid:
    """Of a scene of which nothing is known."""
    cover, codes = np.zeros((1, cells**2), np.float32), np.full((1, len(FACTORS)), UNKNOWN, np.int64)
    labels, centres = np.full((cells**2, 2), UNKNOWN, np.int64), np.full(cells**2, UNKNOWN, np.int64)
    depth, joints = np.full(cells**2, np.nan, np.float32), np.full((cells**2, JOINTS), np.nan, np.float32)
    return Grid(cover, codes, labels, centres, depth, joints)


def crop(scene: Scene, window: Window) -> Scene:
    """The scene as if its image were cut to the window; its files stay as they are."""
    if window == (0, 0, scene.width, scene.height):
        return scene
    instances = tuple(cut for thing in scene.instances if (cut := _crop_thing(thing, scene, window)))
    return replace(scene, width=window.right - window.left, height=window.bottom - window.top, instances=instances)


def _crop_thing(thing: Instance, scene: Scene, window: Window) -> Instance | None:
    """What is seen of a thing; None where nothing is. A joint outside is known to be hidden."""
    box = thing.region
    left, top = max(box.x, window.left), max(box.y, window.top)
    width, height = min(box.right, window.right) - left, min(box.bottom, window.bottom) - top
    mask = pixels.mask(thing, scene)
    cut = _crop_mask(mask, window)
    if width <= 0 or height <= 0 or (thing.rle and not cut.any()):
        return None
    return replace(
        thing,
        region=Region(x=left - window.left, y=top - window.top, width=width, height=height),
        area=thing.area * (cut.sum() / mask.sum() if thing.rle else 1),
        rle=encoded(cut) if thing.rle else b"",
        full_rle=b"",
        keypoints=tuple(_move_joint(joint, window) for joint in thing.keypoints),
    )


def _move_joint(joint: Keypoint, window: Window) -> Keypoint:
    inside = window.left <= joint.x < window.right and window.top <= joint.y < window.bottom
    visibility = joint.visibility if inside else min(1, joint.visibility)
    return msgspec.structs.replace(joint, x=joint.x - window.left, y=joint.y - window.top, visibility=visibility)


def _crop_mask(mask: NDArray[np.bool_], window: Window) -> NDArray[np.bool_]:
    """(height, width) of the window; nothing is where it is past the mask."""
    left, top, right, bottom = window
    down, across = mask.shape
    beyond = ((max(0, -top), max(0, bottom - down)), (max(0, -left), max(0, right - across)))
    top, left = max(0, top), max(0, left)
    return np.pad(mask, beyond)[top : top + window.bottom - window.top, left : left + window.right - window.left]


def collate(grids: Sequence[Grid]) -> GridTargets:
    """Grids of one size as a batch."""
    sample = np.repeat(np.arange(len(grids)), [len(grid.codes) for grid in grids])
    regions = {name: np.concatenate([getattr(grid, name) for grid in grids]) for name in ("coverage", "codes")}
    cells = {
        name: np.stack([getattr(grid, name) for grid in grids]) for name in ("labels", "centres", "depth", "joints")
    }
    arrays = {"sample": sample, **regions, **cells}
    return GridTargets(**{name: torch.from_numpy(array) for name, array in arrays.items()})


def corrupt(grid: Grid, other: Grid, how: Corruption, draw: str, categories: Sequence[str]) -> Grid:
    """The target of a control: every code drawn anew (the same for the same `draw`), or another scene's masks under ours."""
    if how == "random":
        seed = int(sha256(draw.encode()).hexdigest()[:15], 16)
        return _randomize(grid, code_counts(categories), np.random.default_rng(seed))
    if how == "shuffled":
        return other._replace(coverage=np.resize(other.coverage, grid.coverage.shape), codes=grid.codes)
    return grid


def _randomize(grid: Grid, counts: Mapping[str, int], rng: np.random.Generator) -> Grid:
    """As many regions and covered cells, but nothing of what they show: a name that is right though misplaced would teach."""
    limits = np.array([counts[factor] for factor in FACTORS])
    codes = np.where(grid.codes == UNKNOWN, UNKNOWN, rng.integers(0, limits, grid.codes.shape))
    labels = np.where(grid.labels > 0, rng.integers(1, limits[:2] + 1, grid.labels.shape), grid.labels)
    centres = np.where(grid.centres > 0, rng.integers(1, limits[0] + 1, grid.centres.shape), grid.centres)
    dense = {"labels": labels, "centres": centres, "depth": grid.depth, "joints": grid.joints}
    return grid._replace(codes=codes, **{name: rng.permutation(array) for name, array in dense.items()})


def _coverage(mask: NDArray[np.bool_], cells: int) -> NDArray[np.float32]:
    small = cv2.resize(mask.astype(np.float32), (cells, cells), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).ravel()


def _coverage_of_point(x: float, y: float, scene: Scene, cells: int) -> NDArray[np.float32]:
    coverage = np.zeros(cells**2, np.float32)
    coverage[_cell(x, y, scene, cells)] = 1
    return coverage


def _cell(x: float, y: float, scene: Scene, cells: int) -> int:
    column, row = (min(cells - 1, max(0, int(cells * v / side))) for v, side in ((x, scene.width), (y, scene.height)))
    return row * cells + column


def _codes(thing: Instance, scene: Scene, categories: Sequence[str]) -> list[int]:
    """Code of every factor but the keypoint, in the order of FACTORS."""
    place = _cell(thing.region.centre_x, thing.region.centre_y, scene, PLACES)
    return [
        categories.index(thing.category),
        COLOURS.index(thing.colour) if thing.colour in COLOURS else UNKNOWN,
        int(np.searchsorted(SIZES, thing.area / (scene.width * scene.height))),
        place,
        UNKNOWN if thing.depth is None else int(np.searchsorted(DEPTHS, thing.depth)),
        UNKNOWN,
    ]


def _labels(
    covers: Sequence[NDArray[np.float32]],
    left_out: Sequence[NDArray[np.float32]],
    rows: Sequence[Sequence[int]],
    cells: int,
) -> NDArray[np.int64]:
    """(G, 2): category and colour of the thing that covers most of each cell, from 1; UNKNOWN where it was left out."""
    labels = np.zeros((cells**2, 2), np.int64)
    for cover in left_out:
        labels[cover >= COVERED] = UNKNOWN
    if covers:
        stack = np.stack(covers)
        codes = np.array([row[:2] for row in rows[: len(covers)]])[stack.argmax(0)]
        covered = stack.max(0) >= COVERED
        labels[covered] = np.where(codes == UNKNOWN, UNKNOWN, codes + 1)[covered]
    return labels


def _centres(things: Sequence[Instance], scene: Scene, cells: int, categories: Sequence[str]) -> NDArray[np.int64]:
    centres = np.zeros(cells**2, np.int64)
    for thing in things:
        cell = _cell(thing.region.centre_x, thing.region.centre_y, scene, cells)
        centres[cell] = 1 + categories.index(thing.category)
    return centres


def _depth(scene: Scene, cells: int, window: Window) -> NDArray[np.float32]:
    """Log of metres in the middle of each cell of the window; NaN where the scene has no depth, or it is unknown."""
    millimetres = pixels.depth(scene)
    if millimetres is None:
        return np.full(cells**2, np.nan, np.float32)
    middles = np.arange(cells) + 0.5
    rows = window.top + middles * (window.bottom - window.top) / cells
    columns = window.left + middles * (window.right - window.left) / cells
    scale = millimetres.shape[0] / scene.height, millimetres.shape[1] / scene.width
    places = [np.floor(axis * factor).astype(int) for axis, factor in zip((rows, columns), scale, strict=True)]
    beyond = [(place < 0) | (place >= side) for place, side in zip(places, millimetres.shape, strict=True)]
    inside = [place.clip(0, side - 1) for place, side in zip(places, millimetres.shape, strict=True)]
    metres = np.where(np.logical_or.outer(*beyond), 0, millimetres[np.ix_(*inside)]).ravel() / 1000
    return np.log(np.where(metres > 0, metres, np.nan)).astype(np.float32)


def _joint_maps(scene: Scene, cells: int) -> NDArray[np.float32]:
    """(G, JOINTS): is that joint seen in the cell? NaN where somebody in the image has it, and nobody labelled where."""
    people = [thing for thing in scene.instances if thing.category == "person"]
    maps = np.zeros((cells**2, JOINTS), np.float32)
    for person in people:
        maps[:, [n for n in range(JOINTS) if not _is_labelled(person, n)]] = np.nan
    for n, joint in _visible_joints(people):
        maps[_cell(joint.x, joint.y, scene, cells), n] = 1
    return maps


def _is_labelled(person: Instance, joint: int) -> bool:
    return bool(person.keypoints) and person.keypoints[joint].visibility > 0


def _visible_joints(things: Sequence[Instance]) -> list[tuple[int, Keypoint]]:
    """Each with its number, 0 to 16 in COCO's order."""
    return [(n, joint) for thing in things for n, joint in enumerate(thing.keypoints) if joint.visibility == 2]
