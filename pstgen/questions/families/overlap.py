"""Do two things touch, and which is in front?

Needs: masks of two things that are alone of their kinds; for "in front", whole masks and depth. Known: touching, where
masks meet or are well apart; in front, where whole masks overlap and depths differ. Prior: which kinds usually touch.
Options: yes, no. Evidence: both. Words: {thing}, {other}.
"""

from collections.abc import Iterator
from itertools import combinations

from pstgen.core.records import Fact, Instance, Scene, Truth
from pstgen.scenes.truth import contact, layout


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """Yes or no."""
    return "yes", "no"


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of every two things that are alone of their kinds: do they touch; of each, is it in front of the other."""
    single = sorted(layout.alone(scene).values(), key=lambda thing: thing.category)
    for a, b in combinations(single, 2):
        yield _fact(scene, "touching", contact.touching(a, b, scene), a, b)
        yield _fact(scene, "front", contact.in_front(a, b, scene), a, b)
        yield _fact(scene, "front", contact.in_front(b, a, scene), b, a)


def _fact(scene: Scene, form: str, truth: Truth, a: Instance, b: Instance) -> Fact:
    about = (a.category, b.category)
    return Fact(scene_id=scene.id, family="overlap", form=form, about=about, truth=truth, evidence=(a.id, b.id))
