"""Is every answer what the annotations and the pixels say, worked out anew?"""

from collections.abc import Iterator

from pstgen.core.config import VerifyConfig
from pstgen.dataset.rows import Row, on_disk
from pstgen.dataset.store import Dataset
from pstgen.questions import families
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding

ANEW = True
PROVES = "Every answer follows from the annotations in the set, worked out anew."
SECONDS = 20.0


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Ask each item's family about its scene again."""
    return Finding(
        check="labels",
        summary=f"{dataset.manifest.items:,} answers recomputed from annotations and pixels",
        problems=first_problems(problem for row in dataset.rows(("depth",)) for problem in _label(row)),
    )


def _label(row: Row) -> Iterator[str]:
    item = row.item
    with on_disk(row) as scene:
        fact = families.fact_of(item, scene)
    if fact is None:
        yield f"item {item.item_id}: its family asks no such question of this scene"
    elif not fact.truth.known:
        yield f"item {item.item_id}: the answer is unknown ({fact.truth.reason}), the set says {item.answer!r}"
    elif fact.truth.answer != item.answer:
        yield f"item {item.item_id}: the answer is {fact.truth.answer!r}, the set says {item.answer!r}"
    elif fact.evidence != item.evidence:
        yield f"item {item.item_id}: the evidence is {fact.evidence}, the set says {item.evidence}"
