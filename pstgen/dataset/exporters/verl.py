"""train.parquet for verl: `data_source`, `prompt`, `images`, `ability`, `reward_model` and `extra_info`.

Source: the modules verl.utils.dataset.rl_dataset and verl.workers.reward_manager.naive of 0.9.1: the picture stands where `<image>` does,
and the reward is given `data_source`, `reward_model["ground_truth"]` and `extra_info`, as `pstgen.rewards.score` takes them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pstgen.dataset import exported, training_rows
from pstgen.dataset.store import Dataset

TRAINER = "verl"
COMMAND = (
    "python -m verl.trainer.main_ppo algorithm.adv_estimator=grpo data.train_files=DIR/train.parquet data.val_files=DIR/train.parquet \\\n"
    "  data.image_key=images actor_rollout_ref.model.path=Qwen/Qwen2.5-VL-3B-Instruct \\\n"
    "  reward.custom_reward_function.path=pkg://pstgen.rewards reward.custom_reward_function.name=score"
)
SOURCE, ABILITY = "pstgen", "perception"
EXTRA = {"split": pa.string(), "index": pa.int64(), "question": pa.string(), **training_rows.GRADING}
COLUMNS: dict[str, pa.DataType] = {
    "data_source": pa.string(),
    "prompt": training_rows.MESSAGES,
    "images": training_rows.IMAGES,
    "ability": pa.string(),
    "reward_model": pa.struct([("style", pa.string()), ("ground_truth", pa.string())]),
    "extra_info": pa.struct(list(EXTRA.items())),
}


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write README.md and train.parquet, whose images are the very bytes of the set."""
    training_rows.write_parquet(folder, COLUMNS, _records(dataset))
    training_rows.write_readme(dataset, folder, TRAINER, COMMAND)


def _records(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for index, (row, cells) in enumerate(training_rows.graded(dataset.rows())):
        asked = f"{training_rows.PLACEHOLDER}{training_rows.question(row.item)}"
        yield {
            "data_source": SOURCE,
            "prompt": training_rows.messages([("user", asked)]),
            "images": [exported.image_cell(row)],
            "ability": ABILITY,
            "reward_model": {"style": "rule", "ground_truth": row.item.answer},
            "extra_info": {"split": "train", "index": index, "question": row.item.question, **cells},
        }
