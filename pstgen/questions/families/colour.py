"""What colour is the X? Is it red?

Needs: a thing that is alone of its kind, its mask, the image; captions where there are. Known: what the source knows;
else a plain hue that most of its pixels show, or a colour that captions give it and its pixels agree with. Prior: the
colours that Xs have. Options: four colour names, or yes and no. Evidence: the thing. Words: {thing}, {colour}.
"""

from collections.abc import Iterator

from pstgen.core.records import Fact, Scene
from pstgen.questions.families import GqaForm
from pstgen.scenes.truth import colour, layout

COLOURED = ("of", "is")
GQA = {
    "of": GqaForm("query", "attr", "directOf", "select: {the_a}->query: color [0]", "color"),
    "is": GqaForm("verify", "attr", "verifyAttr", "select: {the_a}->verify color: {b} [0]", "color"),
}


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """The eleven basic colour terms, or yes and no."""
    return ("yes", "no") if form == "is" else colour.NAMES


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of each thing that is alone of its kind, and of a kind that has one colour; of each colour by itself too."""
    for category, thing in layout.alone(scene).items():
        if not scene.complete and category in colour.not_asked():
            continue
        look = colour.appearance(thing, scene)
        questions = [
            ("of", (category,), look.name),
            *(("is", (category, name), look.shows(name)) for name in colour.NAMES),
        ]
        for form, about, truth in questions:
            yield Fact(scene_id=scene.id, family="colour", form=form, about=about, truth=truth, evidence=(thing.id,))
