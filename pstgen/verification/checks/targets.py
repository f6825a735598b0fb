"""Does every target agree with its image in size, and with the annotations to the pixel?"""

from collections.abc import Iterator

import numpy as np

from pstgen.core.config import VerifyConfig
from pstgen.dataset import schema, targets
from pstgen.dataset.rationale import chain
from pstgen.dataset.rows import Row, on_disk
from pstgen.dataset.store import Dataset
from pstgen.scenes import pixels
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding

ANEW = True
PROVES = "Every perceptual target follows from the annotations in the set, rendered anew."
SECONDS = 10.0


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Render each target anew."""
    rendered = 0

    def problems() -> Iterator[str]:
        nonlocal rendered
        for row in dataset.rows():
            rendered += len(row.targets)
            yield from _problems(row)

    wrong = first_problems(problems())
    return Finding(check="targets", summary=f"{rendered:,} targets rendered anew", problems=wrong)


def _problems(row: Row) -> Iterator[str]:
    name = row.item.item_id
    with on_disk(row) as scene:
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
