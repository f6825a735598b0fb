"""How a person stands: three-valued, from COCO's keypoints. Left and right are the person's own."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import acos, degrees, hypot

from pstgen.core.records import Instance, Keypoint, Scene, Truth, unknown

SIDES = ("left", "right")
HEAD = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
ARM = ("shoulder", "elbow", "wrist")
UNSURE = ("left_ankle", "right_ankle")  # on photographs they are hidden by shoes and trousers
PARTS = {
    "nose": "nose",
    **{f"{side}_{part}": f"{side} {part}" for part in ("wrist", "elbow", "knee", "ankle") for side in SIDES},
}
LIMBS = {
    "wrist": ARM[1:],
    "elbow": ARM,
    "knee": ("hip", "knee", "ankle"),
    "ankle": ("knee", "ankle"),
}  # with neighbours
MARGIN = 0.06  # of the person's height, by which a wrist must be above or below the shoulder
FACING = 0.1  # of it, by which the shoulders of a person who faces the camera are apart
REACH = 0.1  # of it, that either half of an arm must measure; shorter ones point at the camera
UPPER, FORE, TORSO = 0.186, 0.146, 0.288  # of a body's height (Drillis and Contini 1966); torso: from shoulder to hip
SHORT = 0.6  # of the length that the others make one expect: half an arm that is shorter is turned by over 50 degrees
BENT, STRAIGHT = (
    115.0,
    165.0,
)  # degrees at the elbow: bent below the first, straight from the second on, unknown between
LEAST_HEIGHT = 0.15  # of the image's longer side, that a person whose joints are in question must measure
BORDER = 0.03  # of the image's side: nearer to the border, a joint may be cut off


def _joint(person: Instance, name: str) -> Keypoint | None:
    return next((joint for joint in person.keypoints if joint.name == name), None)


def _visible_joints(person: Instance, *names: str) -> list[Keypoint] | None:
    """The joints, if every one of them is labelled and visible."""
    joints = [_joint(person, name) for name in names]
    in_sight = [joint for joint in joints if joint is not None and joint.visibility == 2]
    return in_sight if len(in_sight) == len(names) else None


def visible(person: Instance, name: str, scene: Scene, *, sure: bool = True) -> Truth:
    """Is the joint visible (v = 2) or hidden (v = 1)? One that is not labelled (v = 0) is unknown, never hidden.

    sure: can annotators be trusted
    to tell left from right? On photographs they often disagree about what is hidden, so the same joint of the other side
    must have the same visibility.
    """
    joint = _joint(person, name)
    if joint is None or joint.visibility == 0:
        return unknown("the joint is not labelled")
    if lies(person):
        return unknown("lying")
    if reason := _doubt(person, (joint,), scene):
        return unknown(reason)
    side, _, part = name.partition("_")
    opposite = _joint(person, f"{'left' if side == 'right' else 'right'}_{part}") if part else joint
    if not sure and (opposite is None or opposite.visibility != joint.visibility):
        return unknown("the other side's is not like it")
    return Truth("yes" if joint.visibility == 2 else "no")


def _doubt(person: Instance, joints: Sequence[Keypoint], scene: Scene) -> str:
    """Why people may differ about these joints of the person, or ""."""
    if person.region.height < LEAST_HEIGHT * max(scene.width, scene.height):
        return "too small for joints to be seen"
    if any(_at_border(joint, scene) for joint in joints):
        return "a joint is at the image's border"
    return "seen from behind" if is_seen_from_behind(person) else ""


def _at_border(joint: Keypoint, scene: Scene) -> bool:
    across, down = BORDER * scene.width, BORDER * scene.height
    return not (across <= joint.x <= scene.width - across and down <= joint.y <= scene.height - down)


def faces_camera(person: Instance) -> bool:
    """Does the person face the camera, so that nobody takes the left arm for the right one?

    The nose must be visible, and the left shoulder clearly on the image's right.
    """
    joints = _visible_joints(person, "nose", "left_shoulder", "right_shoulder")
    return joints is not None and joints[1].x - joints[2].x > FACING * person.region.height


def is_seen_from_behind(person: Instance) -> bool:
    """Is the left shoulder on the image's left, and the nose not seen?"""
    shoulders = [_joint(person, f"{side}_shoulder") for side in SIDES]
    left, right = (joint if joint is not None and joint.visibility else None for joint in shoulders)
    if left is None or right is None or _visible_joints(person, "nose"):
        return False
    return left.x < right.x


def is_upright(person: Instance) -> bool:
    """Are the head above the shoulders and the shoulders above the hips, each by a margin, as far as they are labelled?"""
    groups = (HEAD, tuple(f"{side}_shoulder" for side in SIDES), tuple(f"{side}_hip" for side in SIDES))
    labelled = ([joint.y for joint in person.keypoints if joint.visibility and joint.name in names] for names in groups)
    heights = [sum(ys) / len(ys) for ys in labelled if ys]
    return all(low - high > MARGIN * person.region.height for high, low in pairwise(heights))


