"""What scenes show, on the encoder's grid: annotations → perception.Truths."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Literal, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from pstgen.core.records import Instance, Keypoint, Region, Scene
from pstgen.models.perceptual_losses import FACTORS, JOINTS, UNKNOWN, Truths
from pstgen.pairs.edits import encoded
from pstgen.scenes import pixels
from pstgen.scenes.truth.colour import NAMES as COLOURS

SIZES = (0.01, 0.04, 0.12)  # shares of the image that part the size bins
PLACES = 4  # a side, of the position bins
DEPTHS = (2.0, 3.0, 4.5, 7.0, 12.0)  # metres that part the depth bins
MOST_REGIONS = 24  # an image
COVERED = 0.2  # of a patch, that a thing must cover to be what it shows

Corrupt = Literal["", "random", "shuffled"]


class Window(NamedTuple):
    """What is seen of an image, in its pixels; right and bottom are past it, and all may be outside where it is padded."""

    left: int
    top: int
    right: int
    bottom: int


class Grid(NamedTuple):
    """One image on a grid of G = cells x cells patches: the arrays of Truths without the batch."""

    cover: NDArray[np.float32]
    codes: NDArray[np.int64]
    shown: NDArray[np.int64]
    centre: NDArray[np.int64]
    depth: NDArray[np.float32]
    joints: NDArray[np.float32]


def sizes(categories: Sequence[str]) -> dict[str, int]:
    """How many codes each factor has."""
    return {
        "category": len(categories),
        "colour": len(COLOURS),
        "size": len(SIZES) + 1,
        "position": PLACES**2,
        "depth": len(DEPTHS) + 1,
        "keypoint": JOINTS,
    }


def grid(scene: Scene, cells: int, categories: Sequence[str], window: Window | None = None) -> Grid:
    """What each patch and each region of a scene shows; crowds and things without a mask give no target.

    window: what the grid lies on; the whole scene unless told.
    """
    window = window or Window(0, 0, scene.width, scene.height)
    depth, scene = _depth(scene, cells, window), framed(scene, window)
    masked = [thing for thing in scene.instances if thing.rle and not thing.crowd]
    things, crowds = masked[:MOST_REGIONS], [thing for thing in scene.instances if thing.crowd]
    covers = [_cover(pixels.mask(thing, scene), cells) for thing in things]
    hidden = [_cover(pixels.mask(thing, scene), cells) for thing in (*masked[MOST_REGIONS:], *crowds) if thing.rle]
    joints = _joints(things)
    rows = [_codes(thing, scene, categories) for thing in things]
    rows += [[UNKNOWN] * (len(FACTORS) - 1) + [n] for n, _ in joints]
    cover = np.stack(
        [*covers, *(_at(joint.x, joint.y, scene, cells) for _, joint in joints)] or [np.zeros(cells**2, np.float32)]
    )
    return Grid(
        cover=cover,
        codes=np.array(rows or [[UNKNOWN] * len(FACTORS)], np.int64),
        shown=_shown(covers, hidden, rows, cells),
        centre=_centres(masked, scene, cells, categories),
        depth=depth,
        joints=_heat(scene, cells),
    )


def framed(scene: Scene, window: Window) -> Scene:
    """The scene as if its image were cut to the window; its files stay as they are."""
    if window == (0, 0, scene.width, scene.height):
        return scene
    seen = tuple(cut for thing in scene.instances if (cut := _framed(thing, scene, window)))
    return replace(scene, width=window.right - window.left, height=window.bottom - window.top, instances=seen)


def _framed(thing: Instance, scene: Scene, window: Window) -> Instance | None:
    """What is seen of a thing; None where nothing is. A joint outside is known to be hidden."""
    box = thing.region
    left, top = max(box.x, window.left), max(box.y, window.top)
    width, height = min(box.right, window.right) - left, min(box.bottom, window.bottom) - top
    mask = pixels.mask(thing, scene)
    cut = _cut(mask, window)
    if width <= 0 or height <= 0 or (thing.rle and not cut.any()):
        return None
    return replace(
        thing,
        region=Region(x=left - window.left, y=top - window.top, width=width, height=height),
        area=thing.area * (cut.sum() / mask.sum() if thing.rle else 1),
        rle=encoded(cut) if thing.rle else b"",
        full_rle=b"",
        keypoints=tuple(_moved(joint, window) for joint in thing.keypoints),
    )


def _moved(joint: Keypoint, window: Window) -> Keypoint:
    inside = window.left <= joint.x < window.right and window.top <= joint.y < window.bottom
    seen = joint.visibility if inside else min(1, joint.visibility)
    return replace(joint, x=joint.x - window.left, y=joint.y - window.top, visibility=seen)


def _cut(mask: NDArray[np.bool_], window: Window) -> NDArray[np.bool_]:
    """(height, width) of the window; nothing is where it is past the mask."""
    left, top, right, bottom = window
    down, across = mask.shape
    beyond = ((max(0, -top), max(0, bottom - down)), (max(0, -left), max(0, right - across)))
    top, left = max(0, top), max(0, left)
    return np.pad(mask, beyond)[top : top + window.bottom - window.top, left : left + window.right - window.left]


def gather(grids: Sequence[Grid]) -> Truths:
    """Grids of one size as a batch."""
    sample = np.repeat(np.arange(len(grids)), [len(one.codes) for one in grids])
    cover, codes = (np.concatenate([getattr(one, name) for one in grids]) for name in ("cover", "codes"))
    dense = {name: np.stack([getattr(one, name) for one in grids]) for name in ("shown", "centre", "depth", "joints")}
    return Truths(*map(torch.from_numpy, (cover, sample, codes)), **{k: torch.from_numpy(v) for k, v in dense.items()})


def corrupted(told: Grid, other: Grid, how: Corrupt, draw: str, categories: Sequence[str]) -> Grid:
    """The target of a control: every code drawn anew (the same for the same `draw`), or another scene's masks under ours."""
    if how == "random":
        return _drawn(told, sizes(categories), np.random.default_rng(int(sha256(draw.encode()).hexdigest()[:15], 16)))
    if how == "shuffled":
        turned = np.resize(other.cover, told.cover.shape)
        return other._replace(cover=turned, codes=told.codes)
    return told


