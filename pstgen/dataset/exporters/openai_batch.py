"""Requests for OpenAI's Batch API, at /v1/chat/completions: batch-00000.jsonl and further files.

Source: the API reference, "Batch": a file holds at most 50,000 requests and 200 MB, and each `custom_id` once. The same files are
read by the batch endpoints of other servers, such as vLLM's `run-batch`. Requests differ from those of another model in the
body's `model` alone, which is a placeholder.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from pstgen.core import pages
from pstgen.core.records import BadInput
from pstgen.dataset import exported
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Dataset

MODEL = "MODEL"  # to be replaced by the model's name
REQUESTS = 50_000
BYTES = 200_000_000
MAX_TOKENS = 128  # of an answer


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write as many files as the limits need, and README.md. Raises BadInput where one request is too large for a file."""
    files = split(dataset.rows(), folder)
    text = pages.render(
        "dataset/exporters/openai_batch.md.jinja", files=files, items=dataset.manifest.items, model=MODEL
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def split(rows: Iterable[Row], folder: Path, *, requests: int = REQUESTS, size: int = BYTES) -> int:
    """Write batch-*.jsonl, each with at most so many requests and bytes; returns how many files. Raises BadInput like `write`."""
    files = 0
    for number, lines in groupby(_numbered(_lines(rows, size), requests, size), key=itemgetter(0)):
        with (folder / f"batch-{number:05}.jsonl").open("wb") as file:
            file.writelines(line for _, line in lines)
        files = number + 1
    return files


def _numbered(lines: Iterable[bytes], requests: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Every line with the number of the file that it goes into."""
    number = count = total = 0
    for line in lines:
        if count == requests or total + len(line) > size:
            number, count, total = number + 1, 0, 0
        count, total = count + 1, total + len(line)
        yield number, line


def _lines(rows: Iterable[Row], size: int) -> Iterator[bytes]:
    for row in rows:
        line = json.dumps(request(row), ensure_ascii=False).encode() + b"\n"
        if len(line) > size:
            raise BadInput(
                f"item {row.item.item_id}: its request has {len(line):,} bytes, and a batch file at most {size:,}; "
                "build the set from smaller images"
            )
        yield line


def request(row: Row) -> dict[str, Any]:
    """One request; custom_id is the item's id."""
    content = [
        {"type": "image_url", "image_url": {"url": exported.data_uri(row)}},
        {"type": "text", "text": exported.prompt(row.item)},
    ]
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": content}],
        "temperature": 0,
        "max_tokens": MAX_TOKENS,
    }
    return {"custom_id": row.item.item_id, "method": "POST", "url": "/v1/chat/completions", "body": body}
