"""Pairs drawn from a dataset to be looked at: those that are named, or some of every family."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby

from pstgen.core.records import Pair
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Dataset


@dataclass(frozen=True, slots=True)
class PairRows:
    """A pair with all that its items show."""

    stress: tuple[Row, ...]
    control: Row

    @property
    def rows(self) -> tuple[Row, ...]:
        """All twins, the control last."""
        return *self.stress, self.control

    @property
    def pair(self) -> Pair:
        """The pair without its pixels."""
        return Pair(tuple(row.item for row in self.stress), self.control.item)


def pick(dataset: Dataset, most: int, named: Sequence[str] = ()) -> list[PairRows]:
    """The pairs that are named, by themselves or by an item, or some of every family in turn; only those are kept in memory."""
    wanted = {re.sub("-[a-d]$", "", name) for name in named} or set(_drawn(dataset, most))
    return [_pair(twins) for _, twins in groupby(dataset.rows_of(wanted), key=lambda row: row.item.pair_id)]


def _drawn(dataset: Dataset, most: int) -> Iterator[str]:
    """One pair of each family, then the next of each."""
    controls = (item for item in dataset.items() if item.role == "control")
    ranked = sorted(controls, key=lambda item: sha256(item.pair_id.encode()).hexdigest())
    turns: dict[str, int] = {}
    placed: list[tuple[int, str, str]] = []
    for item in ranked:
        turns[item.family] = turns.get(item.family, 0) + 1
        placed.append((turns[item.family], item.family, item.pair_id))
    return (name for _, _, name in sorted(placed)[:most])


def _pair(twins: Iterable[Row]) -> PairRows:
    *stress, control = sorted(twins, key=lambda row: row.item.role == "control")
    return PairRows(tuple(stress), control)