def _drawn(told: Grid, counts: Mapping[str, int], rng: np.random.Generator) -> Grid:
    """As many regions and covered patches, but nothing of what they show: a name that is right though misplaced would teach."""
    most = np.array([counts[factor] for factor in FACTORS])
    codes = np.where(told.codes == UNKNOWN, UNKNOWN, rng.integers(0, most, told.codes.shape))
    shown = np.where(told.shown > 0, rng.integers(1, most[:2] + 1, told.shown.shape), told.shown)
    centre = np.where(told.centre > 0, rng.integers(1, most[0] + 1, told.centre.shape), 0)
    dense = {"shown": shown, "centre": centre, "depth": told.depth, "joints": told.joints}
    return told._replace(codes=codes, **{name: rng.permutation(array) for name, array in dense.items()})


def _cover(mask: NDArray[np.bool_], cells: int) -> NDArray[np.float32]:
    small = cv2.resize(mask.astype(np.float32), (cells, cells), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).ravel()


def _at(x: float, y: float, scene: Scene, cells: int) -> NDArray[np.float32]:
    one = np.zeros(cells**2, np.float32)
    one[_cell(x, y, scene, cells)] = 1
    return one


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


def _shown(
    covers: Sequence[NDArray[np.float32]],
    hidden: Sequence[NDArray[np.float32]],
    rows: Sequence[Sequence[int]],
    cells: int,
) -> NDArray[np.int64]:
    """(G, 2): category and colour of the thing that covers most of each patch, from 1; UNKNOWN where others are."""
    shown = np.zeros((cells**2, 2), np.int64)
    for cover in hidden:
        shown[cover >= COVERED] = UNKNOWN
    if covers:
        stack = np.stack(covers)
        best, most = stack.argmax(0), stack.max(0)
        told = np.array([row[:2] for row in rows[: len(covers)]])[best]
        seen = most >= COVERED
        shown[seen] = np.where(told == UNKNOWN, UNKNOWN, told + 1)[seen]
    return shown


def _centres(things: Sequence[Instance], scene: Scene, cells: int, categories: Sequence[str]) -> NDArray[np.int64]:
    told = np.zeros(cells**2, np.int64)
    for thing in things:
        told[_cell(thing.region.centre_x, thing.region.centre_y, scene, cells)] = 1 + categories.index(thing.category)
    return told


def _depth(scene: Scene, cells: int, window: Window) -> NDArray[np.float32]:
    """Log of metres in the middle of each patch of the window; NaN where the scene has no depth, or it is unknown."""
    millimetres = pixels.depth(scene)
    if millimetres is None:
        return np.full(cells**2, np.nan, np.float32)
    middles = np.arange(cells) + 0.5
    rows = window.top + middles * (window.bottom - window.top) / cells
    columns = window.left + middles * (window.right - window.left) / cells
    scale = millimetres.shape[0] / scene.height, millimetres.shape[1] / scene.width
    places = [np.floor(one * by).astype(int) for one, by in zip((rows, columns), scale, strict=True)]
    beyond = [(one < 0) | (one >= side) for one, side in zip(places, millimetres.shape, strict=True)]
    inside = [one.clip(0, side - 1) for one, side in zip(places, millimetres.shape, strict=True)]
    metres = np.where(np.logical_or.outer(*beyond), 0, millimetres[np.ix_(*inside)]).ravel() / 1000
    return np.log(np.where(metres > 0, metres, np.nan)).astype(np.float32)


def _heat(scene: Scene, cells: int) -> NDArray[np.float32]:
    """(G, JOINTS): is that joint seen in the patch? NaN where somebody in the image has it, and nobody labelled where."""
    people = [thing for thing in scene.instances if thing.category == "person"]
    heat = np.zeros((cells**2, JOINTS), np.float32)
    for person in people:
        heat[:, [n for n in range(JOINTS) if not _labelled(person, n)]] = np.nan
    for n, joint in _joints(people):
        heat[_cell(joint.x, joint.y, scene, cells), n] = 1
    return heat


def _labelled(person: Instance, joint: int) -> bool:
    return bool(person.keypoints) and person.keypoints[joint].visibility > 0


def _joints(things: Sequence[Instance]) -> list[tuple[int, Keypoint]]:
    """Joints that are seen, COCO's 17 in their order."""
    return [(n, joint) for thing in things for n, joint in enumerate(thing.keypoints) if joint.visibility == 2]
