"""train.parquet for TRL's SFTTrainer: `messages` and `images`.

Source: the modules trl.trainer.sft_trainer and trl.data_utils of 1.16.0: of messages whose contents are text, TRL puts the row's images
before the first turn of the user. Further columns are left out by the trainer.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pstgen.dataset import training_rows
from pstgen.dataset.store import Dataset

TRAINER = "TRL (SFTTrainer)"
COMMAND = (
    "trl sft --model_name_or_path Qwen/Qwen2.5-VL-3B-Instruct --dataset_name DIR --max_length none --output_dir out/"
)
COLUMNS: dict[str, pa.DataType] = {
    "messages": training_rows.MESSAGES,
    **training_rows.SHOWN,
}


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write README.md and train.parquet, whose images are the very bytes of the set."""
    training_rows.write_parquet(folder, COLUMNS, _records(dataset))
    training_rows.write_readme(dataset, folder, TRAINER, COMMAND)


def _records(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for row in dataset.rows():
        item = row.item
        yield {
            "messages": training_rows.messages([("user", training_rows.question(item)), ("assistant", item.answer)]),
            **training_rows.shown(row),
        }
