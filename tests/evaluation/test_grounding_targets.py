"""A point is right on the mask of what shows the answer, or near the joint in question; an absence has no place."""

import numpy as np
import pytest
from pycocotools.cocoeval import COCOeval

from pstgen.core.records import Instance, Item, Keypoint, Region
from pstgen.dataset import store
from pstgen.dataset.rows import Row
from pstgen.dataset.targets import render
from pstgen.evaluation import grounding_targets

NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
ARM = {"left_shoulder": (60, 40), "left_elbow": (70, 60), "left_wrist": (60, 80), "nose": (50, 25)}


def item(family="colour", about=("cup",), evidence=(1,), **more):
    return Item(
        item_id="a-a", pair_id="a", role="control", scene_id="world/1", image="", family=family, form="of", about=about,
        frame="neutral", question="Which?", neutral="Which?", options=("red", "blue"), answer="red", lure="red",
        evidence=evidence, **more,
    )  # fmt: skip


def row(item, scene):
    targets = tuple(filter(None, (render(name, item, scene) for name in ("mask", "keypoints", "region"))))
    return Row(item=item, scene=scene, image=b"", suffix=".png", targets=targets)


@pytest.fixture
def person(thing):
    """Somebody whose left arm is seen."""
    joints = tuple(
        Keypoint(name=name, x=x, y=y, visibility=2 * (name in ARM))
        for name in NAMES
        for x, y in [ARM.get(name, (0, 0))]
    )
    return thing("person", 40, 10, 40, 80, id=1, keypoints=joints)


def test_a_point_is_right_on_the_mask_that_the_set_ships(small_set):
    rows = [row for row in store.open(small_set).rows() if not grounding_targets.left_out(row)]
    assert len(rows) > 20
    for each in rows:
        mask = next(target.pixels for target in each.targets if target.kind == "mask")
        assert np.array_equal(grounding_targets.target(each).inside, mask > 0)


def test_a_thing_without_a_mask_is_its_box(scene):
    bare = Instance(id=1, category="cup", region=Region(x=10.5, y=20, width=30, height=10), area=300)
    target = grounding_targets.target(row(item(), scene(bare)))
    assert target.inside[20:30, 10:41].all()
    assert target.covered == pytest.approx(31 * 10 / 100**2)
    assert target.boxes.tolist() == [[10.5, 20, 30, 10]]


def test_an_absence_and_a_mark_have_no_place_to_be_asked_for(scene, thing):
    cup = scene(thing("cup", 10, 10, id=1))
    assert grounding_targets.left_out(row(item(evidence=()), cup)) == grounding_targets.ABSENCE
    assert grounding_targets.left_out(row(item(mark=(5.0, 5.0)), cup)) == grounding_targets.MARKED
    assert grounding_targets.left_out(row(item(), cup)) == ""


def test_a_question_that_names_a_joint_is_about_what_is_near_it_as_cocos_similarity_has_it(scene, person):
    """Held against what COCO's evaluation itself says of a detection that is off by so much."""
    target = grounding_targets.target(row(item("visibility", ("person", "left wrist")), scene(person)))
    x, y = ARM["left_wrist"]
    for off in range(-9, 10):
        right = target.inside[y, x + off]
        assert right == (_similarity(person, off + 0.5, 0.5) >= 0.5), off
    assert not target.inside[ARM["left_elbow"][1], ARM["left_elbow"][0]]


def _similarity(person, right, down):
    """OKS, of the wrist alone, of a detection that is off by so many pixels."""
    evaluation = COCOeval(iouType="keypoints")
    flat = [n for joint in person.keypoints for n in (joint.x, joint.y, 2 * (joint.name == "left_wrist"))]
    moved = [n for joint in person.keypoints for n in (joint.x + right, joint.y + down, 2)]
    evaluation._gts = {(1, 1): [{"keypoints": flat, "area": person.area, "bbox": [40, 10, 40, 80], "num_keypoints": 1}]}
    evaluation._dts = {(1, 1): [{"keypoints": moved, "score": 1.0, "area": person.area, "bbox": [40, 10, 40, 80]}]}
    evaluation.params.useCats = 1
    evaluation._gts, evaluation._dts = map(_defaulted, (evaluation._gts, evaluation._dts))
    return float(evaluation.computeOks(1, 1)[0, 0])


def _defaulted(found):
    from collections import defaultdict

    return defaultdict(list, found)


def test_a_pose_is_shown_by_the_arm_and_not_by_the_rest_of_the_person(scene, person):
    target = grounding_targets.target(row(item("pose", ("person", "left")), scene(person)))
    for x, y in (ARM["left_shoulder"], ARM["left_elbow"], ARM["left_wrist"], (65, 50)):
        assert target.inside[y, x]
    assert not target.inside[20, 45]
    assert 0 < target.covered < person.area / 100**2


def test_boxes_that_look_at_nothing_are_the_whole_image_and_a_quarter_of_it(scene, thing):
    target = grounding_targets.target(
        row(item(), scene(thing("cup", 0, 0, id=1, within=(100, 60)), width=100, height=60))
    )
    fixed = {name: box.tolist() for name, box in grounding_targets.fixed_boxes(target).items()}
    assert fixed == {"whole image": [[0, 0, 100, 60]], "centre box": [[25, 15, 50, 30]]}
