from dataclasses import replace
from math import cos, pi, sin

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pstgen.core.records import Keypoint
from pstgen.questions.families import pose, visibility

SWAP = {"left": "right", "right": "left"}


def person(thing, joints, seen=2):
    told = tuple(Keypoint(name=name, x=x, y=y, visibility=seen) for name, (x, y) in joints.items())
    return thing("person", 30, 5, 40, 90, id=1, keypoints=told)


@pytest.fixture(scope="module")
def beside_a_dog(scene, thing):
    """A scene of a person, and of the dog without which nothing makes one expect a pose."""
    return lambda one, **more: scene(one, thing("dog", 75, 70, 24, 28, id=9), **more)


def truths(family, scene):
    return {(fact.form, fact.about[1]): fact.truth for fact in family.ask(scene)}


def arm(side, shoulder, upper, fore):
    """Joints of an arm by two angles from hanging down, each 15 long."""
    x, y = shoulder
    ex, ey = x + 15 * sin(upper), y + 15 * cos(upper)
    return {
        f"{side}_shoulder": (x, y),
        f"{side}_elbow": (ex, ey),
        f"{side}_wrist": (ex + 15 * sin(fore), ey + 15 * cos(fore)),
    }


angles = st.floats(-pi, pi)


@given(angles, angles)
def test_raised_agrees_with_the_heights_and_bent_with_the_angle(beside_a_dog, thing, upper, fore):
    """Oracle: the angles that the arm was made of."""
    told = truths(pose, beside_a_dog(person(thing, arm("left", (50, 40), upper, fore))))
    rise = -15 * cos(upper) - 15 * cos(fore)
    if (raised := told["raised", "left"]).known:
        assert (raised.answer == "yes") == (rise > 0)
    inside = pi - abs((upper - fore + pi) % (2 * pi) - pi)
    if (bent := told["bent", "left"]).known:
        assert (bent.answer == "yes") == (inside < 2.3)
    assert not told["raised", "right"].known


@given(angles, angles)
def test_mirroring_swaps_nothing_but_the_picture(beside_a_dog, thing, upper, fore):
    """Left is the person's own: in a mirror the joint keeps its name."""
    joints = arm("left", (50, 40), upper, fore)
    mirrored = {name: (100 - x, y) for name, (x, y) in joints.items()}
    told = truths(pose, beside_a_dog(person(thing, joints)))
    assert told
    assert told == truths(pose, beside_a_dog(person(thing, mirrored)))


@pytest.mark.parametrize("seen", [0, 1])
def test_joints_that_are_not_seen_tell_no_pose(beside_a_dog, thing, seen):
    told = truths(pose, beside_a_dog(person(thing, arm("left", (50, 40), 0, 0), seen)))
    assert told
    assert not any(truth.known for truth in told.values())


def test_an_unlabelled_joint_is_unknown_and_never_hidden(scene, thing):
    joints = {"nose": (50, 10), "left_wrist": (40, 50), "right_knee": (55, 70)}
    one = person(thing, joints)
    states = (2, 1, 0)
    one = replace(
        one,
        keypoints=tuple(msgspec.structs.replace(j, visibility=v) for j, v in zip(one.keypoints, states, strict=True)),
    )
    told = truths(visibility, scene(one))
    assert told["seen", "nose"].answer == "yes"
    assert told["seen", "left wrist"].answer == "no"
    assert not told["seen", "right knee"].known
    assert not told["seen", "left ankle"].known


@pytest.mark.parametrize("family", [pose, visibility])
def test_of_several_people_none_is_asked_about(scene, thing, family):
    one = person(thing, arm("left", (50, 40), 0, 0))
    assert not list(family.ask(scene(one, replace(one, id=2), thing("dog", 75, 70, 24, 28, id=9))))


def test_of_someone_who_lies_nobody_knows_what_is_above(beside_a_dog, thing):
    def raised(nose):
        one = person(thing, arm("left", (50, 40), pi, pi) | {"nose": nose})
        return truths(pose, beside_a_dog(one))["raised", "left"]

    assert raised((50, 20)).answer == "yes"
    assert raised((70, 41)).reason.startswith("not upright")


@pytest.mark.parametrize(
    ("left", "right", "told"), [(pi, 0, "left"), (0, pi, "right"), (pi, pi, "both"), (0, 0, "neither")]
)
def test_the_arms_that_are_raised_are_asked_for_together(beside_a_dog, thing, left, right, told):
    joints = arm("left", (60, 50), left, left) | arm("right", (40, 50), right, right) | {"nose": (50, 40)}
    facts = [fact for fact in pose.ask(beside_a_dog(person(thing, joints))) if fact.form == "arms"]
    assert [(fact.about, fact.truth.answer, fact.evidence) for fact in facts] == [(("person", "dog"), told, (1,))]
    assert told in pose.answers("arms", ("person", "dog"))


def test_every_other_kind_that_is_plain_to_see_makes_one_expect_a_pose_and_without_one_nothing_is_asked(scene, thing):
    one = person(thing, arm("left", (50, 40), 0, 0))
    others = thing("dog", 75, 70, 24, 28, id=2), thing("cup", 75, 5, 20, 20, id=3), thing("chair", 2, 2, 4, 4, id=4)
    assert {fact.about[-1] for fact in pose.ask(scene(one, *others))} == {"dog", "cup"}
    assert list(pose.ask(scene(one))) == []


def test_on_photographs_a_joint_is_known_only_where_the_other_sides_is_like_it(scene, thing):
    joints = {
        f"{side}_{part}": (x, y)
        for side, x in (("left", 40), ("right", 60))
        for part, y in (("knee", 70), ("elbow", 40))
    }
    one = person(thing, joints | {"left_ankle": (40, 90), "right_ankle": (60, 90)})
    hidden = tuple(msgspec.structs.replace(j, visibility=1) if j.name == "left_knee" else j for j in one.keypoints)
    photo = scene(replace(one, keypoints=hidden), complete=False, captions=("a person",))
    told = truths(visibility, photo)
    assert ("seen", "left ankle") not in told
    assert told["seen", "left elbow"].answer == "yes"
    assert told["seen", "left knee"].reason == "the other side's is not like it"


def test_on_photographs_a_pose_is_known_of_somebody_who_faces_the_camera_in_the_light(beside_a_dog, thing, tmp_path):
    joints = arm("left", (60, 40), pi, pi) | {"right_shoulder": (40, 40), "nose": (50, 20)}

    def raised(light, joints):
        pixels = np.full((100, 100, 3), 200, np.uint8)
        pixels[5:95, 30:70] = light
        Image.fromarray(pixels).save(tmp_path / f"{light}.png")
        photo = beside_a_dog(person(thing, joints), complete=False, captions=("a person and a dog",))
        return truths(pose, replace(photo, path=str(tmp_path / f"{light}.png")))["raised", "left"]

    assert raised(120, joints).answer == "yes"
    assert raised(9, joints).reason == "too dark to see"
    assert "left or right" in raised(120, joints | {"right_shoulder": (58, 40)}).reason
    assert "left or right" in raised(120, {k: v for k, v in joints.items() if k != "nose"}).reason
