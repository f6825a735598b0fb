"""Is there more than one X?"""

from pstgen.core.records import Fact, Truth
from pstgen.scenes.truth import layout

TEMPLATE = """
alone:
  slots: [thing]
  frames: {neutral: ["Is there more than one {thing}?"]}
"""


def answers(form, about, /):
    return "yes", "no"


def ask(scene, /):
    for category, things in layout.by_category(scene).items():
        truth = Truth("yes" if len(things) > 1 else "no")
        evidence = tuple(thing.id for thing in things)
        yield Fact(
            scene_id=scene.id, family="foreign_family", form="alone", about=(category,), truth=truth, evidence=evidence
        )
