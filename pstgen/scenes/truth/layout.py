"""Where things are and how large: three-valued, from the boxes and masks of a scene. Margins are shares of the image's side."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.core.memo import cache_last
from pstgen.core.records import Instance, Region, Scene, Truth, unknown
from pstgen.scenes import pixels, vocabulary

TINY_AREA = 0.004  # of the image: what covers less is tiny
TINY_SIDE = 12  # pixels
NAMED_AREA = 0.006  # of the image, that a plain thing covers if a caption names it
UNCAPTIONED_AREA = 0.03  # the same, if there are no captions
UNNAMED_AREA = (
    0.06  # the same, if there are and none names it; seen by eye, 6 of 10 smaller ones were doubtful, 2 of 7 larger
)
LARGER = 1.5  # times as large counts as larger
FARTHER, MUCH_FARTHER = 1.2, 1.5  # times as far counts as farther, if depth is exact, and if it is estimated
MIN_JOINTS = 3  # of seventeen, labelled: enough to see that it is a person
LEVEL = 0.5  # of the smaller box's side, that two boxes share which are level, or one above the other
DARK = 80  # of 255: so dark are three quarters of the pixels of what is in the dark
MODELS = ("toy", "toys", "doll", "dolls", "figurine", "figurines", "statue", "statues", "sculpture", "sculptures")
SAME_THING = 0.8  # overlap of two boxes (IoU) above which they show the same thing


def is_tiny(thing: Instance, scene: Scene) -> bool:
    """Is it too small to be asked about: below 0.4 % of the image, or 12 pixels on a side?"""
    small = min(thing.region.width, thing.region.height) < TINY_SIDE
    return small or thing.area < TINY_AREA * scene.width * scene.height


def is_plain(thing: Instance, scene: Scene) -> bool:
    """Would anyone see at once what it is? Not a crowd, not tiny; on photographs, large or named by a caption.

    What no caption names must also be detected, where a detector looked, and whole: of a refrigerator at the edge one sees
    a grey side. A person at the image's edge with hardly a
    joint labelled is a hand or a leg, and not plain. Measured on photographs: of the things that no caption names one in
    four is doubtful, of those that a caption names one in eight.
    """
    known = _plain(scene)
    if id(thing) not in known:
        return _is_plain(thing, scene)
    return known[id(thing)]


@cache_last
def _plain(scene: Scene) -> dict[int, bool]:
    """For every instance of the scene, by its identity, whether it is plain to see."""
    return {id(thing): _is_plain(thing, scene) for thing in scene.instances}


def _is_plain(thing: Instance, scene: Scene) -> bool:
    if thing.crowd or is_tiny(thing, scene):
        return False
    if scene.complete:
        return thing.area >= NAMED_AREA * scene.width * scene.height
    if is_fragment(thing, scene) or may_be_another(thing.category, scene) or is_dark(thing, scene):
        return False
    if vocabulary.named(thing.category, scene):
        return thing.area >= NAMED_AREA * scene.width * scene.height
    undetected = scene.detected is not None and thing.category not in scene.detected
    cut_off = bool(scene.captions) and truncated(thing, scene)
    share = UNNAMED_AREA if scene.captions else UNCAPTIONED_AREA
    return not (undetected or cut_off) and thing.area >= share * scene.width * scene.height


def is_dark(thing: Instance, scene: Scene) -> bool:
    """Is it in the dark: a dark thing in a dark photograph? A black cat in good light is not."""
    if not scene.path or not thing.rle or not _is_dark_photograph(scene):
        return False
    return _is_dark(_grey(scene)[pixels.mask(thing, scene)])


@cache_last
def _is_dark_photograph(scene: Scene) -> bool:
    return _is_dark(_grey(scene))


def _is_dark(grey: NDArray[np.uint8]) -> bool:
    return bool(np.count_nonzero(grey < DARK) > 0.75 * grey.size)


@cache_last
def _grey(scene: Scene) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(pixels.image(scene), cv2.COLOR_RGB2GRAY), np.uint8)


def may_be_another(category: str, scene: Scene) -> bool:
    """May what is annotated as this category be something else here, or people call it so?

    They may where captions name only what it is confused with (an armchair, annotated as couch; a bidet, as toilet), where
    something beside it shows that it is something else (a monitor by its keyboard, annotated as TV), where people do not
    agree on the word, and where captions speak of toys or statues, which some call giraffes and others do not.
    """
    terms = vocabulary.terms(category)
    doubtful = terms.vague or vocabulary.rivalled(category, scene)
    if doubtful and not vocabulary.mentioned_by_name(category, scene):
        return True
    confused = any(vocabulary.named(kind, scene) for kind in terms.alike)
    if confused and not vocabulary.named(category, scene):
        return True
    if terms.modelled and vocabulary.speak_of(MODELS, scene):
        return True
    return not by_category(scene).keys().isdisjoint(terms.unless)


@cache_last
def by_category(scene: Scene) -> dict[str, list[Instance]]:
    """Instances of each category that has any, crowds and tiny ones included."""
    kinds: defaultdict[str, list[Instance]] = defaultdict(list)
    for thing in scene.instances:
        kinds[thing.category].append(thing)
    return dict(kinds)


@cache_last
def alone(scene: Scene) -> dict[str, Instance]:
    """The single thing of each category that has just one, plain to see: "the cup" must mean one cup.

    A thing that is annotated twice under two names (an armchair as chair and as couch) does not count.
    """
    return {
        kind: things[0]
        for kind, things in by_category(scene).items()
        if len(things) == 1 and is_plain(things[0], scene) and not _named_twice(things[0], scene)
    }


def couples(scene: Scene) -> Iterator[tuple[Instance, Instance]]:
    """Every two things that are alone of their kinds, once, in the order of their categories."""
    return combinations(sorted(alone(scene).values(), key=lambda thing: thing.category), 2)


def _named_twice(thing: Instance, scene: Scene) -> bool:
    return not scene.complete and any(
        other.category != thing.category and _overlap(thing.region, other.region) > SAME_THING
        for other in scene.instances
    )


def _overlap(a: Region, b: Region) -> float:
    """Intersection over union of two boxes."""
    width = min(a.right, b.right) - max(a.x, b.x)
    height = min(a.bottom, b.bottom) - max(a.y, b.y)
    common = max(0.0, width) * max(0.0, height)
    return common / (a.width * a.height + b.width * b.height - common)


def is_fragment(thing: Instance, scene: Scene) -> bool:
    """Is it a person of whom the image shows no more than a hand or a leg: cut off by the edge, with hardly a joint labelled?"""
    labelled = sum(joint.visibility > 0 for joint in thing.keypoints)
    return thing.category == "person" and labelled < MIN_JOINTS and truncated(thing, scene)


def truncated(thing: Instance, scene: Scene, *, margin: float = 1.5) -> bool:
    """Does it touch the image's edge, within `margin` pixels? Then nobody knows how far it extends."""
    box = thing.region
    return min(box.x, box.y, scene.width - box.right, scene.height - box.bottom) < margin


