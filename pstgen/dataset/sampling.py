"""Pairs drawn from a dataset to be looked at: those that are named, or some of every family."""

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby

from pstgen.dataset.store import Dataset, Row

Pair = tuple[Row, ...]  # stress twins, control


def pick(dataset: Dataset, most: int, named: Sequence[str] = ()) -> list[Pair]:
    """The pairs that are named, by themselves or by an item, or some of every family in turn; only those are kept in memory."""
    wanted = {re.sub("-[a-d]$", "", name) for name in named} or set(_drawn(dataset, most))
    found = [_ordered(twins) for _, twins in groupby(dataset.rows_of(wanted), key=lambda row: row.item.pair_id)]
    return sorted(found, key=lambda pair: pair[0].item.pair_id)


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


def _ordered(twins: Iterable[Row]) -> Pair:
    return tuple(sorted(twins, key=lambda row: row.item.role != "stress"))
