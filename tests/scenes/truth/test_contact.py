"""A mark lies on a thing where its mask holds the point well inside, and nothing else's does."""

from dataclasses import replace

import pytest

from pstgen.scenes.truth import contact


@pytest.fixture
def lawn(thing, scene):
    """A dog on the left, a cat on the right of which a ball covers the middle."""
    return scene(thing("dog", 10, 30, 30, 40), thing("cat", 50, 30, 40, 40), thing("sports ball", 65, 45, 10, 10))


@pytest.mark.parametrize(
    ("x", "y", "found"),
    [(0.25, 0.5, "dog"), (0.55, 0.35, "cat"), (0.7, 0.5, None), (0.105, 0.5, None), (0.45, 0.1, None), (0.95, 0.95, None)],
)  # fmt: skip
def test_the_thing_at_a_point_is_plain_or_none(lawn, x, y, found):
    assert contact.thing_at(x, y, lawn) == found


def test_on_photographs_the_point_lies_deeper_and_on_nothing_hollow(lawn, thing, scene):
    photo = replace(lawn, complete=False)
    assert contact.thing_at(0.125, 0.5, lawn) == "dog"
    assert contact.thing_at(0.125, 0.5, photo) is None
    assert contact.thing_at(0.25, 0.5, photo) == "dog"
    bicycle = scene(thing("bicycle", 10, 10, 60, 60))
    assert contact.thing_at(0.4, 0.4, bicycle) == "bicycle"
    assert contact.thing_at(0.4, 0.4, replace(bicycle, complete=False)) is None


def test_a_crowd_or_a_box_without_a_mask_shows_no_plain_thing(thing, scene):
    assert contact.thing_at(0.4, 0.4, scene(thing("dog", 10, 10, 60, 60, crowd=True))) is None
    assert (
        contact.thing_at(0.4, 0.4, scene(thing("dog", 10, 10, 60, 60), replace(thing("cat", 30, 30), rle=b""))) is None
    )


def test_where_a_thing_is_at_a_point_it_lies_on_that_kind_and_on_no_other(lawn):
    lies_on = contact.hit_test(0.25, 0.5, lawn)
    assert {kind: lies_on(kind).answer for kind in ("dog", "cat", "sports ball")} == {
        "dog": "yes",
        "cat": "no",
        "sports ball": "no",
    }


def test_where_a_caption_names_what_may_be_taken_for_it_no_point_is_known_to_lie_on_it(thing, scene):
    toilet = thing("toilet", 10, 10, 60, 60)
    photo = scene(toilet, complete=False, captions=("a toilet and a bidet",))
    assert not contact.hit_test(0.4, 0.4, photo)("toilet").known
    assert contact.hit_test(0.4, 0.4, replace(photo, captions=("a toilet",)))("toilet").answer == "yes"
