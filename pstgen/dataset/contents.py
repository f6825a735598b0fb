"""What a set holds, counted in one pass over its light columns: for its card, its licences and its metadata."""

from collections import Counter
from dataclasses import dataclass

import pyarrow.parquet as pq

from pstgen.core.config import flat
from pstgen.core.records import MATCHED
from pstgen.dataset.licences import Licence, licence
from pstgen.dataset.rows import Cells
from pstgen.dataset.store import BATCH_ROWS, Dataset
from pstgen.questions.wording import NEUTRAL

COLUMNS = ("item_id", "pair_id", "role", "family", "frame", "twin", "mark", "label", "licence", "source", "image.path")
BLURRED = "blur_faces"  # the setting by which faces are blurred
WORLD = "world"  # the source whose pictures are drawn


@dataclass(frozen=True, slots=True)
class Contents:
    """What a set holds.

    pairs, neutral: pairs by family, and those in neutral words. licences: items by what stands in their
    column. changed: the same of items whose picture is no copy of the source's: edited, marked or written into.
    """

    items: int
    pairs: Counter[str]
    neutral: int
    groups: int
    sources: Counter[str]
    twins: Counter[str]
    licences: Counter[str]
    changed: Counter[str]
    unlicensed: tuple[str, ...]
    blurred: bool

    @property
    def synthetic(self) -> bool:
        """Are all of the pictures drawn by pstgen, so that no photograph is among them?"""
        return set(self.sources) == {WORLD}

    @property
    def edited(self) -> int:
        """Items whose picture was edited."""
        return sum(n for twin, n in self.twins.items() if twin != MATCHED)

    @property
    def by_licence(self) -> list[tuple[Licence, int, int]]:
        """Each licence with its items, and those of them with a changed picture; what is used most stands first."""
        counts = sorted(self.licences.items(), key=lambda count: (-count[1], count[0]))
        return [(licence(text), n, self.changed[text]) for text, n in counts if text]


def of(dataset: Dataset) -> Contents:
    """Count what a set holds."""
    rows = [
        row
        for shard in dataset.shards
        for batch in pq.ParquetFile(shard).iter_batches(BATCH_ROWS, columns=list(COLUMNS))
        for row in batch.to_pylist()
    ]
    blurred = bool(flat(dataset.manifest.settings).get(BLURRED))
    controls = [row for row in rows if row["role"] == "control"]
    size = Counter(row["pair_id"] for row in rows)
    return Contents(
        items=len(rows),
        pairs=Counter(row["family"] for row in controls),
        neutral=sum(row["frame"] == NEUTRAL for row in controls),
        groups=sum(n > 2 for n in size.values()),
        sources=Counter(row["source"] for row in rows),
        twins=Counter(row["twin"] for row in rows),
        licences=Counter(row["licence"] or "" for row in rows),
        changed=Counter(row["licence"] or "" for row in rows if _changed(row, blurred=blurred)),
        unlicensed=tuple(row["item_id"] for row in rows if not row["licence"]),
        blurred=blurred,
    )


def _changed(row: Cells, *, blurred: bool) -> bool:
    """Is the picture of a row another than the source's?"""
    drawn = row["twin"] != MATCHED or row["mark"] is not None or bool(row["label"])
    return drawn or (blurred and str(row["image"]["path"]).lower().endswith(".png"))
