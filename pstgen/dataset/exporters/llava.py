"""LLaVA's conversations: train.json and images/, as LLaVA, LLaVA-NeXT and the trainers that read their format take them.

Source: LLaVA's page "Finetune LLaVA on Custom Datasets" and its module llava.train.train: `--data_path` names the list, `--image_folder` the folder that
its paths start from; the picture stands where `<image>` does. Fields that LLaVA does not know are left alone.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pstgen.dataset import exported, training_rows
from pstgen.dataset.store import Dataset

TRAINER = "LLaVA"
COMMAND = "python -m llava.train.train_mem --data_path DIR/train.json --image_folder DIR --output_dir out/"


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write README.md, train.json and images/."""
    training_rows.write_list(folder / "train.json", _records(dataset, folder))
    training_rows.write_readme(dataset, folder, TRAINER, COMMAND)


def _records(dataset: Dataset, folder: Path) -> Iterator[dict[str, Any]]:
    for row in dataset.rows():
        item = row.item
        yield {
            "id": item.item_id,
            "image": exported.write_image(row, folder),
            "conversations": [
                {"from": "human", "value": f"{training_rows.PLACEHOLDER}\n{training_rows.question(item)}"},
                {"from": "gpt", "value": item.answer},
            ],
            "pair_id": item.pair_id,
            "chain": row.chain,
        }
