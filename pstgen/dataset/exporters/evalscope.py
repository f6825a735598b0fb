"""default_val.jsonl: multiple choice about images as EvalScope's benchmark `general_vmcq` reads it.

Source: the modules evalscope.benchmarks.general_vmcq and evalscope.api.dataset.loader of EvalScope 1.14.1. The file is named by subset and split; a picture stands where `<image 1>` does. It is a data URI, since
EvalScope looks for a relative path in the working directory. Columns that EvalScope does not know are left alone.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pstgen.core import pages
from pstgen.dataset import exported
from pstgen.dataset.store import Dataset

SUBSET, SPLIT = "default", "val"


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write default_val.jsonl and README.md."""
    exported.write_lines(folder / f"{SUBSET}_{SPLIT}.jsonl", _records(dataset))
    text = pages.render("dataset/exporters/evalscope.md.jinja", subset=SUBSET, items=dataset.manifest.items)
    (folder / "README.md").write_text(text, encoding="utf-8")


def _records(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for row in dataset.rows():
        item = row.item
        yield {
            "question": f"<image 1> {item.question}",
            "options": item.options,
            "answer": exported.letter(item),
            "image_1": exported.data_uri(row),
            **{name: getattr(item, name) for name in ("item_id", "pair_id", "role", "lure", "family", "frame")},
        }
