"""A number is known only where everybody counts the same."""

from dataclasses import replace

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from pstgen.core.records import Keypoint
from pstgen.scenes.truth import number


def counted(scene, category, things, *captions):
    photo = scene(*things, complete=False, captions=captions)
    return number.count(category, list(things), photo)


@pytest.fixture
def people(thing):
    """So many people apart from each other, with heads."""
    nose = (Keypoint(name="nose", x=1, y=1, visibility=2),) * 3
    return lambda n: [thing("person", 5 + 30 * k, 20, 20, 60, id=k + 1, keypoints=nose) for k in range(n)]


@pytest.mark.parametrize(
    ("n", "caption", "known"),
    [
        (1, "A person on a slope.", True),
        (1, "A skier, with other people far off.", False),
        (1, "Skiers on a slope.", False),
        (1, "A crowd watches a man.", False),
        (1, "A man and several women.", False),
        (2, "Two people on a slope.", True),
        (2, "People on a slope.", True),
        (2, "A group of people.", False),
        (2, "Three skiers on a slope.", False),
        (3, "Two people on a slope.", False),
        (3, "Two men and a woman.", True),
        (3, "A couple and a dog.", True),
        (3, "Three young people.", True),
        (3, "A crowd of people.", False),
    ],
)
def test_a_caption_that_speaks_of_more_or_of_another_number_makes_it_unknown(scene, people, n, caption, known):
    truth = counted(scene, "person", people(n), caption, "A person.")
    assert truth.answer == (str(n) if known else None)
    assert known or truth.reason == "a caption says another number"


def test_in_drawings_captions_are_not_asked(scene, people):
    things = people(1)
    assert number.count("person", things, scene(*things, captions=("a crowd of people",))).answer == "1"


def test_sheep_are_no_plural_by_themselves(scene, thing):
    sheep = [thing("sheep", 10, 10, 60, 60)]
    assert counted(scene, "sheep", sheep, "A sheep in a field").answer == "1"
    assert not counted(scene, "sheep", sheep, "Several sheep in a field").known
    assert not counted(scene, "sheep", sheep, "Lambs in a field").known


@pytest.mark.parametrize("word", ["mirror", "window", "reflection", "poster", "toy", "statues"])
def test_where_a_caption_names_what_shows_images_of_things_no_number_is_known(scene, people, word):
    assert "mirror" in counted(scene, "person", people(1), f"A person and a {word}").reason


def test_a_teddy_bear_is_a_toy_and_is_counted(scene, thing):
    assert counted(scene, "teddy bear", [thing("teddy bear", 10, 10, 60, 60)], "A toy teddy bear").answer == "1"


def test_a_person_without_a_head_or_a_small_one_at_the_edge_is_not_counted_by_everybody(scene, thing):
    def at_edge(part, width):
        joints = tuple(Keypoint(name=f"left_{part}", x=95, y=40, visibility=2) for _ in range(3))
        return [thing("person", 100 - width, 20, width, 60, keypoints=joints)]

    assert counted(scene, "person", at_edge("ear", 20), "A person").answer == "1"
    assert counted(scene, "person", at_edge("knee", 20), "A person").reason == "one is cut off by the edge"
    assert counted(scene, "person", at_edge("ear", 4), "A person").reason in {
        "one is tiny",
        "one is cut off by the edge",
    }
    assert counted(scene, "dog", [thing("dog", 85, 50, 15, 15)], "A dog").reason == "one is cut off by the edge"


def test_one_bed_annotated_twice_is_not_two(scene, thing):
    twice = [thing("bed", 5, 10, 90, 80, id=1), thing("bed", 5, 30, 80, 60, id=2)]
    assert counted(scene, "bed", twice, "A bed").reason == "two may be one"
    assert number.at_least("bed", twice, scene(*twice, complete=False, captions=("a bed",))) == 1


def test_pieces_of_an_animal_that_lie_along_each_other_are_not_three(scene, thing):
    pieces = [thing("zebra", 10 + 20 * k, 20, 20, 40, id=k + 1) for k in range(3)]
    assert counted(scene, "zebra", pieces, "Zebras").reason == "two may be one"
    apart = [thing("zebra", 10 + 26 * k, 20, 20, 40, id=k + 1) for k in range(3)]
    assert counted(scene, "zebra", apart, "Zebras").answer == "3"


def test_things_that_meet_at_a_corner_are_two(scene, thing):
    corner = [thing("zebra", 10, 10, 30, 30, id=1), thing("zebra", 38, 40, 30, 30, id=2)]
    assert counted(scene, "zebra", corner, "Zebras").answer == "2"


def test_two_people_side_by_side_are_two_if_both_have_heads(scene, thing, people):
    side_by_side = [replace(a, region=b.region, rle=b.rle) for a, b in zip(people(2), (thing("person", 20, 20, 20, 60), thing("person", 40, 20, 20, 60)), strict=True)]  # fmt: skip
    assert counted(scene, "person", side_by_side, "Two people").answer == "2"
    headless = [side_by_side[0], replace(side_by_side[1], keypoints=())]
    assert counted(scene, "person", headless, "Two people").reason == "two may be one"


def test_exactly_so_many_is_not_denied_by_pieces_of_one(scene, thing):
    pieces = [thing("zebra", 5 + 20 * k, 20, 20, 40, id=k + 1) for k in range(4)]
    photo = scene(*pieces, complete=False, captions=("a zebra",))
    assert not number.exactly(1, "zebra", pieces, photo).known
    apart = [thing("zebra", 1 + 25 * k, 20, 20, 40, id=k + 1) for k in range(4)]
    assert number.exactly(1, "zebra", apart, scene(*apart, complete=False, captions=("a zebra",))).answer == "no"


def test_in_drawings_whatever_is_annotated_is_one_more(scene, thing):
    pieces = [thing("zebra", 10 + 20 * k, 20, 20, 40, id=k + 1) for k in range(3)]
    assert number.count("zebra", pieces, scene(*pieces)).answer == "3"


def test_a_bidet_beside_it_makes_the_number_of_toilets_unknown(scene, thing):
    toilet = [thing("toilet", 10, 10, 60, 60)]
    assert counted(scene, "toilet", toilet, "A toilet").answer == "1"
    assert counted(scene, "toilet", toilet, "A toilet and a bidet").reason == "something people call the same is there"


def test_masks_that_are_far_apart_in_one_box_are_two(scene, thing):
    """An outline that goes round the other: the boxes overlap, the masks do not meet."""
    ring = np.zeros((100, 100), np.uint8, order="F")
    ring[5:95, 5:95] = 1
    ring[15:85, 15:85] = 0
    around = replace(thing("zebra", 5, 5, 90, 90, id=1), rle=coco_mask.encode(ring)["counts"])
    assert not number.may_be_one(around, thing("zebra", 40, 40, 20, 20, id=2), scene())
