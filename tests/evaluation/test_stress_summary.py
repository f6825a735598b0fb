"""A result in sentences says what was won beside a coin, what the model guesses, and what is missing."""

import pytest

from pstgen.evaluation import stress_summary
from pstgen.evaluation.grounding import Chance, GroundedGroup, GroundedItem, GroundingResult, Mean
from pstgen.evaluation.stress_result import CollateralResult, Figure, Group, StressResult


def figure(share, n=50):
    return Figure(share, share / 2, (1 + share) / 2, 0, 1, n)


def said(more=None, **fields):
    figures = {"pairs": figure(0.4), "items": figure(0.7), "invalid_rate": figure(0.0)} | (more or {})
    plain = {
        "format": 1, "pstgen": "", "model": "eye", "revision": "", "way": "", "set_seal": "", "selected_by": False, "items": 100,
        "answered": 100, "incomplete": 0, "won": {}, "answers": {}, "blind": {}, "neutral": {},
    }  # fmt: skip
    return list(stress_summary.lines(StressResult(groups=[Group("all", "all", 0.25, figures)], **plain | fields)))


WON = "eye wins 40.0% [20.0, 70.0] of 50 pairs; a coin thrown for each picture wins 25.0%, words alone none."


def test_of_a_whole_result_only_what_was_won_is_said():
    assert said() == [WON]


@pytest.mark.parametrize(
    ("more", "fields", "line"),
    [
        ({"blind/control": figure(0.9), "blind/stress": figure(0.1)}, {}, "right on 90.0% of the control twins"),
        (
            {"flip_rate": figure(0.2, 30)},
            {},
            "Misleading words change 20.0% of its answers to the same image (30 items).",
        ),
        ({"invalid_rate": figure(0.03)}, {}, "3.0% of its answers name no option, or several; they count as wrong."),
        ({}, {"selected_by": True}, "It was a judge of this set"),
        ({}, {"answered": 1_240, "items": 2_000}, "1,240 of the set's 2,000 items were answered."),
        ({}, {"incomplete": 1_007}, "1,007 pairs lack an answer to a twin, and no figure counts them."),
    ],
)
def test_each_thing_that_a_reader_should_know_has_its_sentence(more, fields, line):
    first, second = said(more, **fields)
    assert first == WON
    assert line in second


def grounded(place="point", iou=None, chance=None, other=None, text="On the left, I think.", **more):
    figures = {"pairs": figure(0.4), "items": figure(0.5), "invalid": figure(0.0), "outside": figure(0.0)}
    shares = {name: more.pop(name) for name in list(more) if name in figures}
    chance = chance or {"random point": Chance(0.01, 0.05)}
    group = GroundedGroup(kind="all", name="all", iou=iou, chance=chance, **figures | shares)
    plain = {
        "format": 1, "pstgen": "", "model": "eye", "revision": "", "place": place, "coordinates": "thousandths", "set_seal": "",
        "items": 100, "left_out": {}, "incomplete": 0, "other_units": other or {"thousandths": 0.5}, "grounded": {},
        "answers": {"a-a": GroundedItem(text, None, right=False)},
    }  # fmt: skip
    return list(stress_summary.grounded_lines(GroundingResult(groups=[group], **plain | more)))


GROUNDED = [
    "eye grounds 40.0% [20.0, 70.0] of 50 pairs: every twin's point lies on what shows the answer.",
    "Random points would be right on 1.0% of pairs and 5.0% of items.",
]


def test_of_points_that_are_all_read_what_was_grounded_and_what_is_chance_are_said():
    assert grounded() == GROUNDED


def test_of_boxes_their_iou_and_that_of_boxes_that_look_at_nothing_are_said():
    fixed = {"whole image": Chance(0, 0.02, 0.06), "centre box": Chance(0, 0, 0.1)}
    assert grounded("box", Mean(0.6, 0.5, 0.7, 80), fixed) == [
        "eye grounds 40.0% [20.0, 70.0] of 50 pairs: every twin's boxes fit what shows the answer.",
        "The whole image, as the answer to all, would be right on 0.0% of pairs and 2.0% of items, at a mean IoU of 6.0%.",
        "The centre box, as the answer to all, would be right on 0.0% of pairs and 0.0% of items, at a mean IoU of 10.0%.",
        "The mean IoU of its boxes is 60.0% [50.0, 70.0]; 50% is needed for right.",
    ]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"invalid": figure(0.03)}, "3.0% of its answers name no point that can be read; they count as wrong."),
        ({"outside": figure(0.03)}, "3.0% of its answers lie outside the image; they count as wrong."),
        ({"other": {"pixels": 1.0}}, "Read in pixels, 100.0% of its answers would be right, not 50.0%"),
        ({"left_out": {"it is an absence": 12}}, "12 of 100 items were left out: it is an absence."),
        ({"incomplete": 1_007}, "1,007 pairs lack an answer to a twin, and no figure counts them."),
    ],
)
def test_each_thing_about_places_that_a_reader_should_know_has_its_sentence(fields, line):
    first, second, third = grounded(**fields)
    assert [first, second] == GROUNDED
    assert line in third


def test_a_unit_that_is_little_better_is_not_worth_a_line():
    assert grounded(other={"pixels": 0.59}) == GROUNDED


def test_who_names_hardly_any_place_is_shown_in_its_own_words():
    _, _, invalid, sample = grounded(invalid=figure(0.9), text="On the\nleft, " + "I think " * 20)
    assert "90.0% of its answers name no point" in invalid
    assert "It says, for one: 'On the left, I think" in sample
    assert len(sample) < 160


def test_flips_beside_an_edit_have_their_sentence():
    shares = {"flip": figure(0.2, 30), "right": figure(0.8, 60), "invalid_rate": figure(0, 60)}
    found = CollateralResult(40, {"it is a mirror": 10}, shares, {}, {})
    assert said(collateral=found)[1:] == [
        (
            "Asked what the edit does not touch, it answers twins differently in 20.0% [10.0, 60.0] of 30 edited pairs, and is "
            "right on 80.0% [40.0, 90.0] of these items."
        ),
        "10 of 40 edited pairs have no such question: it is a mirror.",
    ]
