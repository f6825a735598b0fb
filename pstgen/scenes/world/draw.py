"""Draws a plan: pixels and exact annotations, in painter's order, far things first."""

from dataclasses import dataclass
from functools import cache
from types import ModuleType

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from pstgen.core.records import Instance, Keypoint, Region
from pstgen.scenes.world import animals, backdrop, objects, people, vehicles
from pstgen.scenes.world.palette import BASIC, RGB, jitter
from pstgen.scenes.world.pen import Pen
from pstgen.scenes.world.plan import INDOORS, Plan, Thing, kinds

EYE_HEIGHT = 1.5  # metres; the horizon is at eye level
FOCUS = 0.72  # of the image's side
WALL = 6.0  # metres to the far wall of a room
BRUSHES: tuple[ModuleType, ...] = (people, animals, vehicles, objects)
FIXED = 4  # fractional bits of OpenCV's fixed-point coordinates


@dataclass(frozen=True, slots=True)
class Drawing:
    """A plan that was drawn.

    image: (size, size, 3) uint8 RGB. owner: (size, size) uint8, 1 + the position in the plan of the visible thing, 0 for
    the backdrop. depth: (size, size) uint16 millimetres, 0 for the sky. instances: the visible things, in the plan's order.
    """

    image: NDArray[np.uint8]
    owner: NDArray[np.uint8]
    depth: NDArray[np.uint16]
    instances: tuple[Instance, ...]


@cache
def brush(category: str) -> object:
    """The function that draws a category; it has the category's name."""
    name = category.replace(" ", "_")
    return next(getattr(module, name) for module in BRUSHES if hasattr(module, name))


def draw(plan: Plan, size: int) -> Drawing:
    """Draw at `size` x `size` pixels; the same plan gives the same bytes."""
    rng = np.random.default_rng(np.random.SeedSequence((plan.seed, plan.index, 1)))
    canvas = backdrop.draw(plan, size, rng)
    owner = np.zeros((size, size), np.uint8)
    order = sorted(range(len(plan.things)), key=lambda n: -plan.things[n].depth)
    pens = {n: _pen(plan.things[n], plan.place, size) for n in order}
    alone: dict[int, NDArray[np.uint8]] = {}
    for n in order:
        _shadow(canvas, pens[n], plan.things[n])
        alone[n] = np.zeros((size, size), np.uint8)
        for points, colour in pens[n].shapes:
            fixed = [np.rint(points * (1 << FIXED)).astype(np.int32)]
            cv2.fillPoly(canvas, fixed, colour, cv2.LINE_AA, FIXED)
            cv2.fillPoly(alone[n], fixed, 1, cv2.LINE_8, FIXED)
        for text, x, y, height, colour in pens[n].words:
            _write(canvas, text, (x, y), height, colour)
        owner[alone[n] > 0] = n + 1
    image = _lit(canvas, plan, rng)
    instances = _instances(plan, owner, alone, pens)
    return Drawing(image, owner, _depth(plan, owner), instances)


def _pen(thing: Thing, place: str, size: int) -> Pen:
    rng = np.random.default_rng(thing.style)
    focus = FOCUS * size / thing.depth
    y = backdrop.HORIZON[place] * size + focus * (EYE_HEIGHT - thing.lift)
    pen = Pen(thing.x * size, y, focus * kinds()[thing.category].size * thing.scale, thing.flip, thing.says, thing.arms)
    brush(thing.category)(pen, jitter(BASIC[thing.colour], rng), rng)  # type: ignore[operator]
    return pen


def _shadow(canvas: NDArray[np.uint8], pen: Pen, thing: Thing) -> None:
    """A soft dark ellipse under a thing that stands on the floor."""
    if thing.lift or not pen.shapes:
        return
    across = np.concatenate([points[:, 0] for points, _ in pen.shapes])
    low, high, rise = across.min(), across.max(), 0.05 * pen.unit
    box = [max(0, int(v)) for v in (pen.y - 3 * rise, pen.y + 3 * rise, low - 4, high + 4)]
    patch = canvas[box[0] : box[1], box[2] : box[3]]
    if not patch.size:
        return
    dark = patch.copy()
    centre = (int(((low + high) / 2 - box[2]) * 16), int((pen.y - box[0]) * 16))
    cv2.ellipse(dark, centre, (int((high - low) * 8.4), int(rise * 16)), 0, 0, 360, (60, 60, 66), -1, cv2.LINE_AA, 4)
    canvas[box[0] : box[1], box[2] : box[3]] = cv2.addWeighted(patch, 0.66, dark, 0.34, 0)


