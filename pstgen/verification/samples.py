"""What an attacker gets of a benchmark, ours or another: words, options and answers, never an image."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Item, origin


@dataclass(frozen=True, slots=True)
class Sample:
    """One question in words.

    answer: index of the correct option. pair: what shares its words; scene: what it is asked about; both group the folds.
    lure: index of the option that the words suggest, -1 where it is unknown. role: stress, control, or "".
    position: its place in the set, from 0. frame: how it is worded, category: of what sort, "" where that is unknown.
    """

    name: str
    pair: str
    scene: str
    question: str
    options: tuple[str, ...]
    answer: int
    lure: int = -1
    role: str = ""
    position: int = 0
    frame: str = ""
    category: str = ""

    @property
    def correct_option(self) -> str:
        """The text of the correct option."""
        return self.options[self.answer]

    @property
    def words(self) -> str:
        """Question and options in words; the options in alphabetical order, so that only their words count."""
        return f"{self.question} {' '.join(sorted(self.options))}"


def from_item(item: Item) -> Sample:
    """A sample of an item of ours."""
    return Sample(
        name=item.item_id,
        pair=item.pair_id,
        scene=origin(item.scene_id),
        question=item.question,
        options=item.options,
        answer=item.answer_index,
        lure=item.options.index(item.lure),
        role=item.role,
        frame=item.frame,
        category=item.family,
    )


def with_positions(samples: Sequence[Sample]) -> list[Sample]:
    """The same samples, each with its position among them."""
    return [replace(sample, position=n) for n, sample in enumerate(samples)]


@dataclass(frozen=True, slots=True)
class Split:
    """Indices of samples, (N,) each: those to train on, and those to test."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def splits(samples: Sequence[Sample], number: int, seed: int) -> list[Split]:
    """Every sample is tested in one of `number` folds of about equal size, whose model sees no pair and no scene of them.

    Scenes tie pairs together, in a large set nearly all of them, so folds that share no scene would be a single fold.
    Instead, whatever shares a scene with a fold is left out when its model is trained; neighbours stand in one fold, so
    that little has to be left out.
    """
    by_pair: defaultdict[str, list[int]] = defaultdict(list)
    for n, sample in enumerate(samples):
        by_pair[sample.pair].append(n)
    scenes = {pair: {samples[n].scene for n in indices} for pair, indices in by_pair.items()}
    folds: list[list[str]] = [[] for _ in range(number)]
    assigned = 0
    for pair in _neighbours(scenes, seed):
        folds[assigned * number // len(samples)].append(pair)
        assigned += len(by_pair[pair])

    def split(fold: list[str]) -> Split:
        tested = set[str]().union(*(scenes[pair] for pair in fold))
        train = [n for pair in scenes if scenes[pair].isdisjoint(tested) for n in by_pair[pair]]
        return Split(np.array(sorted(train), np.int64), np.array(sorted(n for pair in fold for n in by_pair[pair])))

    return [split(fold) for fold in folds if fold]


def leaks(samples: Sequence[Sample], split: Split) -> list[str]:
    """Pairs and scenes that are in both parts of the split, by name."""
    train, test = (
        {name for n in indices.tolist() for name in (f"pair {samples[n].pair}", f"scene {samples[n].scene}")}
        for indices in (split.train, split.test)
    )
    return sorted(train & test)


def _neighbours(scenes: Mapping[str, set[str]], seed: int) -> Iterator[str]:
    """Every pair once, those that share a scene close together: a breadth-first walk from pairs drawn by the seed."""
    sharing: defaultdict[str, list[str]] = defaultdict(list)
    for pair in sorted(scenes, key=lambda pair: sha256(f"{seed}/{pair}".encode()).digest()):
        for scene in sorted(scenes[pair]):
            sharing[scene].append(pair)
    visited: set[str] = set()
    for pairs in sharing.values():
        queue = deque(pair for pair in pairs[:1] if pair not in visited)
        visited.update(queue)
        while queue:
            pair = queue.popleft()
            yield pair
            unvisited = [near for scene in sorted(scenes[pair]) for near in sharing[scene] if near not in visited]
            queue.extend(dict.fromkeys(unvisited))
            visited.update(unvisited)
