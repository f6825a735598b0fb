"""One file, one family of questions. A family *asks*."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple, Protocol

from pstgen.core import plugins
from pstgen.core.records import Fact, Instance, Item, Scene

Question = tuple[str, str, tuple[str, ...]]  # family, form and words: what twins must share
ANYWHERE = " at all"  # ends the name of a form that is counted without its context, and never asked


class Family(Protocol):
    """What a module in this folder defines.

    It may define more, where it knows more: `steps(item, instances)` yields what the family looks at beside the boxes, as
    phrases of the item's perceptual chain; `COLOURED` names the forms whose answer goes by colours; `GQA` maps forms to
    their programs; `CONTEXTS` names the forms whose last word is a thing in the picture that makes one expect an answer;
    `expected_of(form, about, answer)` names the question whose counts say how far an answer is expected, and its answer,
    where that is another question; `choose(scene, item)` yields the fact of a form whose options are not known before its
    pair is, so that `ask` cannot know it; `Counted()` counts known facts of many scenes, where there are too many to be made.
    """

    def ask(self, scene: Scene, /) -> Iterator[Fact]:
        """Every fact of the scene that this family could ask about, unknown ones included."""
        ...

    def answers(self, form: str, about: tuple[str, ...], /) -> tuple[str, ...]:
        """Everything that can be the answer to such a question, in its natural order."""
        ...


class GqaForm(NamedTuple):
    """How GQA puts a form of question: its type and its program, in GQA's own names.

    program: {a} and {b} are the words that fill the question; {the_a} and {the_b} are objects, with their ids. attribute:
    what the answer tells of the first object, or, where the program holds {b}, whether {b} is that; "" for what concerns
    more than one object or none of GQA's attributes.
    """

    structural: str
    semantic: str
    detailed: str
    program: str
    attribute: str = ""


class Counted(Protocol):
    """Counts what a family knows of many scenes."""

    def add(self, scene: Scene, /) -> None:
        """Count what `ask` knows of the scene."""
        ...

    def tally(self, /) -> Iterator[tuple[tuple[Question, str], int]]:
        """Every question with its answer, as `priors.count` counts them, and how often it was given."""
        ...


def load(name: str) -> Family:
    """The family of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Family = plugins.load("families", name)
    return plugin


def counted(name: str) -> Counted | None:
    """What counts the family's facts without making them, where it has that."""
    made: Callable[[], Counted] | None = getattr(load(name), "Counted", None)
    return made() if made else None


def steps(item: Item, instances: Sequence[Instance]) -> Iterator[str]:
    """What the item's family looks at beside the boxes of the instances in question."""
    phrases: Callable[[Item, Sequence[Instance]], Iterator[str]] | None = getattr(load(item.family), "steps", None)
    return phrases(item, instances) if phrases else iter(())


def fact_of(item: Item, scene: Scene) -> Fact | None:
    """What the item asks of the scene, worked out anew; None where its family asks no such thing of it."""
    family = load(item.family)
    choose: Callable[[Scene, Item], Iterator[Fact]] | None = getattr(family, "choose", None)
    asked_of_scene = (
        fact for fact in family.ask(scene) if (fact.form, fact.about, fact.mark) == (item.form, item.about, item.mark)
    )
    return next(asked_of_scene, None) or next(choose(scene, item) if choose else iter(()), None)


def goes_by_colours(family: str, form: str) -> bool:
    """Does the answer go by colours, which a label drawn into a photograph would change?"""
    forms: tuple[str, ...] = getattr(load(family), "COLOURED", ())
    return form in forms


def without_context(question: Question) -> Question | None:
    """The question that is counted once a scene, whatever else is there; None where its words name no context.

    >>> without_context(("existence", "given", ("mouse", "keyboard")))
    ('existence', 'given at all', ('mouse',))
    """
    family, form, about = question
    return (family, f"{form}{ANYWHERE}", about[:-1]) if form in _contexts(family) else None


@cache
def _contexts(family: str) -> tuple[str, ...]:
    forms: tuple[str, ...] = getattr(load(family), "CONTEXTS", ())
    return forms


def expected_of(question: Question, answer: str) -> tuple[Question, str]:
    """The question whose counts say how far that answer is expected, and the answer to it: mostly the same."""
    family, form, about = question
    other: Callable[[str, tuple[str, ...], str], tuple[Question, str]] | None
    other = getattr(load(family), "expected_of", None)
    return other(form, about, answer) if other else (question, answer)


def gqa_forms(family: str) -> Mapping[str, GqaForm]:
    """The family's forms that GQA has programs for."""
    forms: Mapping[str, GqaForm] = getattr(load(family), "GQA", {})
    return forms
