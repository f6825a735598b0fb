"""The perceptual chain of an item: what must be seen, step by step, as words that end in the answer."""

from pstgen.core.records import Instance, Item, Scene
from pstgen.questions import families
from pstgen.scenes import vocabulary


def chain(item: Item, scene: Scene) -> str:
    """Each thing in question with its box (x, y, w, h in pixels), what is seen of it, and the answer.

    "the banana at (10, 20, 30, 40); what it shows: green; so green"; for an absence, "no banana anywhere; so no".
    """
    things = [thing for thing in scene.instances if thing.id in item.evidence]
    boxes = [f"{vocabulary.describe(thing)} at ({_box(thing)})" for thing in things]
    if not things:
        boxes = [f"no {vocabulary.spoken(item.about[0])} anywhere"]
    return "; ".join([*boxes, *families.steps(item, things), f"so {item.answer}"])


def _box(thing: Instance) -> str:
    box = thing.region
    return ", ".join(f"{side:.0f}" for side in (box.x, box.y, box.width, box.height))
