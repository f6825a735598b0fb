"""VLMEvalKit's TSV: index, image, question, A, B, C, D, answer (a letter); yes/no questions too."""

import csv
import sys
from hashlib import sha256
from pathlib import Path

from pstgen.core.records import BadInput
from pstgen.verification.samples import Sample

LETTERS = "ABCDEFGH"


def read(path: Path, /) -> list[Sample]:
    """Every row; the image (or what stands for it) names the scene, as a hash of its own."""
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t")
            if not {"question", "answer"} <= set(rows.fieldnames or ()):
                raise BadInput(f"{path}: has columns {rows.fieldnames}; question and answer are needed at least")
            return [_sample(path, n, row) for n, row in enumerate(rows, 2)]
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: is not TSV: {error}") from None


def _sample(path: Path, line: int, row: dict[str, str]) -> Sample:
    letters = [letter for letter in LETTERS if (row.get(letter) or "").strip()]
    options = tuple(row[letter].strip() for letter in letters) or ("yes", "no")
    answers = letters or [option.lower() for option in options]
    answer = (row["answer"] or "").strip()
    answer = answer if letters else answer.lower()
    if answer not in answers:
        raise BadInput(f"{path}: line {line}: the answer {row['answer']!r} is none of {', '.join(answers)}")
    name = (row.get("index") or str(line)).strip()
    scene = sha256(row["image"].encode()).hexdigest() if row.get("image") else name
    return Sample(name, name, scene, row["question"], options, answers.index(answer))
