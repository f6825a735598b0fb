"""A place is read in the forms that models write, in the unit of the form, and what is no place is none."""

import pytest

from pstgen.evaluation import places

SIZE = (640, 480)

POINTS = {
    "[250, 500]": "plain numbers",
    "It is at (250, 500), on the table.": "in a sentence",
    "250, 500": "numbers alone",
    '[{"point_2d": [250, 500], "label": "cup"}]': "Qwen",
    '```json\n{"x": 250, "y": 500}\n```': "an object",
    '<point x="25.0" y="50.0" alt="cup">cup</point>': "Molmo",
    '<points coords="1 1 250 500" alt="cup">cup</points>': "Molmo 2",
    '[{"point": [500, 250], "label": "cup"}]': "Gemini, rows first",
    "<loc0512><loc0256> cup": "PaliGemma, rows first",
    "cup<loc_250><loc_500>": "Florence-2",
    "[0.25, 0.5]": "fractions, by what they are",
    "<think>[1, 1]?</think>[250, 500]": "after a thought",
    "[1, 1] or <answer>[250, 500]</answer>": "in a tag",
}
BOXES = {
    "[100, 200, 300, 400]": "plain numbers",
    "<box>[[100, 200, 300, 400]]</box>": "InternVL",
    "cup<box>(100,200),(300,400)</box>": "Qwen-VL",
    "(100,200),(300,400)": "the same, special tokens left out",
    '```json\n[{"bbox_2d": [100, 200, 300, 400], "label": "cup"}]\n```': "Qwen2.5-VL's form",
    '{"box_2d": [200, 100, 400, 300]}': "Gemini, rows first",
    "cup at (64, 96, 128, 96); so yes": "a chain, x, y, width and height in pixels",
    "cup<loc_100><loc_200><loc_300><loc_400>": "Florence-2",
    "[0.1, 0.2, 0.3, 0.4]": "fractions",
}


@pytest.mark.parametrize("text", POINTS, ids=POINTS.values())
def test_a_point_is_read_in_every_form(text):
    (point,) = places.read(text, "point", SIZE)
    assert point == pytest.approx((0.25, 0.5))


@pytest.mark.parametrize("text", BOXES, ids=BOXES.values())
def test_a_box_is_read_in_every_form(text):
    (box,) = places.read(text, "box", SIZE)
    assert box == pytest.approx((0.1, 0.2, 0.3, 0.4))


def test_the_location_tokens_of_paligemma_are_1024ths_top_first():
    (box,) = places.read("<loc0256><loc0128><loc0768><loc1023> cup", "box", SIZE)
    assert box == pytest.approx((0.125, 0.25, 1023 / 1024, 0.75))


def test_every_place_that_is_named_is_read():
    several = '<points x1="10" y1="20" x2="30" y2="40" alt="cups">'
    assert places.read(several, "point", SIZE) == [(0.1, 0.2), (0.3, 0.4)]
    assert places.read('<points coords="1 1 073 160 2 173 600">', "point", SIZE) == [(0.073, 0.16), (0.173, 0.6)]
    assert places.read("[[0, 0, 100, 100], [500, 500, 600, 600]]", "box", SIZE) == [
        (0, 0, 0.1, 0.1),
        (0.5, 0.5, 0.6, 0.6),
    ]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("point", ""),
        ("point", "On the left."),
        ("point", "There are 2 cups."),
        ("point", "[100, 200, 300, 400]"),  # a box is no point
        ("point", "[100, 200"),
        ("point", "[x, y]"),
        ("point", "<think>[250, 500]"),
        ("point", '<points coords="1 1 250">'),
        ("point", "<loc0512>"),
        ("box", "[250, 500]"),  # a point is no box
        ("box", "<loc0512><loc0256>"),
        ("box", "100, 200, 300"),
    ],
)
def test_what_is_no_place_is_none(place, text):
    assert places.read(text, place, SIZE) is None


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("thousandths", "[250, 500]"),
        ("pixels", "[160, 240]"),
        ("percent", "[25, 50]"),
        ("fraction", "[0.25, 0.5]"),
        ("locations", "[256, 512]"),
        ("pixels", '<point x="160" y="240">'),
    ],
)
def test_a_unit_that_the_user_names_stands_above_that_of_the_form(unit, text):
    assert places.read(text, "point", SIZE, given=unit) == [(0.25, 0.5)]


def test_plain_numbers_are_read_in_the_unit_that_was_asked_for():
    assert places.read("[160, 240]", "point", SIZE, wanted="pixels") == [(0.25, 0.5)]
    assert places.read('<point x="25" y="50">', "point", SIZE, wanted="pixels") == [(0.25, 0.5)]


@pytest.mark.parametrize("unit", places.UNITS)
@pytest.mark.parametrize("place", places.PROMPTS)
def test_a_prompt_has_the_question_and_what_is_to_be_given(unit, place):
    said = places.prompt("Is there a {cup}?", place, unit, SIZE)
    assert said.startswith("Is there a {cup}? Where is what shows the answer?")
    assert {"point": "[x, y]", "box": "[left, top, right, bottom]"}[place] in said
    assert ("640 wide and 480 high" in said) == (unit == "pixels")
