"""Can a part of a person be seen, or is it hidden?

Needs: keypoints of a person who is alone in the picture. Known: seen at v = 2, hidden at v = 1; what is not labelled
(v = 0) is unknown, never hidden; on photographs a left joint must be like the right one. Prior: which parts one usually sees. Options: yes, no. Evidence: the person.
Words: {thing}, {part}.
"""

from collections.abc import Iterator, Sequence

from pstgen.core.records import Fact, Instance, Item, Scene
from pstgen.scenes.truth import layout, skeleton


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """Yes or no."""
    return "yes", "no"


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of every joint of a person who is alone in the picture."""
    person = layout.alone(scene).get("person")
    if person is None:
        return
    parts = {
        name: spoken_name
        for name, spoken_name in skeleton.PARTS.items()
        if scene.complete or name not in skeleton.UNSURE
    }
    for joint, spoken in parts.items():
        yield Fact(
            scene_id=scene.id,
            family="visibility",
            form="seen",
            about=("person", spoken),
            truth=skeleton.visible(person, joint, scene, sure=scene.complete),
            evidence=(person.id,),
        )


def steps(item: Item, instances: Sequence[Instance], /) -> Iterator[str]:
    """Where the joints in question are."""
    return skeleton.joint_phrases(item.about[1], instances)
