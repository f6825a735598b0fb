"""A folder for inspect-ai: as a dataset of Hugging Face's hub with eval.yaml, and with a task file of its own for use on the spot.

Source: the module inspect_ai._eval.task.hf of inspect-ai 0.3.285, which reads eval.yaml: `field_spec` names the columns, `input_image` that
of a data URI, and `config` the configuration that has them. The configuration `default` are the files of the set itself, for
`datasets`; the configuration `inspect` are the same items with data URIs. eval.yaml can name no metric of ours, so it
gives the share of items; the task file gives that of pairs too, and needs no pstgen: it holds the source of `models.parsing`.
"""

import inspect
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from more_itertools import chunked

from pstgen.core import pages
from pstgen.dataset import exported
from pstgen.dataset.store import BATCH_ROWS, Dataset
from pstgen.models import parsing

CONFIG = "inspect"
ROWS = f"{CONFIG}/test-00000-of-00001.parquet"
TEMPLATES = {"eval.yaml": "eval.yaml.jinja", "pst.py": "task.py.jinja", "README.md": "readme.md.jinja"}
METADATA = ("item_id", "pair_id", "twins", "role", "answer", "lure", "family", "frame")
SCHEMA = pa.schema(
    [
        *((name, pa.int64() if name == "twins" else pa.string()) for name in METADATA),
        ("question", pa.string()),
        ("prompt", pa.string()),
        ("options", pa.list_(pa.string())),
        ("letter", pa.string()),
        ("image_uri", pa.string()),
    ]
)


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write eval.yaml, pst.py, README.md, inspect/test-*.parquet, and data/test-*.parquet as they are in the set."""
    twins = Counter(item.pair_id for item in dataset.items())
    (folder / "data").mkdir()
    for shard in dataset.shards:
        shutil.copyfile(shard, folder / "data" / shard.name)
    (folder / CONFIG).mkdir()
    with pq.ParquetWriter(folder / ROWS, SCHEMA, compression="zstd") as writer:
        for batch in chunked(_records(dataset, twins), BATCH_ROWS):
            writer.write_table(pa.Table.from_pylist(batch, schema=SCHEMA))
    values = {
        "config": CONFIG,
        "rows": ROWS,
        "metadata": METADATA,
        "items": twins.total(),
        "pairs": len(twins),
        "parser": inspect.getsource(parsing),
    }
    for name, template in TEMPLATES.items():
        text = pages.render(f"dataset/exporters/inspect.{template}", **values)
        (folder / name).write_text(text, encoding="utf-8")


def _records(dataset: Dataset, twins: Counter[str]) -> Iterator[dict[str, Any]]:
    for row in dataset.rows():
        item = row.item
        yield {
            **{name: getattr(item, name) for name in SCHEMA.names if hasattr(item, name)},
            "twins": twins[item.pair_id],
            "prompt": exported.prompt(item),
            "letter": exported.letter(item),
            "image_uri": exported.data_uri(row),
        }
