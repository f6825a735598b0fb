"""One file, one family of questions. A family *asks*."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from pstgen.core import plugins
from pstgen.core.records import Fact, Instance, Item, Scene


class Family(Protocol):
    """What a module in this folder defines.

    It may define more, where it knows more: `steps(item, instances)` yields what the family looks at beside the boxes, as
    phrases of the item's perceptual chain; `COLOURED` names the forms whose answer goes by colours; `GQA` maps forms to
    their programs.
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


def load(name: str) -> Family:
    """The family of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Family = plugins.load("families", name)
    return plugin


def steps(item: Item, instances: Sequence[Instance]) -> Iterator[str]:
    """What the item's family looks at beside the boxes of the instances in question."""
    phrases: Callable[[Item, Sequence[Instance]], Iterator[str]] | None = getattr(load(item.family), "steps", None)
    return phrases(item, instances) if phrases else iter(())


def goes_by_colours(family: str, form: str) -> bool:
    """Does the answer go by colours, which a label drawn into a photograph would change?"""
    forms: tuple[str, ...] = getattr(load(family), "COLOURED", ())
    return form in forms


def gqa_forms(family: str) -> Mapping[str, GqaForm]:
    """The family's forms that GQA has programs for."""
    forms: Mapping[str, GqaForm] = getattr(load(family), "GQA", {})
    return forms
