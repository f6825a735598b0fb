"""NaturalBench: JSON rows of two questions over two images, with four answers."""

from pathlib import Path
from typing import Any

import msgspec

from pstgen.core.records import BadInput
from pstgen.verification.samples import Sample


def read(path: Path, /) -> list[Sample]:
    """A list of rows, or JSON lines. Each question over both images is a pair: one text, two answers."""
    try:
        data = path.read_bytes()
        rows = (
            msgspec.json.decode(data, type=list[dict[str, Any]])
            if data.lstrip().startswith(b"[")
            else msgspec.json.Decoder(dict[str, Any]).decode_lines(data)
        )
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise BadInput(f"{path}: not NaturalBench's JSON: {error}") from None
    return [sample for n, row in enumerate(rows) for sample in _samples(path, n, row)]


def _samples(path: Path, n: int, row: dict[str, Any]) -> list[Sample]:
    options = ("a", "b") if "multiple" in str(row.get("Question_Type", "")).lower() else ("yes", "no")
    samples = []
    for question in (0, 1):
        for image in (0, 1):
            try:
                text, label = str(row[f"Question_{question}"]), str(row[f"Image_{image}_Question_{question}"])
                answer = options.index(label.strip().lower())
            except (KeyError, ValueError):
                raise BadInput(
                    f"{path}: row {n}: question {question} of image {image} has no text, or no answer among {options}"
                ) from None
            samples.append(Sample(f"{n}-{question}-{image}", f"{n}-{question}", f"{n}-{image}", text, options, answer))
    return samples
