"""There is a Y. Is there an X?"""

from collections.abc import Iterator

from pstgen.records import Fact, Instance, Scene, Truth, unknown
from pstgen.truth import layout, words


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """Yes or no."""
    return "yes", "no"


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of every category, given each other one that is plainly there."""
    things = layout.by_category(scene)
    truths = {kind: exists(kind, things.get(kind, []), scene) for kind in scene.categories}
    given = [kind for kind, truth in truths.items() if truth.answer == "yes"]
    for context in given:
        for kind, truth in truths.items():
            if kind != context:
                evidence = tuple(thing.id for thing in things.get(kind, ()))
                yield Fact(
                    scene_id=scene.id,
                    family="existence",
                    form="given",
                    about=(kind, context),
                    truth=truth,
                    evidence=evidence,
                )


def exists(category: str, things: list[Instance], scene: Scene) -> Truth:
    """Is there at least one? Yes where one is plain to see; no only where several witnesses are silent."""
    if not things:
        return _absent(category, scene)
    if not any(layout.is_plain(thing, scene) for thing in things):
        return unknown("there, but small, cut off or a crowd")
    return Truth("yes")


def _absent(category: str, scene: Scene) -> Truth:
    if scene.complete:
        return Truth("no")
    if words.mentioned(category, scene):
        return unknown("not annotated, but a caption names it")
    known = words.vocabulary(category)
    if any(thing.category in known.alike for thing in scene.instances):
        return unknown("not annotated, but something people call the same is")
    if not scene.captions or not known.conspicuous:
        return unknown("not annotated, but easily missed")
    return Truth("no")
