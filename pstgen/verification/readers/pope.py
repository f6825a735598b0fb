"""POPE: JSON lines of question_id, image, text, label (yes or no)."""

from pathlib import Path

import msgspec

from pstgen.core.records import BadInput
from pstgen.verification.samples import Sample

OPTIONS = ("yes", "no")


class Line(msgspec.Struct):
    """One question."""

    text: str
    label: str
    image: str = ""
    question_id: int | str = ""


def read(path: Path, /) -> list[Sample]:
    """Every line; the image names the scene. Questions in the same words are no pair: POPE has none."""
    samples = []
    try:
        with path.open("rb") as file:
            for n, row in enumerate(file, 1):
                if not row.strip():
                    continue
                line = msgspec.json.decode(row, type=Line)
                label = line.label.strip().lower()
                if label not in OPTIONS:
                    raise BadInput(f"{path}: line {n}: label {line.label!r}; POPE's are yes and no")
                name = f"{n:06}"
                samples.append(Sample(name, name, line.image or name, line.text, OPTIONS, OPTIONS.index(label)))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise BadInput(f"{path}: line {n}: {error}") from None
    return samples
