"""A question about a joint shows that joint and its limb, not the whole person."""

import numpy as np
import pytest

from pstgen.core.records import Item, Keypoint
from pstgen.dataset import limbs, rationale, targets
from pstgen.scenes import pixels

JOINTS = {
    "nose": (50, 12),
    "left_shoulder": (60, 30),
    "left_elbow": (60, 45),
    "left_wrist": (60, 60),
    "right_shoulder": (40, 30),
    "right_elbow": (40, 45),
    "right_wrist": (40, 60),
    "left_knee": (55, 80),
}


@pytest.fixture
def shown(thing, scene):
    """A person of 40 x 90 pixels, and a cup."""
    joints = tuple(Keypoint(name=name, x=x, y=y, visibility=2) for name, (x, y) in JOINTS.items())
    return scene(thing("person", 30, 5, 40, 90, id=1, keypoints=joints), thing("cup", 0, id=2))


def item(family, *about, evidence=(1,)):
    return Item(
        item_id="a",
        pair_id="p",
        role="stress",
        scene_id="world/1",
        image="",
        family=family,
        form="",
        about=about,
        frame="neutral",
        question="",
        neutral="",
        options=("yes", "no"),
        answer="yes",
        lure="no",
        evidence=evidence,
    )


@pytest.mark.parametrize(
    ("family", "about", "names"),
    [
        ("pose", ("person", "left", "cup"), {"left_shoulder", "left_elbow", "left_wrist"}),
        ("pose", ("person", "cup"), {f"{side}_{part}" for side in ("left", "right") for part in ("shoulder", "elbow", "wrist")}),
        ("visibility", ("person", "left wrist"), {"left_elbow", "left_wrist"}),
        ("visibility", ("person", "left knee"), {"left_knee"}),
        ("visibility", ("person", "nose"), {"nose"}),
    ],
)  # fmt: skip
def test_of_the_person_in_question_the_joints_of_the_limb_remain(shown, family, about, names):
    person, cup = limbs.focus(item(family, *about), shown).instances
    assert {joint.name for joint in person.keypoints} == names
    assert cup == shown.instances[1]
    box = person.region
    for joint in person.keypoints:
        assert box.x < joint.x < box.right
        assert box.y < joint.y < box.bottom
    assert 0 < person.area < shown.instances[0].area / 2


def test_the_mask_and_the_region_are_the_limbs_and_not_the_persons(shown):
    asked = item("pose", "person", "left", "cup")
    mask, region, heat = (targets.render(name, asked, shown).pixels > 0 for name in ("mask", "region", "keypoints"))
    whole = pixels.mask(shown.instances[0], shown)
    assert mask[45, 60]
    assert not mask[45, 40]
    assert not mask[80, 55]
    assert (mask <= whole).all()
    rows, columns = np.nonzero(region)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (25, 64, 55, 64)
    assert heat[60, 60]
    assert not heat[80, 55]


def test_a_hidden_joint_off_the_mask_has_a_region_and_no_mask(thing, scene):
    wrist = Keypoint(name="left_wrist", x=80, y=50, visibility=1)
    alone = scene(thing("person", 20, 5, 20, 60, id=1, keypoints=(wrist,)))
    asked = item("visibility", "person", "left wrist")
    assert targets.render("mask", asked, alone) is None
    assert targets.render("region", asked, alone).pixels[50, 80] == 255


@pytest.mark.parametrize("asked", [item("existence", "person", "cup"), item("count", "person"), item("relation", "cup", "person")])  # fmt: skip
def test_other_questions_show_the_whole_person(shown, asked):
    assert limbs.focus(asked, shown) is shown
    assert (targets.render("mask", asked, shown).pixels == targets.load("mask").render(shown, (1,)).pixels).all()


def test_a_person_of_whom_no_joint_in_question_is_labelled_is_shown_whole(shown):
    assert limbs.focus(item("visibility", "person", "right knee"), shown).instances == shown.instances


def test_the_chain_names_the_joints_in_question_alone(shown):
    left = rationale.chain(item("pose", "person", "left", "cup"), shown)
    assert "left shoulder at (60, 30), seen; left elbow at (60, 45), seen; left wrist at (60, 60), seen; so yes" in left
    assert "knee" not in left
    assert "right" not in left
    both = rationale.chain(item("pose", "person", "cup"), shown)
    assert both.count("wrist") == 2
    assert rationale.chain(item("visibility", "person", "left wrist"), shown).count("seen") == 1
