"""There is a Y. Is there an X?

Needs: categories and instances; on photographs captions too. Known: yes, where one is plain to see; no, where nothing is
annotated, no caption names it, nothing that people call the same is there, and it is of a kind that nobody overlooks (a
detector, where one is named, must be silent as well). Prior: how often there is an X where there is a Y. Options: yes,
no. Evidence: every X; of an absence, the whole image. Words: {thing}, {context}.
"""

from collections.abc import Iterator

from pstgen.core.records import Fact, Scene
from pstgen.questions.families import GqaForm
from pstgen.scenes.truth import layout, presence

GQA = {"given": GqaForm("verify", "obj", "exist", "select: {the_a}->exist: ? [0]", "exist")}


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """Yes or no."""
    return "yes", "no"


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of every category, given each other one that is plainly there."""
    things = layout.by_category(scene)
    truths = presence.by_category(scene)
    evidence = {kind: tuple(thing.id for thing in things.get(kind, ())) for kind in truths}
    given = [kind for kind, truth in truths.items() if truth.answer == "yes"]
    for context in given:
        for kind, truth in truths.items():
            if kind != context:
                yield Fact(
                    scene_id=scene.id,
                    family="existence",
                    form="given",
                    about=(kind, context),
                    truth=truth,
                    evidence=evidence[kind],
                )