def hidden_share(thing: Instance, scene: Scene) -> float:
    """The share of it that other things hide, 0 to 1, where the source knows the whole mask."""
    whole = pixels.area(thing.full_rle, scene.width, scene.height)
    return 1 - thing.area / max(1.0, whole)


def side(a: Instance, b: Instance, scene: Scene, axis: str, *, margin: float = 0.1) -> Truth:
    """On which side of `b` is `a`: left or right (axis "horizontal"), above or below ("vertical")?

    Known only where the boxes are apart along the axis (they may share a tenth of the smaller one) and their middles
    differ by `margin` of the image.
    """
    low, high, (a0, a1), (b0, b1), length = _along(axis, a.region, b.region, scene)
    shared = min(a1, b1) - max(a0, b0)
    if shared > 0.1 * min(a1 - a0, b1 - b0):
        return unknown("boxes overlap along the axis")
    gap = ((b0 + b1) - (a0 + a1)) / 2 / length
    if abs(gap) < margin:
        return unknown("too close")
    return Truth(low if gap > 0 else high)


def where(a: Instance, b: Instance, scene: Scene) -> Truth:
    """Where is `a` from `b`: left, right, above or below?

    Known where one axis is clear (see `side`) and along the other the boxes share at least half of the smaller one, so
    that nobody would give the other axis's answer.
    """
    for axis, other in (("horizontal", "vertical"), ("vertical", "horizontal")):
        answer = side(a, b, scene, axis)
        _, _, (a0, a1), (b0, b1), _ = _along(other, a.region, b.region, scene)
        if answer.known and min(a1, b1) - max(a0, b0) >= LEVEL * min(a1 - a0, b1 - b0):
            return answer
    return unknown("neither beside nor above or below")


def half(thing: Instance, scene: Scene, axis: str, *, margin: float = 0.03) -> Truth:
    """In which half of the image is the thing: left or right (axis "horizontal"), upper or lower ("vertical")?

    Known where its whole box is `margin` of the image away from the middle line.
    """
    box = thing.region
    if axis == "horizontal":
        low, high, (begin, end), length = "left", "right", (box.x, box.right), scene.width
    else:
        low, high, (begin, end), length = "upper", "lower", (box.y, box.bottom), scene.height
    if end <= length * (0.5 - margin):
        return Truth(low)
    if begin >= length * (0.5 + margin):
        return Truth(high)
    return unknown("reaches the middle line")


def larger(a: Instance, b: Instance, scene: Scene) -> Truth:
    """Which takes up more of the image? Known where neither is cut off and masks and boxes agree, the masks by a clear ratio."""
    if truncated(a, scene) or truncated(b, scene):
        return unknown("cut off by the edge")
    boxes = a.region.width * a.region.height / (b.region.width * b.region.height)
    ratio = a.area / b.area
    if max(ratio, 1 / ratio) < LARGER or (ratio > 1) != (boxes > 1):
        return unknown("about equally large")
    return Truth(vocabulary.spoken(a.category if ratio > 1 else b.category))


def nearer(a: Instance, b: Instance, *, estimated: bool = False) -> Truth:
    """Which is nearer to the camera? Known where both depths are known and differ clearly; estimated ones must differ more."""
    if a.depth is None or b.depth is None:
        return unknown("no depth")
    if max(a.depth, b.depth) < (MUCH_FARTHER if estimated else FARTHER) * min(a.depth, b.depth):
        return unknown("about equally far")
    return Truth(vocabulary.spoken(a.category if a.depth < b.depth else b.category))


def _along(
    axis: str, a: Region, b: Region, scene: Scene
) -> tuple[str, str, tuple[float, float], tuple[float, float], int]:
    if axis == "horizontal":
        return "left", "right", (a.x, a.right), (b.x, b.right), scene.width
    return "above", "below", (a.y, a.bottom), (b.y, b.bottom), scene.height
