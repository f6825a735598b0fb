"""Faces are found by the joints of heads, whichever way these are turned, and nothing of them is left to recognize."""

from dataclasses import replace
from math import cos, pi, sin

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import Instance, Keypoint, Region
from pstgen.scenes import privacy
from pstgen.scenes.privacy import Face, Kept

FRONT = {"nose": (0, 15), "left_eye": (32, -25), "right_eye": (-32, -25), "left_ear": (75, 0), "right_ear": (-75, 0)}
PROFILE = {"nose": (-60, 20), "left_eye": (-35, -20), "left_ear": (60, 0)}


def person(joints, *, scale=1.0, at=(200.0, 200.0), tilt=0.0, visibility=2, height=100.0, id=1):  # noqa: A002
    """joints: millimetres from the middle of the head. scale: pixels a millimetre. height: of the box, pixels."""
    turned = {n: (x * cos(tilt) - y * sin(tilt), x * sin(tilt) + y * cos(tilt)) for n, (x, y) in joints.items()}
    points = [
        Keypoint(name=name, x=at[0] + scale * x, y=at[1] + scale * y, visibility=visibility)
        for name, (x, y) in turned.items()
    ]
    box = Region(x=0, y=0, width=height / 2, height=height)
    return Instance(id=id, category="person", region=box, area=1.0, keypoints=tuple(points))


def inside(face, x, y):
    return face.distance(np.array([round(x)]), np.array([round(y)]))[0, 0] <= 1


@pytest.mark.parametrize("joints", [FRONT, PROFILE, {n: FRONT[n] for n in ("nose", "left_eye", "right_eye")}])
@pytest.mark.parametrize("tilt", [0, 0.5, -1.2])
def test_a_face_holds_the_joints_of_eyes_and_nose_and_the_chin_and_the_forehead(joints, tilt):
    if joints is PROFILE and tilt:
        joints = joints | {"left_shoulder": (20, 250)}  # which show how the head is tilted
    found = privacy.face(person(joints, tilt=tilt))
    middle = sum(x for x, _ in joints.values()) / len(joints)
    for x, y in [*(joints[n] for n in joints if n in {"nose", "left_eye", "right_eye"}), (middle, -90), (middle, 90)]:
        assert inside(found, 200 + x * cos(tilt) - y * sin(tilt), 200 + x * sin(tilt) + y * cos(tilt))


@given(st.floats(0.5, 40))
def test_a_larger_head_has_a_larger_face_in_proportion(scale):
    once, more = (privacy.face(person(FRONT, scale=s, height=1.0)) for s in (1.0, scale))
    assert more.across == pytest.approx(once.across * scale)
    assert more.down / more.across == pytest.approx(once.down / once.across)


def test_one_joint_alone_gives_a_face_by_the_size_of_the_person():
    small, large = (privacy.face(person({"nose": (0, 0)}, height=height)) for height in (200.0, 800.0))
    assert (small.x, small.y) == (large.x, large.y) == (200, 200)
    assert large.across == pytest.approx(4 * small.across)


def test_a_tiny_face_is_covered_all_the_same_since_annotators_are_not_exact():
    assert privacy.face(person(FRONT, scale=0.001, height=2.0)).across == privacy.LEAST


@pytest.mark.parametrize(
    "nobody",
    [person({}), person(FRONT, visibility=0), person(FRONT, visibility=1), person({"left_wrist": (0, 0)})],
    ids=["without joints", "not labelled", "hidden", "a wrist"],
)
def test_where_no_joint_of_the_head_is_seen_there_is_no_face(nobody):
    assert privacy.face(nobody) is None


def test_people_whose_faces_are_in_question_keep_them(scene):
    two = scene(person(FRONT, id=1), person(FRONT, id=2, at=(50, 60)))
    assert len(privacy.faces(two)) == 2
    (left,) = privacy.faces(two, [2])
    assert (left.x, left.y) == pytest.approx((200, 193))


