"""Faces in photographs, found by the joints of heads, and blurred until nobody can be recognized.

How large a head is in the picture follows from how far its joints are apart. Seen from any side, two joints are at most as far
apart as on a head that faces the camera, or is seen in profile: each two give a lower bound of the scale, and the largest is
taken. The lengths are rough ones of a grown-up, in the proportions that COCO's annotators give them; the ellipse has room to
spare, and a child's head has about the same proportions.
"""

from collections.abc import Collection, Sequence
from math import atan2, hypot, pi
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Instance, Keypoint, Scene

EYES, EARS = ("left_eye", "right_eye"), ("left_ear", "right_ear")
HEAD = ("nose", *EYES, *EARS)
SHOULDERS = ("left_shoulder", "right_shoulder")
APART = {  # millimetres: as far two joints are apart where nothing foreshortens them
    EYES: 65,
    EARS: 150,
    SHOULDERS: 370,
    **{("nose", eye): 60 for eye in EYES},
    **{("nose", ear): 135 for ear in EARS},
    **{(eye, ear): 110 if eye[:4] == ear[:4] else 135 for eye in EYES for ear in EARS},
}
STATURE = 2000  # millimetres: the longer side of a person's box, at most, unless arms are raised
WIDTH, HEIGHT = 170, 250  # millimetres of the ellipse: a face from ear to ear, from the hair to below the chin
LEAST = 4.0  # pixels of the ellipse's shorter half axis, at least: annotators are not more exact
RIM = 0.2  # of the ellipse's half axes: so wide is the rim in which blurred and sharp pixels mix
STRENGTH = 0.5  # of the face's width: the blur's standard deviation
SIGMA = 12.0  # pixels: for a wider blur the picture is made smaller first, which is quicker and looks the same
LEVEL = 0.4  # of their greatest distance: eyes or ears that far apart show how the head is tilted

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


