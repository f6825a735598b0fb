"""Two captions a scene, as people write them: they name what is large, and not everything."""

from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np

from pstgen.core.english import grammar
from pstgen.core.records import Instance

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven")
PLACES = {
    "street": ("on a street", "by the road"),
    "meadow": ("in a meadow", "on the grass"),
    "beach": ("on a beach", "by the sea"),
    "kitchen": ("in a kitchen", "in a bright kitchen"),
    "room": ("in a living room", "in a room"),
}


def write(instances: Sequence[Instance], place: str, rng: np.random.Generator) -> tuple[str, str]:
    """A short caption and a longer one."""
    area: Counter[str] = Counter()
    for thing in instances:
        area[thing.category] += int(thing.area)
    large = [name for name, _ in area.most_common(3)]
    count = Counter(thing.category for thing in instances)
    colours = {thing.category: thing.colour for thing in instances}

    def phrase(name: str) -> str:
        adjective = colours[name] if rng.random() < 0.25 else ""
        return _counted(f"{adjective} {name}".strip(), count[name])

    where = PLACES[place]
    if not large:
        return f"An empty place {where[0]}.", f"A view {where[1]}."
    short = f"{phrase(large[0])} {where[int(rng.integers(2))]}."
    longer = f"{' and '.join(map(phrase, large[:2]))} {where[int(rng.integers(2))]}."
    return short[0].upper() + short[1:], longer[0].upper() + longer[1:]


@cache
def _counted(noun: str, number: int) -> str:
    if number == 1:
        return str(grammar().a(noun))
    return f"{NUMBERS[number]} {grammar().plural(noun)}"
