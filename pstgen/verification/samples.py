"""What an attacker gets of a benchmark, its own or somebody else's: words, options and answers, never an image."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Item, origin


@dataclass(frozen=True, slots=True)
class Case:
    """One question in words.

    answer: index of the right option. pair: what shares its words; scene: what it is asked about; both group the folds.
    lure: index of the option that the words suggest, -1 where nobody knows. role: stress, control, or "".
    place: where it stands in the set, from 0.
    """

    name: str
    pair: str
    scene: str
    question: str
    options: tuple[str, ...]
    answer: int
    lure: int = -1
    role: str = ""
    place: int = 0


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


def placed(cases: Sequence[Case]) -> list[Case]:
    """The same cases, each with its place among them."""
    return [replace(case, place=n) for n, case in enumerate(cases)]


@dataclass(frozen=True, slots=True)
class Split:
    """Rows of cases, (N,) each: those that are asked, and those that a model which answers them may learn from."""

    learnt: NDArray[np.int64]
    asked: NDArray[np.int64]


def splits(cases: Sequence[Case], number: int, seed: int) -> list[Split]:
    """Every case is asked in one of `number` folds, about equally large, and no pair and no scene of it is learnt from.

    Scenes tie pairs together, and in a large set nearly all of them, so folds that part no scene would be one fold. So what
    shares a scene with a fold is left out when its model learns; neighbours stand in one fold, that little has to be.
    """
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for n, case in enumerate(cases):
        rows[case.pair].append(n)
    scenes = {pair: {cases[n].scene for n in some} for pair, some in rows.items()}
    folds: list[list[str]] = [[] for _ in range(number)]
    passed = 0
    for pair in _neighbours(scenes, seed):
        folds[passed * number // len(cases)].append(pair)
        passed += len(rows[pair])

    def split(fold: list[str]) -> Split:
        shown = set[str]().union(*(scenes[pair] for pair in fold))
        learnt = [n for pair in scenes if scenes[pair].isdisjoint(shown) for n in rows[pair]]
        return Split(np.array(sorted(learnt), np.int64), np.array(sorted(n for pair in fold for n in rows[pair])))

    return [split(fold) for fold in folds if fold]


def leaks(cases: Sequence[Case], split: Split) -> list[str]:
    """Pairs and scenes that are learnt from and asked about too, by name."""
    learnt, asked = (
        {name for n in rows.tolist() for name in (f"pair {cases[n].pair}", f"scene {cases[n].scene}")}
        for rows in (split.learnt, split.asked)
    )
    return sorted(learnt & asked)


def _neighbours(scenes: Mapping[str, set[str]], seed: int) -> Iterator[str]:
    """Every pair once, those that share a scene soon after each other: a walk in breadth from pairs drawn by the seed."""
    sharing: defaultdict[str, list[str]] = defaultdict(list)
    for pair in sorted(scenes, key=lambda pair: sha256(f"{seed}/{pair}".encode()).digest()):
        for scene in sorted(scenes[pair]):
            sharing[scene].append(pair)
    seen: set[str] = set()
    for some in sharing.values():
        queue = deque(pair for pair in some[:1] if pair not in seen)
        seen.update(queue)
        while queue:
            pair = queue.popleft()
            yield pair
            more = [other for scene in sorted(scenes[pair]) for other in sharing[scene] if other not in seen]
            queue.extend(dict.fromkeys(more))
            seen.update(more)
