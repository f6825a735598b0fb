"""train.parquet for TRL's DPOTrainer: `prompt`, `chosen`, `rejected` and `images`.

Source: the module trl.trainer.dpo_trainer of 1.16.0, which shows the same images with the chosen and the rejected answer. So two twins
are two rows: what is chosen with the picture of the first is rejected with that of the second.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pstgen.dataset import training_rows
from pstgen.dataset.store import Dataset

TRAINER = "TRL (DPOTrainer)"
COMMAND = (
    "trl dpo --model_name_or_path Qwen/Qwen2.5-VL-3B-Instruct --dataset_name DIR --max_length none --output_dir out/"
)
COLUMNS: dict[str, pa.DataType] = {
    **dict.fromkeys(("prompt", "chosen", "rejected"), training_rows.MESSAGES),
    **training_rows.SHOWN,
}


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write README.md and train.parquet, whose images are the very bytes of the set."""
    training_rows.write_parquet(folder, COLUMNS, _records(dataset))
    training_rows.write_readme(dataset, folder, TRAINER, COMMAND)


def _records(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for pair in training_rows.twins(dataset.rows()):
        for row in pair:
            item = row.item
            yield {
                "prompt": training_rows.messages([("user", training_rows.question(item))]),
                "chosen": training_rows.messages([("assistant", item.answer)]),
                "rejected": training_rows.messages([("assistant", training_rows.wrong_answer(row, pair))]),
                **training_rows.shown(row),
            }
