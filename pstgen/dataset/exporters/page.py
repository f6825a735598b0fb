"""pairs.html: pairs as a page, with targets over the images, the chain, and what every judge answered."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.core import pages
from pstgen.core.records import Item, Score
from pstgen.dataset.rows import Row
from pstgen.dataset.sampling import PairRows, pick
from pstgen.dataset.store import Dataset

PAIRS = 24


class TwinView(NamedTuple):
    """One image of a pair. image, overlay: data URIs; overlay: None for an absence, which has nothing to tint."""

    item: Item
    chain: str
    image: str
    overlay: str | None


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
    tint = overlay(row)
    return TwinView(
        item=row.item,
        chain=row.chain,
        image=pages.data_uri(row.image, "png" if row.suffix == ".png" else "jpeg"),
        overlay=None if tint is None else pages.data_uri(tint, "png"),
    )


def overlay(row: Row) -> bytes | None:
    """The targets as one transparent PNG: mask yellow, keypoints magenta; None for an absence."""
    pixels = {target.kind: target.pixels for target in row.targets}
    if "mask" not in pixels:
        return None
    heat: NDArray[np.float64] = (
        np.asarray(pixels.get("keypoints", np.zeros_like(pixels["mask"])), dtype=np.float64)[..., None] / 255
    )
    tint = np.array([0, 214, 255]) * (1 - heat) + np.array([220, 0, 255]) * heat  # BGR
    alpha = np.maximum(pixels["mask"][..., None] * 0.6, heat * 255)
    done, code = cv2.imencode(".png", np.concatenate([tint, alpha], axis=2).astype(np.uint8))
    return code.tobytes() if done else None


def _answers(pair: PairRows, scores: Sequence[Score]) -> dict[str, list[str]]:
    """Judge → its answers, in the order of the twins."""
    order = {row.item.item_id: n for n, row in enumerate(pair.rows)}
    answers: defaultdict[str, list[str]] = defaultdict(list)
    for score in sorted(scores, key=lambda score: (score.judge, order.get(score.item_id, -1))):
        answers[score.judge].append(score.choice)
    return dict(answers)
