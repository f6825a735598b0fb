"""Boxes that are given by two corners, where COCO has a corner and a size."""

from pathlib import Path

import msgspec
import numpy as np

from pstgen.core.records import BadInput
from pstgen.scenes.coco_format import Instances

BOX = msgspec.json.Decoder(tuple[float, float, float, float], strict=False)
SAMPLE = 1000  # boxes that are looked at, at most
BEYOND = 0.2  # of them, that leave their image if they are read as COCO's
SLACK = 2  # pixels that a box may leave its image


def refuse(file: Path, instances: Instances) -> None:
    """Raises BadInput where many boxes leave their image as COCO reads them, and none does as two corners."""
    sizes = {picture.id: (picture.width, picture.height) for picture in instances.images if picture.width}
    rows = instances.annotations[:: max(1, len(instances.annotations) // SAMPLE)]
    known = [(box, sizes[row.image_id]) for row in rows if row.image_id in sizes and (box := _box(row.bbox))]
    if not known:
        return
    boxes, limits = (np.array(column) for column in zip(*known, strict=True))
    first, second = boxes[:, :2], boxes[:, 2:]
    with np.errstate(over="ignore"):
        beyond = (first + second > limits + SLACK).any(axis=1)
    corners = (second >= first).all() and (second <= limits + SLACK).all()
    if corners and beyond.mean() > BEYOND:
        raise BadInput(
            f"{file}: {beyond.mean():.0%} of its boxes leave their image; as two corners (x1, y1, x2, y2) none would. "
            "COCO's are x, y, width, height: subtract"
        )


def _box(raw: msgspec.Raw) -> tuple[float, ...] | None:
    try:
        return BOX.decode(raw)
    except msgspec.DecodeError:
        return None
