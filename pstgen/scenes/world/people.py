"""People: an articulated skeleton with COCO's seventeen keypoints, dressed."""

import numpy as np

from pstgen.scenes.world.palette import BASIC, HAIR, RGB, SKIN, shade
from pstgen.scenes.world.pen import Pen

JOINTS = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
ARMS = {  # angles of upper arm and forearm, from hanging down, outwards
    "down": (0.18, 0.1),
    "bent": (0.5, -1.5),
    "out": (1.45, 1.5),
    "up": (2.65, 2.8),
    "wave": (1.6, 2.9),
}


def person(pen: Pen, colour: RGB, rng: np.random.Generator) -> None:
    """A person who faces us; the colour is the shirt's. The person's left is on our right."""
    skin, hair = SKIN[rng.integers(len(SKIN))], HAIR[rng.integers(len(HAIR))]
    trousers = BASIC[str(rng.choice(["blue", "black", "grey", "brown", "white"]))]
    long_hair = bool(rng.random() < 0.5)
    drawn = [str(rng.choice(list(ARMS), p=[0.45, 0.2, 0.1, 0.15, 0.1])) for _ in range(2)]
    stance = float(rng.uniform(0.02, 0.07))
    if long_hair:
        pen.oval(0, 0.9, 0.075, 0.1, hair)
        pen.box(-0.075, 0.76, 0.075, 0.9, hair, 0.02)
    _legs(pen, shade(trousers, 0.85), trousers, stance)
    for side, pose in zip((1, -1), pen.arms or drawn, strict=True):
        _arm(pen, side, pose, colour, skin)
    pen.poly([(-0.115, 0.79), (0.115, 0.79), (0.1, 0.46), (-0.1, 0.46)], colour)
    pen.poly([(0.03, 0.79), (0.115, 0.79), (0.1, 0.46), (0.04, 0.46)], shade(colour, 0.88))
    pen.oval(0, 0.785, 0.075, 0.03, colour)
    pen.limb((0, 0.78), (0, 0.84), 0.05, shade(skin, 0.92))
    _head(pen, skin, hair)


def _legs(pen: Pen, left: RGB, right: RGB, stance: float) -> None:
    for side, colour in ((1, left), (-1, right)):
        name = "left" if side > 0 else "right"
        hip, knee, ankle = (side * 0.05, 0.46), (side * (0.055 + stance / 2), 0.25), (side * (0.06 + stance), 0.05)
        pen.limb(hip, knee, 0.095, colour, 0.08)
        pen.limb(knee, ankle, 0.08, colour, 0.06)
        pen.oval(ankle[0] + side * 0.02, 0.02, 0.05, 0.022, (48, 42, 40))
        for part, point in (("hip", hip), ("knee", knee), ("ankle", ankle)):
            pen.joint(f"{name}_{part}", *point)


def _arm(pen: Pen, side: int, pose: str, colour: RGB, skin: RGB) -> None:
    name = "left" if side > 0 else "right"
    upper, fore = ARMS[pose]
    shoulder = (side * 0.105, 0.76)
    elbow = (shoulder[0] + side * 0.16 * np.sin(upper), shoulder[1] - 0.16 * np.cos(upper))
    wrist = (elbow[0] + side * 0.15 * np.sin(fore), elbow[1] - 0.15 * np.cos(fore))
    pen.limb(shoulder, elbow, 0.06, shade(colour, 0.92), 0.052)
    pen.limb(elbow, wrist, 0.045, skin, 0.038)
    pen.oval(wrist[0], wrist[1], 0.026, 0.026, skin)
    for part, point in (("shoulder", shoulder), ("elbow", elbow), ("wrist", wrist)):
        pen.joint(f"{name}_{part}", *point)


def _head(pen: Pen, skin: RGB, hair: RGB) -> None:
    pen.oval(0, 0.905, 0.062, 0.08, skin)
    pen.oval(0, 0.955, 0.066, 0.045, hair)
    for side in (-1, 1):
        pen.oval(side * 0.024, 0.915, 0.009, 0.012, (30, 28, 30))
        pen.joint("left_eye" if side > 0 else "right_eye", side * 0.024, 0.915)
        pen.joint("left_ear" if side > 0 else "right_ear", side * 0.056, 0.905)
    pen.oval(0, 0.868, 0.02, 0.006, (170, 70, 70))
    pen.joint("nose", 0, 0.893)
