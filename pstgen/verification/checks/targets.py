"""Does every target agree with its image in size, and with the annotations to the pixel?"""

from collections.abc import Iterator

import numpy as np

from pstgen.core import plugins
from pstgen.core.config import VerifyConfig
from pstgen.core.records import Finding
from pstgen.dataset import schema, store
from pstgen.dataset.rationale import chain
from pstgen.dataset.store import Dataset, Row
from pstgen.scenes import pixels
from pstgen.verification.checks import some


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Render each target anew."""
    drawn = 0

    def found() -> Iterator[str]:
        nonlocal drawn
        for row in dataset.rows():
            drawn += len(row.targets)
            yield from _targets(row)

    problems = some(found())
    return Finding(check="targets", summary=f"{drawn:,} targets rendered anew", problems=problems)


def _targets(row: Row) -> Iterator[str]:
    name = row.item.item_id
    with store.on_disk(row) as scene:
        try:
            pixels.image(scene)
        except pixels.Unsound as reason:
            yield f"item {name}: its image {reason}"
            return
        if row.chain != chain(row.item, row.scene):
            yield f"item {name}: its perceptual chain is not what the annotations say"
        kept = {target.kind: target.pixels for target in row.targets}
        for kind in schema.TARGETS:
            anew = plugins.load("targets", kind).render(scene, row.item.evidence)
            if (anew is None) != (kind not in kept):
                yield f"item {name}: target {kind} is {'missing' if anew else 'not one of this scene'}"
            elif anew is not None and not np.array_equal(anew.pixels, kept[kind]):
                yield f"item {name}: target {kind} is not what the annotations show"
