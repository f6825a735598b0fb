"""A place in words: how a model is asked for a point or a box, and how its answer is read, in the forms that models write."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pstgen.core.config import Coordinates, Place
from pstgen.models.parsing import OPEN_THOUGHT, THOUGHT
from pstgen.rewards import ANSWER, BETWEEN, CORNERS, NUMBER, POINTS, SIDES

Spot = tuple[float, ...]  # a point (x, y) or a box (left, top, right, bottom)
Size = tuple[float, float]  # width, height

PROMPTS: dict[Place, str] = {
    "point": "{question} Where is what shows the answer? Reply only with a point on it, as [x, y] {unit}.",
    "box": "{question} Where is what shows the answer? Reply only with the box around each thing that shows it, "
    "as [left, top, right, bottom] {unit}.",
}
UNITS: dict[Coordinates, str] = {
    "thousandths": "in thousandths of the image's width and height",
    "pixels": "in pixels of the image, which is {width:.0f} wide and {height:.0f} high",
    "percent": "in percent of the image's width and height",
    "fraction": "as fractions of the image's width and height, from 0 to 1",
    "locations": "in 1024ths of the image's width and height",
}
SCALES: dict[Coordinates, float] = {"thousandths": 1000, "percent": 100, "fraction": 1, "locations": 1024}
LENGTHS: dict[Place, int] = {"point": 2, "box": 4}

PAIR = rf"[\[(]\s*{NUMBER}{BETWEEN}{NUMBER}\s*[\])]"
TWO_CORNERS = re.compile(rf"{PAIR}\s*,?\s*{PAIR}")
KEYED = re.compile(rf'"x"\s*:\s*{NUMBER}\s*,\s*"y"\s*:\s*{NUMBER}')
BARE = re.compile(r"[\s,.;\d-]+")  # a text of numbers alone
EACH = re.compile(NUMBER)
TAG = re.compile(r"<points?\b([^<>]*)>")
ATTRIBUTE = re.compile(r"""\b([xy])(\d*)\s*=\s*["']\s*(\d{1,6}(?:\.\d{1,18})?)\s*["']""")
TRIPLETS = re.compile(r"""\bcoords\s*=\s*["']([\d\s]+)["']""")
PADDED = re.compile(r"(?:<loc\d{4}>)+")
BINS = re.compile(r"(?:<loc_\d{1,3}>)+")
ROWS_FIRST = re.compile(rf'"(?:box_2d|point)"\s*:\s*\[\s*({NUMBER}(?:{BETWEEN}{NUMBER})+)\s*\]')


@dataclass(frozen=True, slots=True)
class Form:
    """A way of writing places. spots: those of a text, none where it is not written so; unit: in which; None as asked for."""

    spots: Callable[[str, Place], list[Spot]]
    unit: Coordinates | None = None


def prompt(question: str, place: Place, unit: Coordinates, size: Size) -> str:
    """The text that a model is given. size: width and height of the picture in pixels, as the model sees it.

    >>> prompt("Is there a dog?", "point", "percent", (640, 480))[:74]
    'Is there a dog? Where is what shows the answer? Reply only with a point on'
    """
    width, height = size
    return PROMPTS[place].format(question=question, unit=UNITS[unit].format(width=width, height=height))


def read(
    text: str, place: Place, size: Size, *, wanted: Coordinates = "thousandths", given: Coordinates | None = None
) -> list[Spot] | None:
    """Every point or box that an answer names, in fractions of width and height; None where it names none that can be read.

    size: width and height in pixels of the picture that pixels refer to. wanted: the unit that was asked for, in which plain
    numbers are read, but as fractions where none is above 1 and one has a decimal point. given: a unit that the user names; it
    stands above that of every form. A thought that is closed does not count, one that is not closed is no answer; what is
    tagged as the answer is the answer.

    The forms: Molmo's <point x="…" y="…"> in percent and <points coords="…"> of Molmo 2 in thousandths (image, then number, x and
    y of each point); <loc0123> of PaliGemma in 1024ths, rows first; <loc_123> of Florence-2 in thousandths; "box_2d" and
    "point" of Gemini in thousandths, rows first; chains' "at (x, y, width, height)" in pixels; and plain numbers, as InternVL's
    [[left, top, right, bottom]], Qwen's "bbox_2d", "point_2d" and (left, top),(right, bottom) have them.

    >>> read("It is at [250, 500].", "point", (640, 480)), read('<point x="25.0" y="50" alt="cup">', "point", (640, 480))
    ([(0.25, 0.5)], [(0.25, 0.5)])
    >>> read("<loc0256><loc0512><loc0512><loc1023> cup", "box", (640, 480)), read("On the left.", "box", (640, 480))
    ([(0.5, 0.25, 0.9990234375, 0.5)], None)
    """
    said = _answer(text)
    for form in FORMS:
        if spots := form.spots(said, place):
            unit = given or form.unit or ("fraction" if _are_fractions(spots) else wanted)
            across, down = size if unit == "pixels" else (SCALES[unit], SCALES[unit])
            return [tuple(n / (across, down)[k % 2] for k, n in enumerate(spot)) for spot in spots]
    return None


def _answer(text: str) -> str:
    """What an answer says in the end; "" where it is still a thought."""
    said = THOUGHT.sub("", text)
    if OPEN_THOUGHT in said:
        return ""
    tagged: list[str] = ANSWER.findall(said)
    return tagged[-1] if tagged else said


def _are_fractions(spots: Sequence[Spot]) -> bool:
    """Are all numbers at most 1, and is one of them between 0 and 1?"""
    numbers = [number for spot in spots for number in spot]
    return all(0 <= number <= 1 for number in numbers) and any(0 < number < 1 for number in numbers)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in EACH.findall(text)]