class Face(NamedTuple):
    """An ellipse in pixels of a picture. across, down: half its axes; tilt: radians, clockwise; 0 of an upright head."""

    x: float
    y: float
    across: float
    down: float
    tilt: float = 0.0

    @property
    def area(self) -> float:
        """Of the ellipse, in pixels."""
        return pi * self.across * self.down

    def distance(self, columns: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """(H, W) of pixels in these rows and columns: 1 at the ellipse's line, less inside of it."""
        right, below = columns[None, :] - self.x, rows[:, None] - self.y
        cosine, sine = np.cos(self.tilt), np.sin(self.tilt)
        along, over = (right * cosine + below * sine) / self.across, (below * cosine - right * sine) / self.down
        return np.asarray(np.hypot(along, over), np.float64)

    def window(self, width: int, height: int, margin: float) -> tuple[slice, slice]:
        """Rows and columns of the picture that may lie in the ellipse, with a margin in pixels."""
        reach = max(self.across, self.down) + margin
        rows, columns = (
            slice(max(0, int(middle - reach)), max(0, min(side, int(middle + reach) + 2)))
            for middle, side in ((self.y, height), (self.x, width))
        )
        return rows, columns


class Kept(NamedTuple):
    """What stays sharp. mask: (H, W) bool; area: pixels; of what is larger than a face, the part in front of it is blurred.

    What is smaller could vanish as a whole: a telephone at an ear. A car whose driver is blurred is still a car.
    """

    mask: Mask
    area: float


def face(person: Instance) -> Face | None:
    """Where the face of a person is; None where no joint of the head is annotated as seen (v = 2).

    Of a head that is seen from behind, whose ears alone are annotated, it is the back.
    """
    joints = {joint.name: joint for joint in person.keypoints if joint.visibility}
    head = [joints[name] for name in HEAD if name in joints]
    if not any(joint.visibility == 2 for joint in head):
        return None
    scale = max(_scale(joints), max(person.region.width, person.region.height) / STATURE)
    x, y = (sum(axis) / len(head) for axis in zip(*((joint.x, joint.y) for joint in head), strict=True))
    across = max(LEAST, WIDTH / 2 * scale)
    return Face(x, y, across, across * HEIGHT / WIDTH, _tilt(joints, scale, (x, y)))


def faces(scene: Scene, sharp: Collection[int] = ()) -> list[Face]:
    """Of all people in the scene but those of these ids, in the order of the annotations; crowds have no joints, and no face."""
    found = (face(person) for person in scene.instances if person.id not in sharp)
    return [each for each in found if each]


def blurred(image: Pixels, found: Sequence[Face], kept: Sequence[Kept] = ()) -> Pixels:
    """(H, W, 3) uint8 with these faces blurred, of which the picture as it was tells each alone; kept: what stays sharp."""
    height, width = image.shape[:2]
    result = image.copy()
    for each in found:
        sigma = STRENGTH * 2 * each.across
        inner, outer = (each.window(width, height, margin) for margin in (RIM * each.down, 3 * sigma))
        if 0 in image[inner].shape:
            continue  # it lies outside the picture
        rows, columns = (slice(i.start - o.start, i.stop - o.start) for i, o in zip(inner, outer, strict=True))
        soft = _soft(image[outer], sigma)[rows, columns].astype(np.float64)
        share = _share(each, *inner)
        for part in kept:
            if part.area <= each.area:
                share[part.mask[inner]] = 0
        result[inner] = np.rint(result[inner] + (soft - result[inner]) * share[:, :, None]).astype(np.uint8)
    return result


def covered(found: Sequence[Face], width: int, height: int) -> Mask:
    """(H, W) bool: where faces are, with the rim in which they fade."""
    canvas = np.zeros((height, width), bool)
    for each in found:
        inside = each.window(width, height, RIM * each.down)
        canvas[inside] |= _share(each, *inside) > 0
    return canvas


def _scale(joints: dict[str, Keypoint]) -> float:
    """Pixels a millimetre: the largest that two joints show, 0 where there are no two."""
    pairs = ((joints[a], joints[b], most) for (a, b), most in APART.items() if a in joints and b in joints)
    return max((hypot(a.x - b.x, a.y - b.y) / most for a, b, most in pairs), default=0.0)


def _tilt(joints: dict[str, Keypoint], scale: float, middle: tuple[float, float]) -> float:
    """By eyes or ears where they are clearly apart; else by where the shoulders are; else it is taken for upright."""
    for right, left in (EYES[::-1], EARS[::-1]):
        if right in joints and left in joints:
            across, down = joints[left].x - joints[right].x, joints[left].y - joints[right].y
            if hypot(across, down) > LEVEL * scale * APART[left, right]:
                return atan2(down, across)
    shoulders = [joints[name] for name in SHOULDERS if name in joints]
    if not shoulders:
        return 0.0
    right, below = (
        sum(axis) / len(shoulders) - own
        for axis, own in zip(zip(*((j.x, j.y) for j in shoulders), strict=True), middle, strict=True)
    )
    return atan2(-right, below)


def _share(each: Face, rows: slice, columns: slice) -> NDArray[np.float64]:
    """(H, W) of a window: how much of a pixel is blurred, 1 inside the ellipse, falling to 0 in its rim."""
    distance = each.distance(np.arange(columns.start, columns.stop), np.arange(rows.start, rows.stop))
    return np.clip((1 + RIM - distance) / RIM, 0.0, 1.0)


def _soft(image: Pixels, sigma: float) -> Pixels:
    """(H, W, 3) uint8, blurred by a Gaussian. sigma: pixels."""
    height, width = image.shape[:2]
    factor = max(1.0, sigma / SIGMA)
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if factor > 1 else image
    soft = cv2.GaussianBlur(np.ascontiguousarray(small), (0, 0), sigma / factor, borderType=cv2.BORDER_REPLICATE)
    whole = soft if factor == 1 else cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)
    return np.asarray(whole, np.uint8)
