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
        for n in NAMED:
            told = number if not number.known else Truth("yes" if number.answer == n else "no")
            questions.append(("exactly", (category, n), told))
        for form, about, truth in questions:
            evidence = tuple(thing.id for thing in things)
            yield Fact(scene_id=scene.id, family="count", form=form, about=about, truth=truth, evidence=evidence)


def count(category: str, things: list[Instance], scene: Scene) -> Truth:
    """How many are annotated, where every one of them is plain to see and nothing could be counted with them."""
    if any(thing.crowd for thing in things):
        return unknown("a crowd")
    if any(layout.is_tiny(thing, scene) for thing in things):
        return unknown("one is tiny")
    if len(things) > MOST:
        return unknown("too many to count")
    if not scene.complete and any(thing.category in words.vocabulary(category).alike for thing in scene.instances):
        return unknown("something people call the same is there")
    return Truth(str(len(things)))
