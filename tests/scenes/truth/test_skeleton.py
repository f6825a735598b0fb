"""How a person stands is known only where nobody would say otherwise."""

from dataclasses import replace
from math import cos, radians, sin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import Keypoint
from pstgen.scenes.truth import skeleton

SHOULDERS = {"left_shoulder": (58, 30), "right_shoulder": (42, 30)}
BODY = {"nose": (50, 18), **SHOULDERS, "left_hip": (55, 54), "right_hip": (45, 54)}


@pytest.fixture
def standing(thing):
    """A person of 90 px who faces the camera; joints by name are put elsewhere, or left out where they are None."""

    def stand(joints=(), seen=(), box=(30, 5, 40, 90)):
        placed = {**BODY, **hanging("left"), **hanging("right"), **dict(joints)}
        keypoints = tuple(
            Keypoint(name=name, x=at[0], y=at[1], visibility=dict(seen).get(name, 2))
            for name, at in placed.items()
            if at
        )
        return thing("person", *box, id=1, keypoints=keypoints)

    return stand


@pytest.fixture
def here(scene):
    """An image in which a person of 90 px is plain to see."""
    return scene(width=200, height=200)


def arm(side, upper, fore, lengths=(15, 13)):
    """Elbow and wrist of an arm by two angles from hanging down, in degrees, outward; lengths in pixels."""
    x, y = SHOULDERS[f"{side}_shoulder"]
    out = 1 if side == "left" else -1
    elbow = (x + out * lengths[0] * sin(radians(upper)), y + lengths[0] * cos(radians(upper)))
    wrist = (elbow[0] + out * lengths[1] * sin(radians(fore)), elbow[1] + lengths[1] * cos(radians(fore)))
    return {f"{side}_elbow": elbow, f"{side}_wrist": wrist}


def hanging(side):
    return arm(side, 5, 5)


@pytest.mark.parametrize(
    ("inside", "answer"), [(180, "no"), (170, "no"), (160, None), (150, None), (120, None), (110, "yes"), (60, "yes")]
)
def test_an_elbow_is_bent_below_115_degrees_straight_from_165_and_unknown_between(standing, here, inside, answer):
    assert skeleton.bent(standing(arm("left", 0, 180 - inside)), "left", here).answer == answer


@pytest.mark.parametrize(("up", "told"), [(("left",), "left"), (("right",), "right"), (("left", "right"), "both"), ((), "neither")])  # fmt: skip
def test_the_arms_that_are_raised_are_named(standing, here, up, told):
    joints = {name: at for side in up for name, at in arm(side, 120, 130).items()}
    assert skeleton.arms(standing(joints), here).answer == told


@pytest.mark.parametrize("side", skeleton.SIDES)
def test_which_arms_are_raised_is_unknown_where_it_is_of_either(standing, here, side):
    person = standing(seen={f"{side}_wrist": 1})
    assert skeleton.arms(person, here) == skeleton.raised(person, side, here)
    assert not skeleton.arms(person, here).known


@pytest.mark.parametrize("joint", ["left_shoulder", "left_elbow", "left_wrist"])
@pytest.mark.parametrize("state", [0, 1])
@pytest.mark.parametrize("ask", [skeleton.raised, skeleton.bent])
def test_an_arm_of_which_a_joint_is_hidden_is_unknown(standing, here, joint, state, ask):
    assert ask(standing(seen={joint: state}), "left", here).reason == "shoulder, elbow or wrist is not seen"


@pytest.mark.parametrize("ask", [skeleton.raised, skeleton.bent])
@pytest.mark.parametrize("lengths", [(6, 13), (15, 5), (9, 8)])
def test_an_arm_of_which_a_half_points_at_the_camera_is_unknown(standing, here, ask, lengths):
    """The upper half is short beside the lower one, the lower beside the upper, both beside the torso."""
    assert ask(standing(), "left", here).known
    assert ask(standing(arm("left", 5, 5, lengths)), "left", here).reason == "arm points at the camera"


@given(st.floats(0, 180), st.floats(0, 180))
def test_a_foreshortened_arm_tells_no_more_than_a_plain_one(thing, scene, upper, fore):
    """Whatever is known of an arm whose halves are shorter than they are is known of it at its length, and the same."""
    here = scene(height=60)
    plain, short = (
        thing("person", 30, 5, 40, 90, keypoints=tuple(
            Keypoint(name=name, x=x, y=y, visibility=2) for name, (x, y) in (BODY | arm("left", upper, fore, lengths)).items()
        ))
        for lengths in ((15, 12), (12, 9.6))
    )  # fmt: skip
    if (truth := skeleton.bent(short, "left", here)).known:
        assert skeleton.bent(plain, "left", here) == truth