def _write(canvas: NDArray[np.uint8], text: str, middle: tuple[float, float], height: float, colour: RGB) -> None:
    (width, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)
    scale = height / tall
    corner = (round(middle[0] - width * scale / 2), round(middle[1] + height / 2))
    cv2.putText(canvas, text, corner, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, max(1, round(height / 7)), cv2.LINE_AA)


def _lit(canvas: NDArray[np.uint8], plan: Plan, rng: np.random.Generator) -> NDArray[np.uint8]:
    """With the light and warmth of the hour, and a little grain."""
    gain = np.array([plan.light + 0.02 * plan.warmth, plan.light, plan.light - 0.02 * plan.warmth], np.float32)
    grain = rng.integers(-4, 5, canvas.shape, dtype=np.int8)
    return np.asarray(np.clip(canvas * gain + grain, 0, 255), dtype=np.uint8)


def _depth(plan: Plan, owner: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The ground recedes to the horizon; a thing is as far away as its foot; a wall has its own depth, the sky none."""
    size = len(owner)
    below = np.maximum(np.arange(size) + 0.5 - backdrop.HORIZON[plan.place] * size, 1e-3)
    ground = FOCUS * size * EYE_HEIGHT / below
    far = WALL if plan.place in INDOORS else 60.0
    rows = np.where(ground > far, WALL if plan.place in INDOORS else 0.0, ground)
    metres = np.repeat(rows[:, None], size, axis=1)
    of_thing = np.array([0.0, *(thing.depth for thing in plan.things)])
    return np.asarray(np.rint(1000 * np.where(owner, of_thing[owner], metres)), dtype=np.uint16)


def _instances(
    plan: Plan, owner: NDArray[np.uint8], alone: dict[int, NDArray[np.uint8]], pens: dict[int, Pen]
) -> tuple[Instance, ...]:
    visible = [n for n in range(len(plan.things)) if (owner == n + 1).any()]
    if not visible:
        return ()
    codes = coco_mask.encode(np.asfortranarray(np.stack([owner == n + 1 for n in visible], axis=-1).astype(np.uint8)))
    full = coco_mask.encode(np.asfortranarray(np.stack([alone[n] for n in visible], axis=-1)))
    boxes, areas = coco_mask.toBbox(codes).tolist(), coco_mask.area(codes).tolist()
    return tuple(
        Instance(
            id=n + 1,
            category=plan.things[n].category,
            region=Region(x=box[0], y=box[1], width=box[2], height=box[3]),
            area=float(area),
            rle=code["counts"],
            full_rle=whole["counts"],
            keypoints=_keypoints(pens[n], owner, n + 1),
            colour=plan.things[n].colour if kinds()[plan.things[n].category].plain else "",
            depth=round(plan.things[n].depth, 3),
            text=" ".join(word[0] for word in pens[n].words),
        )
        for n, box, area, code, whole in zip(visible, boxes, areas, codes, full, strict=True)
    )


def _keypoints(pen: Pen, owner: NDArray[np.uint8], number: int) -> tuple[Keypoint, ...]:
    """COCO's seventeen: visible where the pixel is the person's own, hidden where it is not, not labelled outside the image.

    number: of the person in `owner`.
    """
    if not pen.joints:
        return ()
    size = len(owner)
    keypoints = []
    for name in people.JOINTS:
        x, y, hidden = pen.joints[name]
        column, row = int(x), int(y)
        if not (0 <= column < size and 0 <= row < size):
            keypoints.append(Keypoint(name=name, x=0.0, y=0.0, visibility=0))
        else:
            visible = owner[row, column] == number and not hidden
            keypoints.append(Keypoint(name=name, x=float(column), y=float(row), visibility=2 if visible else 1))
    return tuple(keypoints)
