"""Is an arm raised, is it bent, which arms are raised, in a picture with a Y? Left and right are the person's own.

Needs: keypoints of a person who is alone in the picture. Known: a raised hand, where wrist and shoulder are seen, their
heights differ by a margin and the person is upright; a bent elbow, where the angle is clear; on photographs of somebody
who faces the camera in good light. Prior: how people usually
hold their arms where there is a Y. Options: yes and no, or left, right, both, neither. Evidence: the person. Words: {thing},
{side}, {context}.
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from pstgen.core.records import Fact, Instance, Item, Scene, Truth, unknown
from pstgen.scenes import pixels
from pstgen.scenes.truth import layout, presence, skeleton

DARK = 40  # of 255, the median of a person's pixels
ASKS = {"raised": skeleton.raised, "bent": skeleton.bent}
CONTEXTS = ("raised", "bent", "arms")
ARMS = ("left", "right", "both", "neither")


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """Yes or no, or which arms."""
    return ARMS if form == "arms" else ("yes", "no")


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of a person who is alone in the picture, given each other kind that is plainly there."""
    if person := layout.alone(scene).get("person"):
        doubt = None if scene.complete else _doubt(person, scene)
        contexts = [kind for kind, truth in presence.by_category(scene).items() if truth.answer == "yes"]
        questions = [
            *(
                (form, (side,), look(person, side, scene))
                for (form, look), side in product(ASKS.items(), skeleton.SIDES)
            ),
            ("arms", (), skeleton.arms(person, scene)),
        ]
        for (form, sides, truth), context in product(questions, contexts):
            if context != "person":
                yield Fact(
                    scene_id=scene.id,
                    family="pose",
                    form=form,
                    about=("person", *sides, context),
                    truth=doubt or truth,
                    evidence=(person.id,),
                )


def _doubt(person: Instance, scene: Scene) -> Truth | None:
    """Why nobody can be sure of a pose on this photograph, if so."""
    if not skeleton.faces_camera(person):
        return unknown("does not face the camera: left or right?")
    if not scene.path:
        return None  # as annotated alone: nobody is shown it
    dark = np.median(pixels.image(scene)[pixels.mask(person, scene)]) < DARK
    return unknown("too dark to see") if dark else None


def steps(item: Item, instances: Sequence[Instance], /) -> Iterator[str]:
    """Where the joints in question are."""
    return skeleton.joint_phrases(item.about[1], instances)
