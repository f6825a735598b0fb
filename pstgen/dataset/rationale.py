"""The perceptual chain of an item: what an eye has to see, step by step, as words that end in the answer."""

from collections.abc import Iterator

from pstgen.core.records import Instance, Item, Scene
from pstgen.scenes import vocabulary


def chain(item: Item, scene: Scene) -> str:
    """Each thing in question with its box (x, y, w, h in pixels), what is seen of it, and the answer.

    "the banana at (10, 20, 30, 40); what it shows: green; so green"; for an absence, "no banana anywhere; so no".
    """
    things = [thing for thing in scene.instances if thing.id in item.evidence]
    steps = [f"{_name(thing)} at ({_box(thing)})" for thing in things]
    if not things:
        steps = [f"no {vocabulary.spoken(item.about[0])} anywhere"]
    return "; ".join([*steps, *_seen(item, things), f"so {item.answer}"])


def _seen(item: Item, things: list[Instance]) -> Iterator[str]:
    """What the family looks at, beside the boxes."""
    if item.mark:
        yield f"the mark at ({item.mark[0]:.0f}, {item.mark[1]:.0f})"
    if item.family == "count" or item.form == "number":
        kind = vocabulary.spoken(item.about[0])
        n = sum(thing.category == item.about[0] for thing in things)
        yield f"that makes {n} {kind if n == 1 else vocabulary.plural(kind)}"
    if item.family == "depth":
        yield from (f"{_name(thing)} {thing.depth:.1f} m away" for thing in things if thing.depth)
    if item.family in {"pose", "visibility"}:
        wanted = item.about[1].replace(" ", "_")
        yield from (
            f"{joint.name.replace('_', ' ')} at ({joint.x:.0f}, {joint.y:.0f}), {'seen' if joint.visibility == 2 else 'hidden'}"
            for thing in things
            for joint in thing.keypoints
            if joint.visibility and (joint.name.startswith(wanted) and not joint.name.endswith(("eye", "ear", "hip")))
        )
    if item.family == "size":
        yield from (f"{_name(thing)} covers {thing.area:.0f} pixels" for thing in things)


def _name(thing: Instance) -> str:
    return f"{thing.colour} {vocabulary.spoken(thing.category)}".strip()


def _box(thing: Instance) -> str:
    box = thing.region
    return ", ".join(f"{side:.0f}" for side in (box.x, box.y, box.width, box.height))
