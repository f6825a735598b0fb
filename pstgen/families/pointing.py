"""Does a point of the image lie on a thing?"""

from collections.abc import Iterator
from itertools import product

from pstgen.records import Fact, Scene
from pstgen.truth import contact, layout

ACROSS = DOWN = ("10", "30", "50", "70", "90")  # percent of the image's width and height, from the top left


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """Yes or no."""
    return "yes", "no"


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of a grid of points and of every kind of thing that is plainly there."""
    kinds = layout.by_category(scene)
    plain = {kind for kind, things in kinds.items() if any(layout.is_plain(thing, scene) for thing in things)}
    for x, y in product(ACROSS, DOWN):
        on = contact.at(int(x) / 100, int(y) / 100, scene)
        for kind in sorted(plain):
            yield Fact(
                scene_id=scene.id,
                family="pointing",
                form="at",
                about=(kind, x, y),
                truth=on(kind),
                evidence=tuple(thing.id for thing in kinds[kind]),
            )