@pytest.mark.parametrize(("at", "known"), [(0.02, False), (0.98, False), (0.05, True), (0.95, True)])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_joint_within_three_per_cent_of_the_border_is_unknown(standing, scene, at, known, axis):
    wide = scene(width=400, height=200)
    place = (400 * at, 100) if axis == 0 else (200, 200 * at)
    person = standing({"left_knee": place})
    assert skeleton.visible(person, "left_knee", wide).known == known
    assert skeleton.visible(replace(person, keypoints=tuple(msgspec.structs.replace(j, visibility=1) for j in person.keypoints)), "left_knee", wide).known == known  # fmt: skip


@pytest.mark.parametrize("ask", [skeleton.raised, skeleton.bent])
def test_an_arm_with_a_joint_at_the_border_is_unknown(standing, scene, ask):
    person = standing()
    assert ask(person, "left", scene(person)).known
    assert ask(person, "left", scene(person, width=61)).reason == "a joint is at the image's border"
    assert ask(person, "right", scene(person, width=61)).known


@pytest.mark.parametrize("ask", [skeleton.raised, skeleton.bent])
def test_of_somebody_who_lies_or_is_seen_from_behind_no_arm_is_known(standing, here, ask):
    lying = standing({"nose": (35, 31), "left_hip": (80, 33), "right_hip": (80, 29)})
    assert ask(lying, "left", here).reason.startswith("not upright")
    behind = standing({"nose": None, "left_shoulder": (42, 30), "right_shoulder": (58, 30)})
    assert ask(standing({"nose": None}), "left", here).known
    assert "behind" in skeleton.raised(behind, "left", here).reason


def test_of_somebody_who_lies_or_is_seen_from_behind_no_part_is_hidden_or_seen(standing, here):
    lying = standing({"nose": (25, 31), "left_hip": (80, 33), "right_hip": (80, 29)}, box=(10, 20, 80, 40))
    assert skeleton.visible(lying, "left_wrist", here).reason == "lying"
    assert skeleton.visible(standing(), "left_wrist", here).answer == "yes"
    behind = standing({"left_shoulder": (42, 30), "right_shoulder": (58, 30)}, seen={"nose": 1})
    assert skeleton.visible(behind, "nose", here).reason == "seen from behind"


@pytest.mark.parametrize(("side", "known"), [(580, True), (620, False)])
def test_the_joints_of_who_is_too_small_are_unknown(standing, scene, side, known):
    """A person of 90 px in an image of that side."""
    far = scene(width=side, height=100)
    assert skeleton.visible(standing(), "left_wrist", far).known == known
    assert skeleton.raised(standing(), "left", far).known == known


def test_who_bends_down_does_not_lie(standing):
    bending = standing({"nose": (75, 50), "left_hip": (46, 30), "right_hip": (44, 30), "left_ankle": (50, 90)})
    assert not skeleton.is_upright(bending)
    assert not skeleton.lies(bending)


def test_phrases_name_an_arm_by_its_side_a_part_by_itself_and_else_both_arms(standing):
    people = [standing(seen={"left_wrist": 1})]
    left = list(skeleton.joint_phrases("left", people))
    assert [phrase.partition(" at ")[0] for phrase in left] == ["left shoulder", "left elbow", "left wrist"]
    assert left[2].endswith("hidden")
    assert len(list(skeleton.joint_phrases("kite", people))) == 6
    assert [phrase[:4] for phrase in skeleton.joint_phrases("nose", people)] == ["nose"]
    assert list(skeleton.joint_phrases("left knee", people)) == []


@pytest.mark.parametrize("part", skeleton.PARTS.values())
def test_every_part_has_a_limb_that_holds_it(part):
    (limb,) = skeleton.limbs("visibility", ("person", part))
    assert part.replace(" ", "_") in limb


def test_questions_about_no_joint_have_no_limb():
    assert skeleton.limbs("existence", ("person", "left")) == ()
    assert len(skeleton.limbs("pose", ("person", "kite"))) == 2
