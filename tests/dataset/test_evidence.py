"""Outlines run around what shows the answer, in pixels; words say it without them; names of items lead nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from pstgen.core.records import Item, Keypoint
from pstgen.dataset import evidence, targets
from pstgen.dataset.rows import Row


@pytest.fixture
def row(scene):
    """A row that asks about these things, in a scene of 100 x 100."""

    def of(*things, wanted=None, chain="", **more):
        shown = scene(*things)
        item = Item(
            item_id="a-1", pair_id="a", role="stress", scene_id=shown.id, image="", form="of", frame="neutral",
            question="?", neutral="?", options=("yes", "no"), answer="yes", lure="no",
            evidence=tuple(each.id for each in things) if wanted is None else wanted,
            **{"family": "existence", "about": ("cup",), **more},
        )  # fmt: skip
        mask = targets.render("mask", item, shown)
        return Row(item=item, scene=shown, image=b"", suffix=".png", targets=(mask,) if mask else (), chain=chain)

    return of


def corners(outline):
    return {tuple(point) for point in outline.tolist()}


def test_an_outline_runs_around_the_evidence_and_leaves_it_untouched(row, thing):
    (outline,) = evidence.outlines(row(thing("cup", 30, 40, 20, 10)))
    assert (outline.min(axis=0) == (29, 39)).all()
    assert (outline.max(axis=0) == (50, 50)).all()
    assert not evidence.mask(row(thing("cup", 30, 40, 20, 10)))[outline[:, 1], outline[:, 0]].any()


def test_what_is_cut_by_the_image_is_outlined_within_it(row, thing):
    (outline,) = evidence.outlines(row(thing("cup", 0, 80, 100, 20)))
    assert (outline.min(axis=0) == (0, 79)).all()
    assert (outline.max(axis=0) == (99, 99)).all()


def test_each_thing_in_question_has_its_outline_and_others_have_none(row, thing):
    cup, dog, chair = thing("cup", 0), thing("dog", 70), thing("chair", 40, 60)
    assert len(evidence.outlines(row(cup, dog, chair, wanted=(cup.id, dog.id)))) == 2


def test_a_thing_without_a_mask_is_outlined_by_its_box(row, thing):
    (outline,) = evidence.outlines(row(replace(thing("cup", 30, 40, 20, 10), rle=b"")))
    assert corners(outline) == {(30, 40), (49, 40), (49, 49), (30, 49)}


def test_an_absence_has_no_outline_no_joint_and_no_mask(row, thing):
    absent = row(thing("cup", 30), wanted=(), chain="no dog anywhere; so no")
    assert evidence.outlines(absent) == evidence.joints(absent) == evidence.things(absent) == []
    assert evidence.path(absent) == ""
    assert evidence.mask(absent) is None
    assert evidence.words(absent) == "no dog anywhere; so no"


def test_a_path_draws_the_outlines(row, thing):
    cup = replace(thing("cup", 30, 40, 20, 10), rle=b"")
    assert evidence.path(row(cup)) == "M30 40l19 0 0 9 -19 0z"
    assert evidence.path(row(cup, thing("dog", 70))).count("z") == 2


@pytest.mark.parametrize(
    ("family", "about", "names"), [("pose", ("person", "left"), ["left_wrist"]), ("count", ("person",), [])]
)
def test_joints_are_those_in_question(row, thing, family, about, names):
    joints = [
        Keypoint(name=name, x=40, y=30, visibility=v) for name, v in (("left_wrist", 1), ("nose", 2), ("left_elbow", 0))
    ]
    person = thing("person", 20, 10, 40, 60, keypoints=tuple(joints))
    assert [joint.name for joint in evidence.joints(row(person, family=family, about=about))] == names


def test_polygons_pass_through_the_outermost_pixels(row, thing):
    cup = thing("cup", 30, 40, 20, 10)
    (polygon,) = evidence.polygons(cup, row(cup).scene)
    assert corners(polygon) == {(30, 40), (49, 40), (49, 49), (30, 49)}


@pytest.mark.parametrize(("width", "height"), [(1, 10), (10, 1), (1, 1)])
def test_a_mask_too_thin_for_a_polygon_gives_its_box(row, thing, width, height):
    line = thing("cup", 30, 40, width, height)
    (polygon,) = evidence.polygons(line, row(line).scene)
    assert polygon.shape == (4, 2)
    assert (np.ptp(polygon, axis=0) == (width - 1, height - 1)).all()


def test_words_have_no_places_and_say_once_what_is_there_several_times(row, thing):
    chain = "cat at (8, 20, 4, 7); cat at (9, 9, 9, 9); the mark at (26, 23); left wrist at (1, 2), seen; so cat"
    assert evidence.words(row(thing("cat", 8), chain=chain)) == "cat (2 times); the mark; left wrist, seen; so cat"
