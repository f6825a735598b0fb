"""train.parquet for TRL's GRPOTrainer: `prompt`, `image`, and the columns that `pstgen.rewards` needs.

Source: the module trl.trainer.grpo_trainer of 1.16.0, which hands every column but the prompt to the rewards. Twins stand beside each
other; what keeps them in one batch is in docs/training-on-pairs.md.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pstgen.dataset import exported, schema, training_rows
from pstgen.dataset.store import Dataset

TRAINER = "TRL (GRPOTrainer)"
COMMAND = (
    "trl grpo --model_name_or_path Qwen/Qwen2.5-VL-3B-Instruct --dataset_name DIR --shuffle_dataset false \\\n"
    "  --reward_funcs pstgen.rewards.answer pstgen.rewards.pair_gate --output_dir out/"
)
COLUMNS: dict[str, pa.DataType] = {
    "prompt": training_rows.MESSAGES,
    "image": schema.IMAGE,
    **training_rows.GRADING,
}


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write README.md and train.parquet, whose images are the very bytes of the set."""
    training_rows.write_parquet(folder, COLUMNS, _records(dataset))
    training_rows.write_readme(dataset, folder, TRAINER, COMMAND)


def _records(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for row, cells in training_rows.graded(dataset.rows()):
        prompt = training_rows.messages([("user", training_rows.question(row.item))])
        yield {"prompt": prompt, "image": exported.image_cell(row), **cells}
