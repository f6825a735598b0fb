"""How many Xs are there? Are there exactly two?"""

from collections.abc import Iterator

from pstgen.records import Fact, Instance, Scene, Truth, unknown
from pstgen.truth import layout, words

MOST = 6  # more than this nobody counts at a glance
NAMED = ("1", "2", "3", "4")  # numbers that a question names


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """One to six, or yes and no."""
    if form == "exactly":
        return "yes", "no"
    return tuple(str(n) for n in range(1, MOST + 1))


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of every category that is there, openly and for each small number."""
    for category, things in layout.by_category(scene).items():
        number = count(category, things, scene)
        questions: list[tuple[str, tuple[str, ...], Truth]] = [("many", (category,), number)]
        sure = at_least(category, things, scene)
        for n in NAMED:
            told = Truth("no") if sure > int(n) else number
            if number.known:
                told = Truth("yes" if number.answer == n else "no")
            questions.append(("exactly", (category, n), told))
        for form, about, truth in questions:
            evidence = tuple(thing.id for thing in things)
            yield Fact(scene_id=scene.id, family="count", form=form, about=about, truth=truth, evidence=evidence)


def at_least(category: str, things: list[Instance], scene: Scene) -> int:
    """How many are plain to see, whatever else there may be; 0 where one person counts otherwise than another."""
    if words.vocabulary(category).uncounted and not scene.complete:
        return 0
    return sum(layout.is_plain(thing, scene) for thing in things)


def count(category: str, things: list[Instance], scene: Scene) -> Truth:
    """How many are annotated, where every one of them is plain to see and nothing could be counted with them."""
    reason = _doubt(things, scene) or ("" if scene.complete else _doubt_on_photographs(category, things, scene))
    return unknown(reason) if reason else Truth(str(len(things)))


def _doubt(things: list[Instance], scene: Scene) -> str:
    if any(thing.crowd for thing in things):
        return "a crowd"
    if any(layout.is_tiny(thing, scene) for thing in things):
        return "one is tiny"
    return "too many to count" if len(things) > MOST else ""


def _doubt_on_photographs(category: str, things: list[Instance], scene: Scene) -> str:
    known = words.vocabulary(category)
    if known.uncounted or not known.conspicuous:
        return "one is easily missed, or halved"
    if any(thing.category in known.alike for thing in scene.instances):
        return "something people call the same is there"
    if any(layout.in_part(thing, scene) for thing in things):
        return "of one there is hardly more than a hand"
    return "" if any(layout.is_plain(thing, scene) for thing in things) else "small or cut off"
