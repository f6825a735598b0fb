"""Is an arm raised, is it bent? Left and right are the person's own.

Needs: keypoints of a person who is alone in the picture. Known: a raised hand, where wrist and shoulder are seen, their
heights differ by a margin and the person is upright; a bent elbow, where the angle is clear. Prior: how people usually
hold their arms. Options: yes, no. Evidence: the person. Words: {thing}, {side}.
"""

from collections.abc import Iterator

from pstgen.records import Fact, Scene
from pstgen.truth import layout, skeleton

ASKS = {"raised": skeleton.raised, "bent": skeleton.bent}


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """Yes or no."""
    return "yes", "no"


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of a person who is alone in the picture."""
    person = layout.alone(scene).get("person")
    if person is None:
        return
    for form, look in ASKS.items():
        for side in skeleton.SIDES:
            yield Fact(
                scene_id=scene.id,
                family="pose",
                form=form,
                about=("person", side),
                truth=look(person, side),
                evidence=(person.id,),
            )
