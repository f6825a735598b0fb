"""VLMEvalKit's TSV: index, image, question, A, B, C, D, answer (a letter); yes/no questions too."""

import csv
import sys
from hashlib import sha256
from pathlib import Path

from pstgen.core.records import BadInput
from pstgen.verification.samples import Case

LETTERS = "ABCDEFGH"


def read(path: Path, /) -> list[Case]:
    """Every row; the image (or what stands for it) names the scene, as a hash of its own."""
    csv.field_size_limit(sys.maxsize)
    found = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t")
            if not {"question", "answer"} <= set(rows.fieldnames or ()):
                raise BadInput(f"{path}: has columns {rows.fieldnames}; it takes question and answer at least")
            for n, row in enumerate(rows, 2):
                letters = [letter for letter in LETTERS if (row.get(letter) or "").strip()]
                options = tuple(row[letter].strip() for letter in letters) or ("yes", "no")
                told = (row["answer"] or "").strip()
                answers = letters or [option.lower() for option in options]
                told = told if letters else told.lower()
                if told not in answers:
                    raise BadInput(f"{path}: line {n}: the answer {row['answer']!r} is none of {', '.join(answers)}")
                name = (row.get("index") or str(n)).strip()
                scene = sha256(row["image"].encode()).hexdigest() if row.get("image") else name
                found.append(Case(name, name, scene, row["question"], options, answers.index(told)))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: is no TSV: {error}") from None
    return found
