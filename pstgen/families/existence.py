"""There is a Y. Is there an X?"""

from collections.abc import Iterator

from pstgen.records import Fact, Scene
from pstgen.truth import layout, presence


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """Yes or no."""
    return "yes", "no"


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of every category, given each other one that is plainly there."""
    things = layout.by_category(scene)
    truths = {kind: presence.exists(kind, things.get(kind, []), scene) for kind in scene.categories}
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
