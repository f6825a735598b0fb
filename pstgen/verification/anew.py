"""What follows of every row anew from its annotations and its pixels, in one pass: its picture is decoded once for all that look at it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pstgen.core.memo import cache_last
from pstgen.core.records import Scene
from pstgen.dataset import schema, targets
from pstgen.dataset.rationale import chain
from pstgen.dataset.rows import Row, on_disk
from pstgen.dataset.store import Dataset
from pstgen.questions import families
from pstgen.scenes import pixels

SHARES = "rows"


class Anew(NamedTuple):
    """What is wrong with a set's labels and targets, one line each. rendered: how many targets were."""

    labels: list[str]
    targets: list[str]
    rendered: int


@cache_last
def rows(dataset: Dataset) -> Anew:
    """All rows, kept for the next check."""
    wrong_labels, wrong_targets, rendered = list[str](), list[str](), 0
    for row in dataset.rows():
        with on_disk(row) as scene:
            wrong_labels += _label(row, scene)
            wrong_targets += _targets(row, scene)
        rendered += len(row.targets)
    return Anew(wrong_labels, wrong_targets, rendered)


def _label(row: Row, scene: Scene) -> Iterator[str]:
    item = row.item
    fact = families.fact_of(item, scene)
    if fact is None:
        yield f"item {item.item_id}: its family asks no such question of this scene"
    elif not fact.truth.known:
        yield f"item {item.item_id}: the answer is unknown ({fact.truth.reason}), the set says {item.answer!r}"
    elif fact.truth.answer != item.answer:
        yield f"item {item.item_id}: the answer is {fact.truth.answer!r}, the set says {item.answer!r}"
    elif fact.evidence != item.evidence:
        yield f"item {item.item_id}: the evidence is {fact.evidence}, the set says {item.evidence}"


def _targets(row: Row, scene: Scene) -> Iterator[str]:
    name = row.item.item_id
    try:
        pixels.image(scene)
    except pixels.UnusableImage as reason:
        yield f"item {name}: its image {reason}"
        return
    if row.chain != chain(row.item, row.scene):
        yield f"item {name}: its perceptual chain is not what the annotations say"
    kept = {target.kind: target.pixels for target in row.targets}
    for kind in schema.targets():
        anew = targets.render(kind, row.item, scene)
        if (anew is None) != (kind not in kept):
            yield f"item {name}: target {kind} is {'missing' if anew else 'not one of this scene'}"
        elif anew is not None and not np.array_equal(anew.pixels, kept[kind]):
            yield f"item {name}: target {kind} is not what the annotations show"
