"""How many Xs are there? Are there exactly two?

Needs: instances. Known: up to six, none of them tiny or a crowd; on photographs also of a kind that all people count
alike. "Exactly n" is known to be false as soon as more than n are plain to see. Prior: how many there usually are.
Options: four numbers, or yes and no. Evidence: every X. Words: {thing}, {number}.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from pstgen.core.records import Fact, Instance, Item, Scene, Truth
from pstgen.questions.families import GqaForm, Question
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
    for things, form, about, truth in _counts(scene):
        evidence = tuple(thing.id for thing in things)
        yield Fact(scene_id=scene.id, family="count", form=form, about=about, truth=truth, evidence=evidence)


def _counts(scene: Scene) -> Iterator[tuple[list[Instance], str, tuple[str, ...], Truth]]:
    """All things of a category, and each question about them with what is known."""
    for category, things in layout.by_category(scene).items():
        yield things, "many", (category,), number.count(category, things, scene)
        for n in NAMED:
            yield things, "exactly", (category, n), number.exactly(int(n), category, things, scene)


class Counted:
    """How often each question had each answer in many scenes."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[Question, str]] = Counter()

    def add(self, scene: Scene, /) -> None:
        """Count what `ask` knows of the scene."""
        known = ((form, about, truth.answer) for _, form, about, truth in _counts(scene) if truth.answer is not None)
        self.answers.update((("count", form, about), answer) for form, about, answer in known)

    def tally(self, /) -> Iterator[tuple[tuple[Question, str], int]]:
        """Every question with its answer, and how often it was given."""
        yield from self.answers.items()


def steps(item: Item, instances: Sequence[Instance], /) -> Iterator[str]:
    """How many they are."""
    yield number.sum_phrase(item.about[0], instances)
