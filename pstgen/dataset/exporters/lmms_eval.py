"""A task folder for lmms-eval, version 0.7.3 or newer: YAML, functions, README.md and the rows as parquet.

Source: the modules lmms_eval.utils, .api.task and .evaluator_utils of 0.7.3. A relative path in
`dataset_kwargs: data_files` is resolved beside the YAML where `dataset_path` is a builder of `datasets` (earlier versions
resolve it in the working directory). Chat models are asked by the messages that lmms-eval makes of `doc_to_visual` and
`doc_to_text`. `cluster_key` and the key `score` of what `process_results` returns give clustered standard errors.

The functions need no pstgen: they hold the source of `models.parsing`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pstgen.dataset import exported, schema
from pstgen.dataset.store import Dataset
from pstgen.models import asking

TASK = "perception_stress_test"  # none of lmms-eval's own has that name
IN_WORDS = f"{TASK}_words"  # the same, asked without letters
DATA = "test.parquet"
TEMPLATES = {
    f"{TASK}.yaml": "task.yaml",
    f"{IN_WORDS}.yaml": "words.yaml",
    "utils.py": "functions.py",
    "README.md": "readme.md",
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
    exported.write_parquet(folder / DATA, COLUMNS, _records(dataset))
    exported.write_task(folder, "lmms_eval", TEMPLATES, dataset, task=TASK, in_words=IN_WORDS, data=DATA)


def _records(dataset: Dataset) -> Iterator[dict[str, Any]]:
    twins = exported.twins(dataset)
    for row in dataset.rows():
        in_words = asking.prompt(row.item.question, row.item.options)
        cells = exported.chat_cells(row.item, COLUMNS, twins)
        yield {**cells, "image": exported.image_cell(row), "prompt_in_words": in_words}
