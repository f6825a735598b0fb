"""How many Xs are there? Are there exactly two?

Needs: instances. Known: up to six, none of them tiny or a crowd; on photographs also of a kind that all people count
alike. "Exactly n" is known to be false as soon as more than n are plain to see. Prior: how many there usually are.
Options: four numbers, or yes and no. Evidence: every X. Words: {thing}, {number}.
"""

from collections.abc import Iterator, Sequence

from pstgen.core.records import Fact, Instance, Item, Scene
from pstgen.questions.families import GqaForm
from pstgen.scenes.truth import layout, number

NAMED = ("1", "2", "3", "4")  # numbers that a question names
EXACTLY = "select: {the_a}->count: ? [0]->verify number: {b} [1]"
GQA = {  # GQA itself asks for no numbers
    "many": GqaForm("query", "obj", "count", "select: {the_a}->count: ? [0]", "number"),
    "exactly": GqaForm("verify", "obj", "countVerify", EXACTLY, "number"),
}


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """One to six, or yes and no."""
    if form == "exactly":
        return "yes", "no"
    return tuple(str(n) for n in range(1, number.MAX_COUNT + 1))


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of every category that is there, openly and for each small number."""
    for category, things in layout.by_category(scene).items():
        questions = [
            ("many", (category,), number.count(category, things, scene)),
            *(("exactly", (category, n), number.exactly(int(n), category, things, scene)) for n in NAMED),
        ]
        for form, about, truth in questions:
            evidence = tuple(thing.id for thing in things)
            yield Fact(scene_id=scene.id, family="count", form=form, about=about, truth=truth, evidence=evidence)


def steps(item: Item, instances: Sequence[Instance], /) -> Iterator[str]:
    """How many they are."""
    yield number.sum_phrase(item.about[0], instances)
