"""What an attacker gets of a benchmark, its own or somebody else's: words, options and answers, never an image."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from pstgen.records import Item, origin


@dataclass(frozen=True, slots=True)
class Case:
    """One question in words.

    answer: index of the right option. pair: what shares its words; scene: what it is asked about; both group the folds.
    lure: index of the option that the words suggest, -1 where nobody knows. role: stress, control, or "".
    """

    name: str
    pair: str
    scene: str
    question: str
    options: tuple[str, ...]
    answer: int
    lure: int = -1
    role: str = ""


def of(item: Item) -> Case:
    """An item of ours as a case."""
    return Case(
        name=item.item_id,
        pair=item.pair_id,
        scene=origin(item.scene_id),
        question=item.question,
        options=item.options,
        answer=item.answer_index,
        lure=item.options.index(item.lure),
        role=item.role,
    )


def folds(cases: Sequence[Case], number: int, seed: int) -> NDArray[np.int64]:
    """(N,) the fold of each case: neither a pair nor a scene stands in two folds.

    Pairs that share a scene belong together, and so on along the chain; such components, the largest first, fill the
    emptiest fold. Where one component is more than its share, folds are uneven, but never leak.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for case in cases:
        parent[root(f"pair {case.pair}")] = root(f"scene {case.scene}")
    components: defaultdict[str, list[int]] = defaultdict(list)
    for n, case in enumerate(cases):
        components[root(f"pair {case.pair}")].append(n)
    draw = {name: sha256(f"{seed}/{cases[rows[0]].name}".encode()).hexdigest() for name, rows in components.items()}
    sizes, fold = [0] * number, np.zeros(len(cases), np.int64)
    for name in sorted(components, key=lambda name: (-len(components[name]), draw[name])):
        emptiest = sizes.index(min(sizes))
        sizes[emptiest] += len(components[name])
        fold[components[name]] = emptiest
    return fold
