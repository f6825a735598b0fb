"""Two things at once: is the X red and on the left, are there two Xs and a Y?

Needs: what its two parts need. Known: yes, where both parts are; no, where one of them is known to be wrong, whatever the
other is. Prior: how often both hold. Options: yes, no. Evidence: of both parts. Words: {thing}, {colour}, {side},
{number}, {other}.
"""

from collections.abc import Iterator, Sequence
from itertools import product

from pstgen.core.records import Fact, Instance, Item, Scene, Truth, both
from pstgen.scenes.truth import colour, layout, number, presence

NUMBERS = ("1", "2", "3")
COLOURED = ("look",)


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """Yes or no."""
    return "yes", "no"


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Join colour and half of each thing that is alone of its kind; join number of one kind and another that is there."""
    for category, thing in layout.alone(scene).items():
        if thing.rle and (scene.complete or category not in colour.not_asked()):
            look, half = colour.appearance(thing, scene), layout.half(thing, scene, "horizontal")
            for name, side in product(colour.NAMES, ("left", "right")):
                truth = both(look.shows(name), half.agrees(side))
                yield _fact(scene, "look", (category, name, side), truth, (thing.id,))
    things = layout.by_category(scene)
    truths = {kind: presence.exists(instances, scene) for kind, instances in things.items()}
    ids = {kind: tuple(thing.id for thing in instances) for kind, instances in things.items()}
    for (category, instances), n in product(things.items(), NUMBERS):
        counted = number.exactly(int(n), category, instances, scene)
        for kind in (kind for kind in things if truths[kind].known and kind != category):
            truth = both(counted, truths[kind])
            yield _fact(scene, "number", (category, n, kind), truth, ids[category] + ids[kind])


def _fact(scene: Scene, form: str, about: tuple[str, ...], truth: Truth, evidence: tuple[int, ...]) -> Fact:
    return Fact(scene_id=scene.id, family="combination", form=form, about=about, truth=truth, evidence=evidence)


def steps(item: Item, instances: Sequence[Instance], /) -> Iterator[str]:
    """How many they are, where the question names a number."""
    if item.form == "number":
        yield number.sum_phrase(item.about[0], instances)