def noise(height=300, width=400):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_in_a_blurred_face_no_detail_is_left_and_elsewhere_no_pixel_changes():
    image, found = noise(), Face(200, 150, 40, 60, 0.4)
    blurred = privacy.blurred(image, [found])
    distance = found.distance(np.arange(400), np.arange(300))
    steps = np.abs(np.diff(blurred.astype(int), axis=1)).max(axis=2)[(distance < 0.95)[:, 1:]]
    assert steps.max() <= 3
    assert np.array_equal(blurred[distance > 1 + privacy.RIM], image[distance > 1 + privacy.RIM])
    assert not np.shares_memory(blurred, image)


def test_eyes_and_mouth_are_gone():
    """Of dark features on a bright face, whose widths are those of eyes and a mouth, nothing can be made out."""
    image = np.full((400, 400, 3), 200, np.uint8)
    for x, y, across, down in ((170, 180, 18, 9), (230, 180, 18, 9), (200, 255, 30, 8)):
        cv2.ellipse(image, (x, y), (across, down), 0, 0, 360, (20, 20, 20), -1)
    found = Face(200, 200, 85, 125)
    core = found.distance(np.arange(400), np.arange(400)) < 0.9
    before, after = (shown[core].astype(int) for shown in (image, privacy.blurred(image, [found])))
    assert np.ptp(before) == 180
    assert np.ptp(after) < 12


@pytest.mark.parametrize(
    "found", [Face(0, 0, 30, 40), Face(399, 299, 30, 40), Face(-20, 150, 30, 40), Face(200, 150, 900, 1200)]
)
def test_a_face_that_reaches_out_of_the_picture_is_blurred_as_far_as_it_is_seen(found):
    blurred = privacy.blurred(noise(), [found])
    core = found.distance(np.arange(400), np.arange(300)) < 0.9
    assert core.any()
    assert blurred[core].std() < 25 < noise()[core].std()


def test_a_face_outside_the_picture_changes_nothing():
    assert np.array_equal(privacy.blurred(noise(), [Face(-300, -300, 30, 40), Face(9e5, 9e5, 30, 40)]), noise())


def test_a_wide_blur_is_that_of_a_gaussian():
    """It is made on a smaller copy."""
    image, found = cv2.GaussianBlur(noise(), (0, 0), 6), Face(200, 150, 60, 80)
    sigma = privacy.STRENGTH * 2 * found.across
    assert sigma > privacy.SIGMA
    exact = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    core = found.distance(np.arange(400), np.arange(300)) < 1
    difference = privacy.blurred(image, [found])[core].astype(int) - exact[core]
    assert np.abs(difference).max() <= 3


def test_what_is_smaller_than_the_face_stays_sharp_and_what_is_larger_does_not():
    image, found = noise(), Face(200, 150, 40, 60)
    mask = np.zeros((300, 400), bool)
    mask[150:170, 190:210] = True
    small, large = (privacy.blurred(image, [found], [Kept(mask, area)]) for area in (400.0, pi * 41 * 61))
    assert np.array_equal(small[mask], image[mask])
    assert np.array_equal(large, privacy.blurred(image, [found]))
    near = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))).astype(bool) & ~mask
    assert np.array_equal(small[near], large[near])


def test_faces_do_not_depend_on_each_others_order_where_they_are_apart():
    image, faces = noise(), [Face(100, 150, 30, 40), Face(300, 150, 30, 40)]
    assert np.array_equal(privacy.blurred(image, faces), privacy.blurred(image, faces[::-1]))


def test_covered_is_where_pixels_change():
    faces = [Face(100, 150, 30, 40, 0.3), Face(390, 20, 30, 40)]
    changed = (privacy.blurred(noise(), faces) != noise()).any(axis=2)
    assert not np.any(changed & ~privacy.covered(faces, 400, 300))


def test_a_hidden_joint_helps_to_find_the_face_of_which_another_is_seen():
    turned = person(PROFILE)
    joints = [
        msgspec.structs.replace(joint, visibility=1 if joint.name == "left_eye" else 2) for joint in turned.keypoints
    ]
    assert privacy.face(replace(turned, keypoints=tuple(joints))) == privacy.face(turned)
