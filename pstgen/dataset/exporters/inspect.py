"""A folder for inspect-ai: as a dataset of Hugging Face's hub with eval.yaml, and with a task file of its own for use on the spot.

Source: the module inspect_ai._eval.task.hf of inspect-ai 0.3.285, which reads eval.yaml: `field_spec` names the columns, `input_image` that
of a data URI, and `config` the configuration that has them. The configuration `default` are the files of the set itself, for
`datasets`; the configuration `inspect` are the same items with data URIs. eval.yaml can name no metric of ours, so it
gives the share of items; the task file gives that of pairs too, and needs no pstgen: it holds the source of `models.parsing`.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pstgen.dataset import exported
from pstgen.dataset.store import Dataset

CONFIG = "inspect"
ROWS = f"{CONFIG}/test-00000-of-00001.parquet"
TEMPLATES = {"eval.yaml": "eval.yaml", "pst.py": "task.py", "README.md": "readme.md"}
METADATA = ("item_id", "pair_id", "twins", "role", "answer", "lure", "family", "frame")
COLUMNS: dict[str, pa.DataType] = {
    **dict.fromkeys(METADATA, pa.string()),
    "twins": pa.int64(),
    "question": pa.string(),
    "prompt": pa.string(),
    "options": pa.list_(pa.string()),
    "letter": pa.string(),
    "image_uri": pa.string(),
}


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write eval.yaml, pst.py, README.md, inspect/test-*.parquet, and data/test-*.parquet as they are in the set."""
    (folder / "data").mkdir()
    for shard in dataset.shards:
        shutil.copyfile(shard, folder / "data" / shard.name)
    (folder / CONFIG).mkdir()
    exported.write_parquet(folder / ROWS, COLUMNS, _records(dataset))
    exported.write_task(folder, "inspect", TEMPLATES, dataset, config=CONFIG, rows=ROWS, metadata=METADATA)


def _records(dataset: Dataset) -> Iterator[dict[str, Any]]:
    twins = exported.twins(dataset)
    for row in dataset.rows():
        yield {**exported.chat_cells(row.item, COLUMNS, twins), "image_uri": exported.data_uri(row)}
