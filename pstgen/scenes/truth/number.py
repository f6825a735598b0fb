"""How many there are of a category: three-valued, from all that is annotated of it."""

from collections.abc import Sequence

from pstgen.core.memo import cache_last
from pstgen.core.records import Instance, Scene, Truth, unknown
from pstgen.scenes import vocabulary
from pstgen.scenes.truth import layout

MIN_AREA = 0.012  # of a photograph; smaller ones may be posters, mirror images, or parts
SPARE = 1  # on photographs one may be annotated twice
MAX_COUNT = 6  # nobody counts more than this at a glance


def at_least(category: str, things: list[Instance], scene: Scene) -> int:
    """How many are plain to see, whatever else there may be; 0 where people count differently."""
    if vocabulary.terms(category).uncounted and not scene.complete:
        return 0
    return sum(layout.is_plain(thing, scene) for thing in things)


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
    reason = _doubt(things, scene) or ("" if scene.complete else _doubt_on_photographs(category, things, scene))
    return unknown(reason) if reason else Truth(str(len(things)))


def _doubt(things: list[Instance], scene: Scene) -> str:
    if any(thing.crowd for thing in things):
        return "a crowd"
    if any(layout.is_tiny(thing, scene) for thing in things):
        return "one is tiny"
    return "too many to count" if len(things) > MAX_COUNT else ""


def _doubt_on_photographs(category: str, things: list[Instance], scene: Scene) -> str:
    terms = vocabulary.terms(category)
    if terms.uncounted or not terms.conspicuous:
        return "one is easily missed, or halved"
    if any(thing.category in terms.alike for thing in scene.instances):
        return "something people call the same is there"
    if any(layout.is_fragment(thing, scene) for thing in things):
        return "of one there is hardly more than a hand"
    if any(thing.area < MIN_AREA * scene.width * scene.height for thing in things):
        return "one is small: a picture, or a reflection?"
    return "" if any(layout.is_plain(thing, scene) for thing in things) else "small or cut off"


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
