"""train.parquet for EasyR1: `problem`, `answer` and `images`.

Source: "Custom dataset" of EasyR1's page, its configuration of examples, and its module verl.utils.dataset: the picture stands where `<image>`
does. Its rewards are given the response and the answer alone; further columns are left alone.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pstgen.dataset import exported, training_rows
from pstgen.dataset.store import Dataset

TRAINER = "EasyR1"
COMMAND = (
    "python -m verl.trainer.main config=config.yaml data.train_files=DIR/train.parquet data.val_files=DIR/train.parquet \\\n"
    "  data.format_prompt=null worker.actor.model.model_path=Qwen/Qwen2.5-VL-3B-Instruct"
)
COLUMNS: dict[str, pa.DataType] = {
    "problem": pa.string(),
    "answer": pa.string(),
    "images": training_rows.IMAGES,
    **{name: kind for name, kind in training_rows.GRADING.items() if name != "answer"},
}


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write README.md and train.parquet, whose images are the very bytes of the set."""
    training_rows.write_parquet(folder, COLUMNS, _records(dataset))
    training_rows.write_readme(dataset, folder, TRAINER, COMMAND)


def _records(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for row, cells in training_rows.graded(dataset.rows()):
        problem = f"{training_rows.PLACEHOLDER}{training_rows.question(row.item)}"
        yield {"problem": problem, "images": [exported.image_cell(row)], **cells}
