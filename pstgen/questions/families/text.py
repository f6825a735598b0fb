"""What is written on the X?

Needs: a thing that is alone of its kind and whose word the source knows. Known: where the thing is whole in sight and
large enough to be read. Prior: what Xs usually say. Options: four words, or yes and no. Evidence: the thing.
Words: {thing}, {word}.
"""

from collections.abc import Iterator

from pstgen.core.records import Fact, Instance, Scene, Truth, unknown
from pstgen.scenes.truth import layout

WORDS = ("STOP", "GO", "SLOW", "WAIT")
LETTER = 5  # pixels of a thing's width for each letter, so that it can be read
WHOLE = 0.98  # of the thing that must be in sight


def answers(form: str, about: tuple[str, ...], /) -> tuple[str, ...]:  # noqa: ARG001
    """Four words that signs bear, or yes and no."""
    return ("yes", "no") if form == "is" else WORDS


def ask(scene: Scene, /) -> Iterator[Fact]:
    """Ask of each thing that bears a word and is alone of its kind: which word, and of each word whether it is that."""
    for category, thing in layout.alone(scene).items():
        if thing.text:
            written = _read(thing, scene)
            questions = [
                ("says", (category,), written),
                *(("is", (category, word), written.agrees(word)) for word in WORDS),
            ]
            for form, about, truth in questions:
                yield Fact(scene_id=scene.id, family="text", form=form, about=about, truth=truth, evidence=(thing.id,))


def _read(thing: Instance, scene: Scene) -> Truth:
    """The word, where it is one of those that are asked about, whole in sight and large enough."""
    if thing.text not in WORDS:
        return unknown("another text than is asked about")
    if layout.truncated(thing, scene) or (thing.full_rle and layout.hidden_share(thing, scene) > 1 - WHOLE):
        return unknown("partly hidden")
    if thing.region.width < LETTER * len(thing.text):
        return unknown("too small to read")
    return Truth(thing.text)
