"""LLaMA-Factory: conversations to fine-tune on, preferences for DPO, and the dataset_info.json that names both.

Source: the modules llamafactory.data.parser and .converter of 0.9.5: "sharegpt" with `images`, and with `ranking`
for preferences. `--dataset_dir` names the folder, which the pictures' paths start from as well.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pstgen.dataset import exported, training_rows
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Dataset

SFT, DPO = "pst_sft", "pst_dpo"  # by these names `--dataset` finds them
TRAINER = "LLaMA-Factory"
COMMAND = (
    "llamafactory-cli train --stage sft --do_train true --model_name_or_path Qwen/Qwen2.5-VL-3B-Instruct --template qwen2_vl \\\n"
    f"  --dataset_dir DIR --dataset {SFT} --finetuning_type lora --output_dir out/  # or --stage dpo --dataset {DPO}"
)
COLUMNS = {"messages": "conversations", "images": "images"}
RANKED = {**COLUMNS, "chosen": "chosen", "rejected": "rejected"}


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write README.md, dataset_info.json, pst_sft.json, pst_dpo.json and images/."""
    info = {
        SFT: {"file_name": f"{SFT}.json", "formatting": "sharegpt", "columns": COLUMNS},
        DPO: {"file_name": f"{DPO}.json", "formatting": "sharegpt", "ranking": True, "columns": RANKED},
    }
    (folder / "dataset_info.json").write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")
    training_rows.write_list(folder / f"{SFT}.json", _sft(dataset, folder))
    training_rows.write_list(folder / f"{DPO}.json", _dpo(dataset))
    training_rows.write_readme(dataset, folder, TRAINER, COMMAND)


def _sft(dataset: Dataset, folder: Path) -> Iterator[dict[str, Any]]:
    for row in dataset.rows():
        exported.write_image(row, folder)
        answer = {"from": "gpt", "value": row.item.answer}
        yield {"conversations": [_asked(row), answer], **_shared(row)}


def _dpo(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for pair in training_rows.twins(dataset.rows()):
        for row in pair:
            yield {
                "conversations": [_asked(row)],
                "chosen": {"from": "gpt", "value": row.item.answer},
                "rejected": {"from": "gpt", "value": training_rows.wrong_answer(row, pair)},
                **_shared(row),
            }


def _asked(row: Row) -> dict[str, str]:
    return {"from": "human", "value": f"{training_rows.PLACEHOLDER}{training_rows.question(row.item)}"}


def _shared(row: Row) -> dict[str, Any]:
    item = row.item
    images = [exported.image_path(row)]
    return {"images": images, "item_id": item.item_id, "pair_id": item.pair_id, "chain": row.chain}
