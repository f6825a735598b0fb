"""Two things at once: is the X red and on the left, are there two Xs and a Y?

Needs: what its two parts need. Known: yes, where both parts are; no, where one of them is known to be wrong, whatever the
other is. Prior: how often both hold. Options: yes, no. Evidence: of both parts. Words: {thing}, {colour}, {side},
{number}, {other}.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import product

from pstgen.core.records import Fact, Instance, Item, Scene, Truth, both
from pstgen.questions.families import Question
from pstgen.scenes.truth import colour, layout, number, presence

NUMBERS = ("1", "2", "3")
COLOURED = ("look",)


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """Yes or no."""
    return "yes", "no"


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Join colour and half of each thing that is alone of its kind; join number of one kind and another that is there."""
    yield from _looks(scene)
    ids = {kind: tuple(thing.id for thing in things) for kind, things in layout.by_category(scene).items()}
    there = _there(scene)
    for category, n, counted in _numbers(scene):
        for kind, truth in there.items():
            if kind != category:
                yield _fact(scene, "number", (category, n, kind), both(counted, truth), ids[category] + ids[kind])


def _looks(scene: Scene) -> Iterator[Fact]:
    for category, thing in layout.alone(scene).items():
        if thing.rle and (scene.complete or category not in colour.not_asked()):
            look, half = colour.appearance(thing, scene), layout.half(thing, scene, "horizontal")
            for name, side in product(colour.NAMES, ("left", "right")):
                truth = both(look.shows(name), half.agrees(side))
                yield _fact(scene, "look", (category, name, side), truth, (thing.id,))


def _numbers(scene: Scene) -> Iterator[tuple[str, str, Truth]]:
    """A category, a number, and whether there are exactly so many."""
    for (category, things), n in product(layout.by_category(scene).items(), NUMBERS):
        yield category, n, number.exactly(int(n), category, things, scene)


def _there(scene: Scene) -> dict[str, Truth]:
    """The kinds that are plainly there."""
    truths = {kind: presence.exists(things, scene) for kind, things in layout.by_category(scene).items()}
    return {kind: truth for kind, truth in truths.items() if truth.known}


class Counted:
    """How often each question had each answer in many scenes."""

    def __init__(self) -> None:
        self.looks: Counter[tuple[Question, str]] = Counter()
        # category, number and answer → the other kind
        self.numbers: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)

    def add(self, scene: Scene, /) -> None:
        """Count what `ask` knows of the scene."""
        self.looks.update((fact.question, fact.truth.answer) for fact in _looks(scene) if fact.truth.answer is not None)
        there = list(_there(scene))
        for category, n, counted in _numbers(scene):
            if counted.answer is not None:
                self.numbers[category, n, counted.answer].update(there)

    def tally(self, /) -> Iterator[tuple[tuple[Question, str], int]]:
        """Every question with its answer, and how often it was given."""
        yield from self.looks.items()
        for (category, n, answer), kinds in self.numbers.items():
            for kind, times in kinds.items():
                if kind != category:
                    yield (("combination", "number", (category, n, kind)), answer), times


def _fact(scene: Scene, form: str, about: tuple[str, ...], truth: Truth, evidence: tuple[int, ...]) -> Fact:
    return Fact(scene_id=scene.id, family="combination", form=form, about=about, truth=truth, evidence=evidence)


def steps(item: Item, instances: Sequence[Instance], /) -> Iterator[str]:
    """How many they are, where the question names a number."""
    if item.form == "number":
        yield number.sum_phrase(item.about[0], instances)