def lies(person: Instance) -> bool:
    """Is the person not upright, and are the labelled joints spread more across than down? Who bends over stands on legs."""
    if is_upright(person):
        return False
    xs, ys = zip(*((joint.x, joint.y) for joint in person.keypoints if joint.visibility), strict=True)
    return bool(max(xs) - min(xs) > max(ys) - min(ys))


def raised(person: Instance, side: str, scene: Scene) -> Truth:
    """Is the wrist above the shoulder? Known where the whole arm is plain to see and their heights differ by a margin."""
    joints = _arm(person, side, scene)
    if isinstance(joints, Truth):
        return joints
    shoulder, _, wrist = joints
    rise = (shoulder.y - wrist.y) / person.region.height
    if abs(rise) < MARGIN:
        return unknown("wrist about as high as the shoulder")
    return Truth("yes" if rise > 0 else "no")


def arms(person: Instance, scene: Scene) -> Truth:
    """Which arms are raised: left, right, both or neither? Known where it is of each."""
    left, right = (raised(person, side, scene) for side in SIDES)
    if not (left.known and right.known):
        return right if left.known else left
    return Truth(
        {("yes", "yes"): "both", ("yes", "no"): "left", ("no", "yes"): "right"}.get(
            (str(left.answer), str(right.answer)), "neither"
        )
    )


def bent(person: Instance, side: str, scene: Scene) -> Truth:
    """Is the elbow bent? Known where the whole arm is plain to see and the angle is clear."""
    joints = _arm(person, side, scene)
    if isinstance(joints, Truth):
        return joints
    shoulder, elbow, wrist = joints
    if min(_apart(shoulder, elbow), _apart(elbow, wrist)) < REACH * person.region.height:
        return unknown("arm points at the camera")
    a, b = (shoulder.x - elbow.x, shoulder.y - elbow.y), (wrist.x - elbow.x, wrist.y - elbow.y)
    angle = degrees(acos(max(-1.0, min(1.0, (a[0] * b[0] + a[1] * b[1]) / (hypot(*a) * hypot(*b))))))
    if BENT < angle < STRAIGHT:
        return unknown("elbow between bent and straight")
    return Truth("yes" if angle <= BENT else "no")


def _arm(person: Instance, side: str, scene: Scene) -> list[Keypoint] | Truth:
    """Shoulder, elbow and wrist, where all are seen and nobody doubts how the arm is held; else why not."""
    joints = _visible_joints(person, *(f"{side}_{part}" for part in ARM))
    if joints is None:
        return unknown("shoulder, elbow or wrist is not seen")
    if not is_upright(person):
        return unknown("not upright, so that above means two things")
    if reason := _doubt(person, joints, scene):
        return unknown(reason)
    return unknown("arm points at the camera") if _is_foreshortened(person, side, joints) else joints


def _is_foreshortened(person: Instance, side: str, joints: Sequence[Keypoint]) -> bool:
    """Is either half of the arm much shorter than the other half, or the torso, makes one expect?"""
    shoulder, elbow, wrist = joints
    upper, fore = _apart(shoulder, elbow), _apart(elbow, wrist)
    hip = _joint(person, f"{side}_hip")
    torso = _apart(shoulder, hip) if hip is not None and hip.visibility else 0.0
    expected_upper = UPPER * max(fore / FORE, torso / TORSO)
    expected_fore = FORE * max(upper / UPPER, torso / TORSO)
    return upper < SHORT * expected_upper or fore < SHORT * expected_fore


def _apart(a: Keypoint, b: Keypoint) -> float:
    """Pixels between two joints."""
    return hypot(a.x - b.x, a.y - b.y)


def limbs(family: str, about: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The joints that a question is about, each limb's in their order along it; none where it is not about joints.

    Of a pose, the arm of the side that its words name, or both arms; of a visibility, the part with its neighbours.

    >>> limbs("pose", ("person", "left", "kite"))
    (('left_shoulder', 'left_elbow', 'left_wrist'),)
    >>> limbs("visibility", ("person", "right ankle"))
    (('right_knee', 'right_ankle'),)
    """
    if family == "pose":
        return tuple(tuple(f"{side}_{part}" for part in ARM) for side in _sides(about[1]))
    if family != "visibility":
        return ()
    side, _, part = about[1].partition(" ")
    return (tuple(f"{side}_{joint}" for joint in LIMBS[part]) if part else ("left_eye", "nose", "right_eye"),)


def _sides(word: str) -> tuple[str, ...]:
    return (word,) if word in SIDES else SIDES


def joint_phrases(word: str, people: Sequence[Instance]) -> Iterator[str]:
    """Phrases that say where the labelled joints are: of a part, the part's; of a side, its arm's; else both arms'."""
    part = word.replace(" ", "_")
    names = (part,) if part in PARTS else tuple(name for limb in limbs("pose", ("person", word)) for name in limb)
    for person in people:
        for joint in filter(None, (_joint(person, name) for name in names)):
            if joint.visibility:
                state = "seen" if joint.visibility == 2 else "hidden"
                yield f"{joint.name.replace('_', ' ')} at ({joint.x:.0f}, {joint.y:.0f}), {state}"
