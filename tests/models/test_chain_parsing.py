"""A chain is read as it is written, and two of them are compared by names and by boxes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pstgen.models import chain_parsing

TRUTH = chain_parsing.parse("red cup at (0, 0, 10, 10); blue dog at (50, 50, 10, 10); so red")
boxes = st.lists(st.tuples(*[st.integers(0, 50)] * 2, *[st.integers(1, 50)] * 2), min_size=1, max_size=4)


@pytest.mark.parametrize(
    "text", ["", "red cup", "red cup at (0, 0, 10, 10)", "so red", "red cup at (0, 0, 10); so red"]
)
def test_what_lacks_its_end_or_a_thing_is_no_chain(text):
    assert chain_parsing.parse(text) is None


def test_a_thing_too_many_costs_as_much_as_a_thing_too_few():
    few = chain_parsing.parse("red cup at (0, 0, 10, 10); so red")
    assert chain_parsing.names_right(few, TRUTH) == chain_parsing.names_right(TRUTH, few) == 0.5
    assert chain_parsing.overlap(few, TRUTH) == chain_parsing.overlap(TRUTH, few) == 0.5


def test_a_wrong_colour_is_a_wrong_name():
    said = chain_parsing.parse("blue cup at (0, 0, 10, 10); blue dog at (50, 50, 10, 10); so red")
    assert chain_parsing.names_right(said, TRUTH) == 0.5
    assert chain_parsing.overlap(said, TRUTH) == 1.0


def test_no_chain_has_no_name_and_no_box_right():
    assert chain_parsing.names_right(None, TRUTH) == chain_parsing.overlap(None, TRUTH) == 0.0


@settings(deadline=None)  # the first example imports SciPy
@given(boxes, boxes)
def test_matched_iou_is_a_share_the_same_both_ways_and_one_for_the_same_boxes_in_any_order(first, second):
    one, other = np.array(first, float), np.array(second, float)
    iou = chain_parsing.matched_iou(one, other)
    assert 0 <= iou <= 1
    assert iou == pytest.approx(chain_parsing.matched_iou(other, one))
    assert chain_parsing.matched_iou(one, one[::-1]) == pytest.approx(1)
