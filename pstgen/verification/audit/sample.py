"""Which labels are audited: whole pairs, drawn by seed, every family in proportion to its pairs."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from pstgen.core.records import Item
from pstgen.dataset.exporters.page import overlay
from pstgen.dataset.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One twin to judge: its image file and, as a transparent PNG, its targets; None where the whole image counts.

    width, height: in pixels.
    """

    item: Item
    chain: str
    image: bytes
    image_type: str
    width: int
    height: int
    overlay: bytes | None


Twins = tuple[Picture, ...]  # in the order of their ids, which say nothing about the roles


def draw(items: Iterable[Item], n: int, seed: int) -> list[str]:
    """Names of pairs that have `n` items together (at most three more; all of them where there are fewer).

    Within a family the order is a hash of seed and name. The k-th of a family of m stands at k/m of the whole, so that
    the first one of each family comes first, and every beginning of the sample holds the families in proportion: who
    stops early, or asks for more later, has a fair sample too.
    """
    families: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        families[item.family][item.pair_id] += 1
    places = [
        (k / len(sizes), _hash(name, seed), name, sizes[name])
        for sizes in families.values()
        for k, name in enumerate(sorted(sizes, key=lambda name: _hash(name, seed)))
    ]
    drawn, total = list[str](), 0
    for _, _, name, size in sorted(places):
        if total >= n:
            break
        drawn.append(name)
        total += size
    return drawn


def _hash(name: str, seed: int) -> str:
    return sha256(f"{seed}/{name}".encode()).hexdigest()


def pictures(names: list[str], rows: Iterable[Row]) -> list[Twins]:
    """The pairs of these names, in their order; of the rows only these are kept, as the files that a page shows."""
    pairs: dict[str, list[Picture]] = {name: [] for name in names}
    for row in rows:
        if row.item.pair_id in pairs:
            pairs[row.item.pair_id].append(_picture(row))
    return [tuple(pairs[name]) for name in names]


def _picture(row: Row) -> Picture:
    kind = "image/png" if row.suffix == ".png" else "image/jpeg"
    return Picture(
        item=row.item,
        chain=row.chain,
        image=row.image,
        image_type=kind,
        width=row.scene.width,
        height=row.scene.height,
        overlay=overlay(row),
    )
