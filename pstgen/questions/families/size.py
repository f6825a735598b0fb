"""Which of two things takes up more of the picture?

Needs: masks and boxes of two things that are alone of their kinds and whole in the image. Known: where one is half as
large again as the other, by mask and by box. Prior: which is usually larger. Options: the two. Evidence: both.
Words: {thing}, {other}.
"""

from collections.abc import Iterator, Sequence

from pstgen.core.records import Fact, Instance, Item, Scene
from pstgen.questions import comparison
from pstgen.questions.families import GqaForm
from pstgen.scenes import vocabulary
from pstgen.scenes.truth import layout

LARGER = "select: {the_a}->select: {the_b}->choose larger: {a}|{b} [0, 1]"
GQA = {"larger": GqaForm("compare", "attr", "comparativeChoose", LARGER)}  # GQA itself compares no sizes in the image


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """The two things."""
    return tuple(map(vocabulary.spoken, about))


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of every two things that are alone of their kinds, once."""
    return comparison.facts(scene, "size", "larger", lambda a, b: layout.larger(a, b, scene))


def steps(item: Item, instances: Sequence[Instance], /) -> Iterator[str]:  # noqa: ARG001
    """How much of the image each of them covers."""
    yield from (f"{vocabulary.describe(thing)} covers {thing.area:.0f} pixels" for thing in instances)
