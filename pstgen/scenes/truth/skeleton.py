"""How a person stands: three-valued, from COCO's keypoints. Left and right are the person's own."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import acos, degrees, hypot

from pstgen.core.records import Instance, Keypoint, Truth, unknown

SIDES = ("left", "right")
HEAD = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
UNSURE = ("left_ankle", "right_ankle")  # on photographs they are hidden by shoes and trousers
PARTS = {
    "nose": "nose",
    **{f"{side}_{part}": f"{side} {part}" for part in ("wrist", "elbow", "knee", "ankle") for side in SIDES},
}
MARGIN = 0.06  # of the person's height, by which a wrist must be above or below the shoulder
FACING = 0.1  # of it, by which the shoulders of a person who faces the camera are apart
REACH = 0.1  # of it, that either half of an arm must measure; shorter ones point at the camera
BENT, STRAIGHT = 115.0, 150.0  # degrees at the elbow: bent below the first, straight above the second, unknown between


def _joint(person: Instance, name: str) -> Keypoint | None:
    return next((joint for joint in person.keypoints if joint.name == name), None)


def _visible_joints(person: Instance, *names: str) -> list[Keypoint] | None:
    """The joints, if every one of them is labelled and visible."""
    joints = [_joint(person, name) for name in names]
    in_sight = [joint for joint in joints if joint is not None and joint.visibility == 2]
    return in_sight if len(in_sight) == len(names) else None


def visible(person: Instance, name: str, *, sure: bool = True) -> Truth:
    """Is the joint visible (v = 2) or hidden (v = 1)? One that is not labelled (v = 0) is unknown, never hidden.

    sure: can annotators be trusted to tell left from right? On photographs they often disagree about what is hidden, so
    the same joint of the other side must have the same visibility.
    """
    joint = _joint(person, name)
    if joint is None or joint.visibility == 0:
        return unknown("the joint is not labelled")
    side, _, part = name.partition("_")
    opposite = _joint(person, f"{'left' if side == 'right' else 'right'}_{part}") if part else joint
    if not sure and (opposite is None or opposite.visibility != joint.visibility):
        return unknown("the other side's is not like it")
    return Truth("yes" if joint.visibility == 2 else "no")


def faces_camera(person: Instance) -> bool:
    """Does the person face the camera, so that nobody takes the left arm for the right one?

    The nose must be visible, and the left shoulder clearly on the image's right.
    """
    joints = _visible_joints(person, "nose", "left_shoulder", "right_shoulder")
    return joints is not None and joints[1].x - joints[2].x > FACING * person.region.height


def is_upright(person: Instance) -> bool:
    """Are the head above the shoulders and the shoulders above the hips, each by a margin, as far as they are labelled?"""
    groups = (HEAD, tuple(f"{side}_shoulder" for side in SIDES), tuple(f"{side}_hip" for side in SIDES))
    labelled = ([joint.y for joint in person.keypoints if joint.visibility and joint.name in names] for names in groups)
    heights = [sum(ys) / len(ys) for ys in labelled if ys]
    return all(low - high > MARGIN * person.region.height for high, low in pairwise(heights))


def raised(person: Instance, side: str) -> Truth:
    """Is the wrist above the shoulder? Known where both are visible, their heights differ by a margin, and the person is upright."""
    joints = _visible_joints(person, f"{side}_wrist", f"{side}_shoulder")
    if joints is None:
        return unknown("wrist or shoulder is not seen")
    if not is_upright(person):
        return unknown("not upright, so that above means two things")
    wrist, shoulder = joints
    rise = (shoulder.y - wrist.y) / person.region.height
    if abs(rise) < MARGIN:
        return unknown("wrist about as high as the shoulder")
    return Truth("yes" if rise > 0 else "no")


def bent(person: Instance, side: str) -> Truth:
    """Is the elbow bent? Known where shoulder, elbow and wrist are visible and far enough apart, and the angle is clear."""
    joints = _visible_joints(person, f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
    if joints is None:
        return unknown("shoulder, elbow or wrist is not seen")
    shoulder, elbow, wrist = joints
    a, b = (shoulder.x - elbow.x, shoulder.y - elbow.y), (wrist.x - elbow.x, wrist.y - elbow.y)
    shortest = min(hypot(*a), hypot(*b))
    if shortest < REACH * person.region.height:
        return unknown("arm points at the camera")
    angle = degrees(acos(max(-1.0, min(1.0, (a[0] * b[0] + a[1] * b[1]) / (hypot(*a) * hypot(*b))))))
    if BENT < angle < STRAIGHT:
        return unknown("elbow between bent and straight")
    return Truth("yes" if angle <= BENT else "no")


def joint_phrases(part: str, people: Sequence[Instance]) -> Iterator[str]:
    """Phrases that say where the labelled joints of a part or side are; eyes, ears and hips are left out."""
    wanted = part.replace(" ", "_")
    for person in people:
        for joint in person.keypoints:
            if joint.visibility and joint.name.startswith(wanted) and not joint.name.endswith(("eye", "ear", "hip")):
                state = "seen" if joint.visibility == 2 else "hidden"
                yield f"{joint.name.replace('_', ' ')} at ({joint.x:.0f}, {joint.y:.0f}), {state}"
