"""On which side of the Y is the X, where is it seen from the Y, and in which half of the picture is it?

Needs: boxes of things that are alone of their kinds. Known: a side of another thing, where their boxes are apart along
the axis and their middles a tenth of the image; a half of the picture, where the box keeps clear of the middle line.
Prior: where Xs usually are. Options: the two ends of the axis, or all four sides. Evidence: the things. Words: {thing}, {other}.
"""

from collections.abc import Iterator
from itertools import combinations

from pstgen.core.records import Fact, Instance, Scene, Truth
from pstgen.questions.families import GqaForm
from pstgen.scenes.truth import layout

AXES = ("horizontal", "vertical")
SIDES = "select: {the_b}->choose rel: {a},to the left of|to the right of,s [0]"
GQA = {
    "half": GqaForm("choose", "attr", "positionChoose", "select: {the_a}->choose hposition: left|right [0]"),
    "level": GqaForm("choose", "attr", "positionChoose", "select: {the_a}->choose vposition: lower|upper [0]"),
    "horizontal": GqaForm("choose", "rel", "relChooser", SIDES),
    "vertical": GqaForm("choose", "rel", "relChooser", "select: {the_b}->choose rel: {a},above|below,s [0]"),
}


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """The two ends of the form's axis, or of both."""
    if form == "where":
        return "left", "right", "above", "below"
    return {"vertical": ("above", "below"), "level": ("upper", "lower")}.get(form, ("left", "right"))


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of each thing that is alone of its kind, and of every two of them, once: the other way round says the same."""
    single = layout.alone(scene)
    for thing in single.values():
        yield _fact(scene, "half", layout.half(thing, scene, "horizontal"), thing)
        yield _fact(scene, "level", layout.half(thing, scene, "vertical"), thing)
    for a, b in combinations(sorted(single.values(), key=lambda thing: thing.category), 2):
        for axis in AXES:
            yield _fact(scene, axis, layout.side(a, b, scene, axis), a, b)
        yield _fact(scene, "where", layout.where(a, b, scene), a, b)


def _fact(scene: Scene, form: str, truth: Truth, *things: Instance) -> Fact:
    return Fact(
        scene_id=scene.id,
        family="relation",
        form=form,
        about=tuple(thing.category for thing in things),
        truth=truth,
        evidence=tuple(thing.id for thing in things),
    )
