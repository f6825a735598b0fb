"""How many there are of a category: three-valued, from all that is annotated of it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import combinations

import cv2
import numpy as np

from pstgen.core.memo import cache_last
from pstgen.core.records import Instance, Scene, Truth, unknown
from pstgen.scenes import pixels, vocabulary
from pstgen.scenes.truth import layout, skeleton

MIN_AREA = 0.012  # of a photograph; smaller ones may be posters, mirror images, or parts
MIN_CUT_AREA = 0.03  # the same, of what the border cuts off: who sees the end of a tail does not always count it
SPARE = 1  # on photographs one may be annotated twice
MAX_COUNT = 6  # nobody counts more than this at a glance
SAME = 0.5  # of the smaller of two masks, that lies within the other: they may show one thing
ABUTTING = 0.25  # of the smaller one's outline, that lies along the other: they may be pieces of one thing
SEAM = 0.005  # of the image's longer side, that may lie between two such pieces: outlines are rough
NUMERALS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
QUANTITIES = {
    "couple": 2,
    "pair": 2,
    "several": 3,
    "group": 3,
    "herd": 3,
    "flock": 3,
    "bunch": 3,
    "crowd": 7,
    "many": 7,
}
IMAGES = (  # what shows things that are not there: one counts them, another does not
    *("mirror", "mirrors", "reflection", "reflections", "reflected", "reflecting", "window", "windows"),
    *("poster", "posters", "painting", "paintings", "mannequin", "mannequins"),
    *layout.MODELS,
)
TOYS = ("teddy bear",)  # what is a toy itself


def at_least(category: str, things: list[Instance], scene: Scene) -> int:
    """How many are plain to see, whatever else there may be; 0 where people count differently.

    things: all of that category in the scene. On photographs, what may be pieces of one thing counts once.
    """
    least = _least(scene)
    if category not in least:
        least[category] = _at_least(category, things, scene)
    return least[category]


@cache_last
def _least(scene: Scene) -> dict[str, int]:  # noqa: ARG001 (one dictionary a scene)
    """Least numbers of a scene so far, by category."""
    return {}


def _at_least(category: str, things: list[Instance], scene: Scene) -> int:
    if scene.complete:
        return sum(layout.is_plain(thing, scene) for thing in things)
    if vocabulary.terms(category).uncounted:
        return 0
    apart = list[Instance]()
    for thing in things:
        if layout.is_plain(thing, scene) and not any(may_be_one(thing, other, scene) for other in apart):
            apart.append(thing)
    return len(apart)


def count(category: str, things: list[Instance], scene: Scene) -> Truth:
    """How many there are, where nobody would count differently: all of them can be made out, and nothing else is like them.

    things: all of that category in the scene.
    """
    counts = _counts(scene)
    if category not in counts:
        counts[category] = _count(category, things, scene)
    return counts[category]


@cache_last
def _counts(scene: Scene) -> dict[str, Truth]:  # noqa: ARG001 (one dictionary a scene)
    """Counts of a scene so far, by category."""
    return {}


def _count(category: str, things: list[Instance], scene: Scene) -> Truth:
    reason = _doubt(things, scene)
    if not (reason or scene.complete):
        reason = next(_doubts_on_photographs(category, things, scene), "")
    return unknown(reason) if reason else Truth(str(len(things)))


def _doubt(things: list[Instance], scene: Scene) -> str:
    if any(thing.crowd for thing in things):
        return "a crowd"
    if any(layout.is_tiny(thing, scene) for thing in things):
        return "one is tiny"
    return "too many to count" if len(things) > MAX_COUNT else ""


def _doubts_on_photographs(category: str, things: list[Instance], scene: Scene) -> Iterator[str]:
    """Why people may count differently, what costs most to find out last."""
    terms = vocabulary.terms(category)
    if terms.uncounted or not terms.conspicuous:
        yield "one is easily missed, or halved"
    if any(thing.category in terms.alike for thing in scene.instances) or vocabulary.rivalled(category, scene):
        yield "something people call the same is there"
    if any(layout.is_fragment(thing, scene) for thing in things):
        yield "of one there is hardly more than a hand"
    if any(_is_cut_off(thing, scene) for thing in things):
        yield "one is cut off by the edge"
    if any(thing.area < MIN_AREA * scene.width * scene.height for thing in things):
        yield "one is small: a picture, or a reflection?"
    if not any(layout.is_plain(thing, scene) for thing in things):
        yield "small or cut off"
    if category not in TOYS and vocabulary.speak_of(IMAGES, scene):
        yield "a caption names a mirror, a window, a picture or a toy"
    if contradicted(category, len(things), scene):
        yield "a caption says another number"
    if any(may_be_one(a, b, scene) for a, b in combinations(things, 2)):
        yield "two may be one"


def _is_cut_off(thing: Instance, scene: Scene) -> bool:
    """Does the edge cut it off so that not everybody counts it: small, or a person without a head?"""
    if not layout.truncated(thing, scene):
        return False
    headless = bool(thing.keypoints) and not has_head(thing)
    return thing.area < MIN_CUT_AREA * scene.width * scene.height or (thing.category == "person" and headless)


def has_head(person: Instance) -> bool:
    """Is any joint of the head labelled?"""
    return any(joint.visibility and joint.name in skeleton.HEAD for joint in person.keypoints)


def contradicted(category: str, n: int, scene: Scene) -> bool:
    """Does a caption speak of more than `n`, or say another number of them by their own name?

    "two men" of three people may leave one out; "two people" of three does not agree.
    """
    return any(
        least > n or (exact and least != n) for caption in scene.captions for least, exact in numbers(category, caption)
    )


def numbers(category: str, caption: str) -> Iterator[tuple[int, bool]]:
    """How many a caption says there are, at least, and whether that is all of them.

    >>> list(numbers("zebra", "Three young zebras and several birds")), list(numbers("person", "Two men on a bench"))
    ([(3, True)], [(2, False)])
    """
    own = {vocabulary.plural(category), vocabulary.plural(vocabulary.spoken(category))}
    several = vocabulary.terms(category).several
    for match in _counted(category).finditer(caption.lower()):
        word, noun = match["quantity"] or "", match["noun"] or match["plural"]
        least = NUMERALS.get(word) or QUANTITIES.get(word) or several.get(noun, 2)
        yield max(least, several.get(noun, 2)), word in NUMERALS and noun in own


@cache
def _counted(category: str) -> re.Pattern[str]:
    """A noun for several of the category, with the quantity before it, where there is one: up to two words may stand between.

    A noun that is its own plural (sheep) needs a quantity.
    """
    plural = vocabulary.plurals(category) | set(vocabulary.terms(category).several)
    alike = {noun for noun in vocabulary.names(category) if vocabulary.plural(noun) == noun}
    quantities, plural_nouns, nouns = map(_any, ((*NUMERALS, *QUANTITIES), plural, plural | alike))
    quantified = rf"(?P<quantity>{quantities})\s+(?:(?!and\b)[\w-]+\s+){{0,2}}?(?P<noun>{nouns})"
    return re.compile(rf"\b(?:{quantified}|(?P<plural>{plural_nouns}))\b")


def _any(words: Iterable[str]) -> str:
    """A pattern for any of the words, longer ones first."""
    return "|".join(sorted(map(re.escape, words), key=lambda word: (-len(word), word)))


def may_be_one(a: Instance, b: Instance, scene: Scene) -> bool:
    """May two masks of one category show one thing: annotated twice, or in pieces that lie along each other?

    Two people of whom both heads are labelled are two, however close they stand.
    """
    if not (a.rle and b.rle) or _box_gap(a, b) > SEAM * max(scene.width, scene.height) + 1:
        return False
    small, large = sorted((pixels.mask(thing, scene) for thing in (a, b)), key=np.count_nonzero)
    if np.count_nonzero(small & large) >= SAME * np.count_nonzero(small):
        return True
    if has_head(a) and has_head(b):
        return False
    seam = 2 * max(1, round(SEAM * max(scene.width, scene.height))) + 1
    outline = small & ~cv2.erode(small.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0).astype(bool)
    reached = cv2.dilate(large.astype(np.uint8), np.ones((seam, seam), np.uint8)).astype(bool)
    return bool(np.count_nonzero(outline & reached) >= ABUTTING * np.count_nonzero(outline))


def _box_gap(a: Instance, b: Instance) -> float:
    """Pixels between two boxes along the axis on which they are farther apart; 0 or less where they overlap."""
    p, q = a.region, b.region
    return max(max(p.x, q.x) - min(p.right, q.right), max(p.y, q.y) - min(p.bottom, q.bottom))


def exactly(n: int, category: str, things: list[Instance], scene: Scene) -> Truth:
    """Are there exactly `n`? No is known where more than `n` are plain to see, whatever else there may be."""
    number = count(category, things, scene)
    if number.known:
        return Truth("yes" if number.answer == str(n) else "no")
    spare = 0 if scene.complete else SPARE
    return Truth("no") if at_least(category, things, scene) > n + spare else number


def sum_phrase(category: str, things: Sequence[Instance]) -> str:
    """How many of the category are among them, as a phrase: "that makes 2 cups"."""
    n = sum(thing.category == category for thing in things)
    noun = vocabulary.spoken(category)
    return f"that makes {n} {noun if n == 1 else vocabulary.plural(noun)}"
