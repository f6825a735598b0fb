"""train.jsonl as ms-swift reads it: `messages`, `images` and, for grounding, `objects`; one file for SFT, DPO and GRPO.

Source: "Custom dataset" of ms-swift's documentation, and the modules swift.dataset.preprocessor.core and
swift.template.base of 4.6.0.
`objects`: `ref` and `bbox` (left, top, right, bottom in pixels of the stored image, `bbox_type` "real") stand for `<ref-object>` and
`<bbox>` of the messages, and are turned into each model's own coordinates; `image_id`: the picture of each box. Messages without those
marks do not use them. `rejected_response` is for DPO; GRPO drops the assistant's turn, and hands the other fields to its rewards.

Paths are taken from the working directory or, where $ROOT_IMAGE_DIR is set, from there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pstgen.dataset import evidence, exported, training_rows
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Dataset
from pstgen.scenes import vocabulary

TRAINER = "ms-swift"
COMMAND = "ROOT_IMAGE_DIR=DIR swift sft --model Qwen/Qwen2.5-VL-3B-Instruct --dataset DIR/train.jsonl"


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write README.md, train.jsonl and images/."""
    exported.write_lines(folder / "train.jsonl", _records(dataset, folder))
    training_rows.write_readme(dataset, folder, TRAINER, COMMAND)


def _records(dataset: Dataset, folder: Path) -> Iterator[dict[str, Any]]:
    for pair in training_rows.twins(dataset.rows()):
        for row, cells in training_rows.graded(pair):
            asked = f"{training_rows.PLACEHOLDER}{training_rows.question(row.item)}"
            yield {
                "messages": training_rows.messages([("user", asked), ("assistant", row.item.answer)]),
                "images": [exported.write_image(row, folder)],
                "rejected_response": training_rows.wrong_answer(row, pair),
                "objects": _objects(row),
                **cells,
            }


def _objects(row: Row) -> dict[str, Any]:
    boxes = [list(box) for box in exported.boxes(row)]
    names = [vocabulary.describe(thing) for thing in evidence.things(row)]
    return {"ref": names, "bbox": boxes, "bbox_type": "real", "image_id": [0] * len(boxes)}
