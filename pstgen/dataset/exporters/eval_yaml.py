"""eval.yaml: by which Hugging Face's hub knows a data set as a benchmark, and lists results under it.

Source: https://huggingface.co/docs/hub/eval-results; `evaluation_framework` may be one of one's own.
"""

from pathlib import Path

import yaml

from pstgen.dataset.store import Dataset

FILE = "eval.yaml"
TASK = "pairs_won"


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write eval.yaml."""
    (folder / FILE).write_bytes(page(dataset, folder))


def page(dataset: Dataset, folder: Path, /) -> bytes:  # noqa: ARG001 (as every page)
    """What is written into that folder."""
    pairs = sum(1 for _ in dataset.pairs())
    benchmark = {
        "name": "Perception Stress Test",
        "description": f"{pairs:,} pairs of images, {dataset.manifest.items:,} items: each pair asks one question of images that "
        "answer it differently. The value of the task is the percentage of pairs of which every item is answered correctly; "
        "answers that follow from the words alone win no pair. `pstgen eval` measures it.",
        "evaluation_framework": "pstgen",
        "tasks": [{"id": TASK, "config": "default", "split": "test"}],
    }
    text: str = yaml.safe_dump(benchmark, sort_keys=False, allow_unicode=True, width=120)
    return text.encode()
