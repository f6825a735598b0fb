"""Which of two things is nearer to the camera?

Needs: the depth of two things that are alone of their kinds. Known: where one is a fifth farther than the other, or half
as far again where depth is estimated. Prior:
which is usually nearer. Options: the two. Evidence: both. Words: {thing}, {other}.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from pstgen.core.records import Fact, Instance, Item, Scene
from pstgen.questions import comparison
from pstgen.scenes import vocabulary
from pstgen.scenes.truth import layout


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """The two things."""
    return tuple(map(vocabulary.spoken, about))


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of every two things that are alone of their kinds, once."""
    estimated = bool(scene.depth_model)
    return comparison.facts(scene, "depth", "nearer", partial(layout.nearer, estimated=estimated))


def steps(item: Item, instances: Sequence[Instance], /) -> Iterator[str]:  # noqa: ARG001
    """How far away each of them is."""
    yield from (f"{vocabulary.describe(thing)} {thing.depth:.1f} m away" for thing in instances if thing.depth)
