"""What changed between two versions of a stress test: pairs that came, went, or are answered otherwise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pstgen.core.config import flat
from pstgen.core.records import Item
from pstgen.dataset.store import Dataset

ITEM = (
    "answer",
    "lure",
    "question",
    "neutral",
    "options",
    "role",
    "evidence",
    "mark",
    "label",
)  # that a reader would notice
GONE, OTHERWISE = "a scene that it shows is in no pair any more", "its scenes are shown, in other pairs"
NEW, BEFORE = "a scene that it shows was in no pair", "its scenes were shown, in other pairs"


@dataclass(frozen=True, slots=True)
class Change:
    """A pair, and why it is listed. before, after: of a pair that is in both sets, what stands there by item and column."""

    pair: str
    family: str
    why: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """From an old set to a new one. settings: name → (old, new), of those that differ. same: pairs that are in both, alike."""

    settings: dict[str, tuple[Any, Any]]
    added: list[Change]
    removed: list[Change]
    changed: list[Change]
    same: int


def between(old: Dataset, new: Dataset) -> Difference:
    """Compare item by item, without pixels: a picture that changed is another scene's, or another edit's, and so another pair's."""
    before, after = _pairs(old), _pairs(new)
    earlier, later = ({item.scene_id for twins in pairs.values() for item in twins} for pairs in (before, after))
    both = sorted(before.keys() & after.keys())
    changed = [change for pair in both if (change := _changed(before[pair], after[pair]))]
    return Difference(
        settings=dict(_settings(old.manifest.settings, new.manifest.settings)),
        added=list(_only(after, before, earlier, NEW, BEFORE)),
        removed=list(_only(before, after, later, GONE, OTHERWISE)),
        changed=changed,
        same=len(both) - len(changed),
    )


def _pairs(dataset: Dataset) -> dict[str, list[Item]]:
    pairs: dict[str, list[Item]] = {}
    for item in dataset.items():
        pairs.setdefault(item.pair_id, []).append(item)
    return pairs


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    first, second = flat(old), flat(new)
    for name in sorted(first.keys() | second.keys()):
        if first.get(name) != second.get(name):
            yield name, (first.get(name), second.get(name))


def _only(
    pairs: Mapping[str, list[Item]], others: Mapping[str, list[Item]], scenes: set[str], fresh: str, known: str
) -> Iterator[Change]:
    """Pairs that the other set lacks. scenes: that the other set shows."""
    for pair in sorted(pairs.keys() - others.keys()):
        shown = {item.scene_id for item in pairs[pair]}
        yield Change(pair, pairs[pair][0].family, known if shown <= scenes else fresh)


def _changed(before: list[Item], after: list[Item]) -> Change | None:
    old, new = ({item.item_id: _cells(item) for item in twins} for twins in (before, after))
    names = sorted(old.keys() | new.keys())
    differing = [name for name in names if old.get(name) != new.get(name)]
    if not differing:
        return None
    columns = sorted({
        column for name in differing for column in ITEM if old.get(name, {}).get(column) != new.get(name, {}).get(column)
    })  # fmt: skip
    first, second = (
        {name: {column: cells[name][column] for column in columns} for name in differing if name in cells}
        for cells in (old, new)
    )
    return Change(before[0].pair_id, before[0].family, f"other: {', '.join(columns)}", first, second)


def _cells(item: Item) -> dict[str, Any]:
    return {name: getattr(item, name) for name in ITEM}
