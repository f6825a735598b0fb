"""Are there as many Xs as Ys? A family from outside; your pyproject.toml names its module:

[project.entry-points."pstgen.families"]
equal = "new_family"
"""

from itertools import combinations

from pstgen.core.records import Fact, Truth
from pstgen.scenes.truth import layout

TEMPLATE = """
equal: {slots: [thing, other], frames: {neutral: ["Are there as many {thing:s} as {other:s}?"]}}
"""


def answers(form, about, /):
    return "yes", "no"


def ask(scene, /):
    for (a, xs), (b, ys) in combinations(layout.by_category(scene).items(), 2):
        truth = Truth("yes" if len(xs) == len(ys) else "no")
        yield Fact(scene_id=scene.id, family="equal", form="equal", about=(a, b), truth=truth)
