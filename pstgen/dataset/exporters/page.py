"""pairs.html: pairs as a page, what shows the answer outlined, the chain, and what every judge answered."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from pstgen.core import pages
from pstgen.core.records import Item, Keypoint, Score
from pstgen.dataset import evidence
from pstgen.dataset.rows import Row
from pstgen.dataset.sampling import PairRows, pick
from pstgen.dataset.store import Dataset

PAIRS = 24
LEAST = 640  # pixels of the longer side of an overlay, so that its lines are fine on small images too


class TwinView(NamedTuple):
    """One image of a pair.

    image: a data URI. width, height, outline (data of an SVG path, "" for an absence), joints: in pixels of the image. words: the
    chain without boxes.
    """

    item: Item
    chain: str
    words: str
    image: str
    width: int
    height: int
    outline: str
    joints: list[Keypoint]


class PairView(NamedTuple):
    """What the page shows of a pair. item: the control item; answers: judge → what it answered, one answer an image."""

    item: Item
    twins: list[TwinView]
    answers: dict[str, list[str]]


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write pairs.html: PAIRS pairs, as many of each family as there are, chosen by a hash of their names."""
    (folder / "pairs.html").write_text(page(pick(dataset, PAIRS), dataset.scores()), encoding="utf-8")


def page(pairs: Sequence[PairRows], scores: Iterable[Score]) -> str:
    """One page that holds everything it shows. Of the scores only those of these pairs, in their final wording, are used."""
    views = list(_views(pairs, scores))
    return pages.render("dataset/exporters/pairs.html.jinja", pairs=views)


def _views(pairs: Sequence[PairRows], scores: Iterable[Score]) -> Iterator[PairView]:
    by_pair: dict[str, list[Score]] = {pair.pair.pair_id: [] for pair in pairs}
    for score in scores:
        if score.kept and score.pair_id in by_pair:
            by_pair[score.pair_id].append(score)
    for pair in pairs:
        item = pair.control.item
        yield PairView(item, list(map(_twin, pair.rows)), _answers(pair, by_pair[item.pair_id]))


def _twin(row: Row) -> TwinView:
    return TwinView(
        item=row.item,
        chain=row.chain,
        words=evidence.words(row),
        image=pages.data_uri(row.image, "png" if row.suffix == ".png" else "jpeg"),
        width=row.scene.width,
        height=row.scene.height,
        outline=evidence.path(row),
        joints=evidence.joints(row),
    )


def overlay(row: Row) -> bytes | None:
    """The outlines and joints as a transparent PNG in the image's proportions, of LEAST pixels or more; None for an absence."""
    outlines, (height, width) = evidence.outlines(row), (row.scene.height, row.scene.width)
    if not outlines:
        return None
    scale = max(1, -(-LEAST // max(height, width)))
    canvas = np.zeros((scale * height, scale * width, 4), np.uint8)
    thin = max(2, round(0.003 * max(canvas.shape)))
    middles = [np.rint((outline + 0.5) * scale).astype(np.int32) for outline in outlines]
    for colour, extra in (((0, 0, 0, 255), thin), ((0, 214, 255, 255), 0)):  # black around yellow (BGRA)
        cv2.polylines(canvas, middles, isClosed=True, color=colour, thickness=thin + extra)
        for joint in evidence.joints(row):
            cv2.circle(canvas, (round(joint.x * scale), round(joint.y * scale)), thin + extra, colour, thickness=-1)
    done, code = cv2.imencode(".png", canvas)
    return code.tobytes() if done else None


def _answers(pair: PairRows, scores: Sequence[Score]) -> dict[str, list[str]]:
    """Judge → its answers, in the order of the twins."""
    order = {row.item.item_id: n for n, row in enumerate(pair.rows)}
    answers: defaultdict[str, list[str]] = defaultdict(list)
    for score in sorted(scores, key=lambda score: (score.judge, order.get(score.item_id, -1))):
        answers[score.judge].append(score.choice)
    return dict(answers)
