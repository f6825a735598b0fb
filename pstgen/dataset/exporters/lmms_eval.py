"""A task folder for lmms-eval, version 0.7.3 or newer: YAML, functions, README.md and the rows as parquet.

Source: the modules lmms_eval.utils, .api.task and .evaluator_utils of 0.7.3. A relative path in
`dataset_kwargs: data_files` is resolved beside the YAML where `dataset_path` is a builder of `datasets` (earlier versions
resolve it in the working directory). Chat models are asked by the messages that lmms-eval makes of `doc_to_visual` and
`doc_to_text`. `cluster_key` and the key `score` of what `process_results` returns give clustered standard errors.

The functions need no pstgen: they hold the source of `models.parsing`.
"""

import inspect
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from more_itertools import chunked

from pstgen.core import pages
from pstgen.dataset import exported, schema
from pstgen.dataset.rows import Row
from pstgen.dataset.store import BATCH_ROWS, Dataset
from pstgen.models import asking, parsing

TASK = "perception_stress_test"  # none of lmms-eval's own has that name
IN_WORDS = f"{TASK}_words"  # the same, asked without letters
DATA = "test.parquet"
TEMPLATES = {
    f"{TASK}.yaml": "task.yaml.jinja",
    f"{IN_WORDS}.yaml": "words.yaml.jinja",
    "utils.py": "functions.py.jinja",
    "README.md": "readme.md.jinja",
}
COLUMNS: dict[str, pa.DataType] = {
    "item_id": pa.string(),
    "pair_id": pa.string(),
    "twins": pa.int64(),
    "role": pa.string(),
    "image": schema.IMAGE,
    "prompt": pa.string(),
    "prompt_in_words": pa.string(),
    "question": pa.string(),
    "options": pa.list_(pa.string()),
    "answer": pa.string(),
    "letter": pa.string(),
    "lure": pa.string(),
    "family": pa.string(),
    "frame": pa.string(),
}


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write two tasks, utils.py, README.md and test.parquet, whose images are the very bytes of the set."""
    twins = Counter(item.pair_id for item in dataset.items())
    columns = _schema()
    with pq.ParquetWriter(folder / DATA, columns, compression="zstd") as writer:
        for batch in chunked(_records(dataset, twins), BATCH_ROWS):
            writer.write_table(pa.Table.from_pylist(batch, schema=columns))
    values = {
        "task": TASK,
        "in_words": IN_WORDS,
        "data": DATA,
        "items": twins.total(),
        "pairs": len(twins),
        "seal": dataset.manifest.seal,
        "parser": inspect.getsource(parsing),
    }
    for name, template in TEMPLATES.items():
        text = pages.render(f"dataset/exporters/lmms_eval.{template}", **values)
        (folder / name).write_text(text, encoding="utf-8")


def _records(dataset: Dataset, twins: Counter[str]) -> Iterator[dict[str, Any]]:
    for row in dataset.rows():
        item = row.item
        yield {
            **{name: getattr(item, name) for name in COLUMNS if hasattr(item, name)},
            "twins": twins[item.pair_id],
            "image": _image(row),
            "prompt": exported.prompt(item),
            "prompt_in_words": asking.prompt(item.question, item.options),
            "letter": exported.letter(item),
        }


def _image(row: Row) -> dict[str, Any]:
    return {"bytes": row.image, "path": f"{row.item.item_id}{row.suffix}"}


def _schema() -> pa.Schema:
    """The columns, and the note by which `datasets` knows the image."""
    features = {name: _feature(kind) for name, kind in COLUMNS.items()}
    note = msgspec.json.encode({"info": {"features": features}})
    return pa.schema(list(COLUMNS.items()), metadata={"huggingface": note})


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if kind == schema.IMAGE:
        return {"_type": "Image"}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    return {"dtype": str(kind), "_type": "Value"}
