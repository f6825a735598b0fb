"""VQA v2: the folder of its official questions and annotations; its yes/no questions, as they are asked."""

from pathlib import Path

from pstgen.questions.benchmarks import vqa_v2
from pstgen.verification.samples import Sample

OPTIONS = ("yes", "no")


def read(path: Path, /) -> list[Sample]:
    """Questions whose most common answer is yes or no; the others have no options. Complementary pairs are not published."""
    return [
        Sample(
            str(row.question_id), str(row.question_id), str(row.image_id), row.question, OPTIONS, OPTIONS.index(answer)
        )
        for row, answer in vqa_v2.rows(path)
        if answer in OPTIONS
    ]
