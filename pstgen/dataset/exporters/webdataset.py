"""Shards for WebDataset: pst-000000.tar and on, of each item its picture, its facts as JSON and the mask of its evidence.

Members are called by the item: x.jpg or x.png, x.json, and x.mask.png where there is a mask (uint8, 255 where a thing in question is
seen). Source: `webdataset.tariterators` of 1.0: members that follow each other and share what stands before the first dot are a
sample.

    webdataset.WebDataset("pst-{000000..000003}.tar", shardshuffle=False).decode("pil").to_tuple("jpg;png", "json")
"""

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from pstgen.dataset import evidence, exported, schema
from pstgen.dataset.rows import Cells, Row
from pstgen.dataset.store import Dataset
from pstgen.scenes.png import encode

SHARD_BYTES = 256 * 10**6  # of a shard at most, unless a single pair is larger
Members = list[tuple[str, bytes]]  # names and contents


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write the shards. Twins stand beside each other, in one shard. Same set, same bytes."""
    written, number = SHARD_BYTES, 0
    with ExitStack() as stack:
        for members in _pairs(dataset):
            size = sum(_size(content) for _, content in members)
            if written + size > SHARD_BYTES - tarfile.RECORDSIZE:  # which its end may take
                stack.close()
                shard = stack.enter_context(tarfile.open(folder / f"pst-{number:06}.tar", "w"))
                written, number = 0, number + 1
            for name, content in members:
                head = tarfile.TarInfo(name)  # of no time and no owner
                head.size = len(content)
                shard.addfile(head, io.BytesIO(content))
            written += size


def _size(content: bytes) -> int:
    """Bytes of a member: its head and its content, filled up to whole blocks.

    >>> _size(b""), _size(b"a"), _size(b"a" * 513)
    (512, 1024, 1536)
    """
    return tarfile.BLOCKSIZE * (1 + -(-len(content) // tarfile.BLOCKSIZE))


def _pairs(dataset: Dataset) -> Iterator[Members]:
    """The members of each pair; a set's rows and their cells come in one order."""
    both = zip(map(exported.checked, dataset.rows()), dataset.cells(), strict=True)
    for _, twins in groupby(both, key=lambda twin: twin[0].item.pair_id):
        yield [member for row, cells in twins for member in _members(row, cells)]


def _members(row: Row, cells: Cells) -> Members:
    """The picture's own bytes, all cells without pictures, and the mask."""
    name, mask = row.item.item_id, evidence.mask(row)
    facts = json.dumps({column: cells[column] for column in schema.LIGHT}, ensure_ascii=False)
    members = [(f"{name}{row.suffix}", row.image), (f"{name}.json", facts.encode())]
    return members if mask is None else [*members, (f"{name}.mask.png", encode(mask))]
