"""HallusionBench: yes/no questions, the same one over several figures, some of them edited."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pstgen.verification import choices, tables
from pstgen.verification.choices import YES_NO
from pstgen.verification.samples import Sample


def recognizes(path: Path, columns: frozenset[str], /) -> bool:  # noqa: ARG001
    """By its columns."""
    return {"set_id", "figure_id", "question_id", "question"} <= columns


def read(path: Path, names: Mapping[str, str], /) -> Iterator[Sample | str]:  # noqa: ARG001
    """A question over all figures of its set is a pair; asked without a figure it is left out."""
    for n, row in enumerate(tables.rows(path)):
        place = choices.answer(row.get("gt_answer"), YES_NO)
        if str(row.get("visual_input")) == "0" or place < 0 or not row.get("question"):
            yield "is asked without a figure" if place >= 0 else "its answer is neither yes nor no"
            continue
        topic = f"{row.get('category')}-{row.get('subcategory')}-{row.get('set_id')}"
        question = str(row["question"])
        yield Sample(
            name=str(n),
            pair=f"{topic}-{row.get('question_id')}-{question}",
            scene=f"{topic}-{row.get('figure_id')}",
            question=question,
            options=YES_NO,
            answer=place,
            category=str(row.get("subcategory") or ""),
        )
