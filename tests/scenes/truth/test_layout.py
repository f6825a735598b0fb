"""Where one thing is from another is known where one axis is clear and along the other they are level."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pstgen.scenes.truth import layout

OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}


@pytest.mark.parametrize(
    ("x", "y", "answer"),
    [(10, 40, "left"), (70, 40, "right"), (40, 10, "above"), (40, 70, "below"), (10, 49, "left"), (10, 52, None), (10, 10, None), (70, 70, None), (42, 42, None)],
)  # fmt: skip
def test_of_a_thing_in_the_middle_another_is_beside_or_above_or_below(scene, thing, x, y, answer):
    a, b = thing("cup", x, y, id=1), thing("dog", 40, 40, id=2)
    assert layout.where(a, b, scene(a, b)).answer == answer


places = st.tuples(st.integers(0, 70), st.integers(0, 70), st.integers(5, 30), st.integers(5, 30))


@given(places, places)
def test_where_agrees_with_the_side_and_is_turned_round_with_the_things(scene, thing, first, second):
    a, b = thing("cup", *first, id=1), thing("dog", *second, id=2)
    both = scene(a, b)
    truth = layout.where(a, b, both)
    if truth.known:
        axis = "horizontal" if truth.answer in {"left", "right"} else "vertical"
        assert layout.side(a, b, both, axis) == truth
        assert layout.where(b, a, both).answer == OPPOSITE[truth.answer]
    else:
        assert not layout.where(b, a, both).known


@given(places, places)
def test_a_mirror_swaps_left_and_right_and_nothing_else(scene, thing, first, second):
    a, b = thing("cup", *first, id=1), thing("dog", *second, id=2)
    mirrored = [replace(t, region=msgspec.structs.replace(t.region, x=100 - t.region.right)) for t in (a, b)]
    swap = {"left": "right", "right": "left"}
    truth = layout.where(a, b, scene(a, b)).answer
    assert layout.where(*mirrored, scene(*mirrored)).answer == swap.get(truth, truth)


@pytest.mark.parametrize(("thing_is", "picture_is", "plain"), [(30, 30, False), (30, 200, True), (200, 30, True)])
def test_a_dark_thing_in_a_dark_photograph_is_not_plain(thing, scene, tmp_path, thing_is, picture_is, plain):
    dog = thing("dog", 20, 20, 30, 30)
    pixels = np.full((100, 100, 3), picture_is, np.uint8)
    pixels[20:50, 20:50] = thing_is
    Image.fromarray(pixels).save(tmp_path / "dog.png")
    photograph = replace(scene(dog, complete=False, captions=("A dog.",)), path=str(tmp_path / "dog.png"))
    assert layout.is_plain(dog, photograph) == plain
    assert layout.is_plain(dog, replace(photograph, path=""))


@pytest.mark.parametrize(
    ("x", "captions", "plain"),
    [(0, ("A kitchen.",), False), (20, ("A kitchen.",), True), (0, ("A refrigerator.",), True), (0, (), True)],
)
def test_what_the_edge_cuts_off_and_no_caption_names_is_not_plain(scene, thing, x, captions, plain):
    """Of a refrigerator one may see a grey side."""
    side = thing("refrigerator", x, 10, 40, 60)
    assert layout.is_plain(side, scene(side, complete=False, captions=captions)) == plain


@pytest.mark.parametrize(
    ("category", "caption", "plain"),
    [("giraffe", "Toys: a giraffe and a bull.", False), ("giraffe", "A giraffe.", True), ("cup", "A cup and a toy.", True)],
)  # fmt: skip
def test_where_a_caption_speaks_of_toys_an_animal_may_be_one(scene, thing, category, caption, plain):
    animal = thing(category, 20, 20, 30, 30)
    assert layout.is_plain(animal, scene(animal, complete=False, captions=(caption,))) == plain
