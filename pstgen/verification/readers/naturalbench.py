"""NaturalBench: rows of two questions over two images, with four answers."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pstgen.verification import choices, tables
from pstgen.verification.choices import YES_NO
from pstgen.verification.samples import Sample
from pstgen.verification.tables import Row


def recognizes(path: Path, columns: frozenset[str], /) -> bool:  # noqa: ARG001
    """By its columns."""
    return {"Question_0", "Question_1"} <= columns


def read(path: Path, names: Mapping[str, str], /) -> Iterator[Sample | str]:  # noqa: ARG001
    """Each question over both images is a pair: one text, two answers."""
    for n, row in enumerate(tables.rows(path)):
        for question in (0, 1):
            for image in (0, 1):
                yield _sample(n, row, question, image)


def _sample(n: int, row: Row, question: int, image: int) -> Sample | str:
    is_choice = "multiple" in str(row.get("Question_Type", "")).lower()
    text = str(row.get(f"Question_{question}") or "")
    offered = (choices.options(None, text) or ("A", "B")) if is_choice else YES_NO
    answer = choices.answer(row.get(f"Image_{image}_Question_{question}"), offered)
    if not text or answer < 0:
        return "a question has no text, or no answer among its options"
    kind = str(row.get("Question_Type") or "")
    return Sample(f"{n}-{question}-{image}", f"{n}-{question}", f"{n}-{image}", text, offered, answer, category=kind)