def _tags(text: str, place: Place) -> list[Spot]:
    """Molmo's <point x="1.5" y="2.5"> and <points x1="1.5" y1="2.5" x2="…" …>."""
    spots: list[Spot] = []
    for tag in TAG.findall(text) if place == "point" else ():
        at: dict[str, dict[str, float]] = {}
        for axis, n, number in ATTRIBUTE.findall(tag):
            at.setdefault(n, {})[axis] = float(number)
        spots += [(each["x"], each["y"]) for each in at.values() if len(each) == 2]
    return spots


def _triplets(text: str, place: Place) -> list[Spot]:
    """Molmo 2's <points coords="1 1 073 160 2 173 600">: the picture's number, then of each point its number, x and y."""
    spots: list[Spot] = []
    for coords in TRIPLETS.findall(text) if place == "point" else ():
        _, *numbers = map(float, coords.split() or ("0",))
        if len(numbers) % 3 == 0:
            spots += zip(numbers[1::3], numbers[2::3], strict=True)
    return spots


def _padded(text: str, place: Place) -> list[Spot]:
    return [_swapped(spot) for spot in _tokens(PADDED, text, place)]


def _bins(text: str, place: Place) -> list[Spot]:
    return _tokens(BINS, text, place)


def _tokens(run: re.Pattern[str], text: str, place: Place) -> list[Spot]:
    """Runs of as many location tokens as a place has numbers."""
    found = [tuple(map(float, re.findall(r"\d+", tokens))) for tokens in run.findall(text)]
    return [spot for spot in found if len(spot) == LENGTHS[place]]


def _rows_first(text: str, place: Place) -> list[Spot]:
    """Gemini's {"box_2d": [top, left, bottom, right]} and {"point": [y, x]}."""
    found = [tuple(_numbers(match[1])) for match in ROWS_FIRST.finditer(text)]
    return [_swapped(spot) for spot in found if len(spot) == LENGTHS[place]]


def _swapped(spot: Spot) -> Spot:
    return tuple(spot[k ^ 1] for k in range(len(spot)))


def _chain(text: str, place: Place) -> list[Spot]:
    """The boxes of a perceptual chain."""
    boxes = [tuple(map(float, found)) for found in SIDES.findall(text)] if place == "box" else []
    return [(x, y, x + width, y + height) for x, y, width, height in boxes]


def _plain(text: str, place: Place) -> list[Spot]:
    """Numbers in brackets, an object's "x" and "y", or a text of nothing but the numbers of one place."""
    patterns = (POINTS, KEYED) if place == "point" else (CORNERS, TWO_CORNERS)
    for pattern in patterns:
        if found := [tuple(map(float, match)) for match in pattern.findall(text)]:
            return found
    numbers = _numbers(text) if BARE.fullmatch(text) else []
    return [tuple(numbers)] if len(numbers) == LENGTHS[place] else []


FORMS = (  # the first that a text is written in
    Form(_tags, "percent"),
    Form(_triplets, "thousandths"),
    Form(_padded, "locations"),
    Form(_bins, "thousandths"),
    Form(_rows_first, "thousandths"),
    Form(_chain, "pixels"),
    Form(_plain),
)
