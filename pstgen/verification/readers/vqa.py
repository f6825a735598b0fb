"""VQA v2: the folder of its official questions and annotations; its yes/no questions, as they are asked."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pstgen.questions.benchmarks import vqa_v2
from pstgen.verification.choices import YES_NO
from pstgen.verification.samples import Sample


def recognizes(path: Path, columns: frozenset[str], /) -> bool:  # noqa: ARG001
    """A folder with its two files."""
    return path.is_dir() and all(any(path.glob(f"*{end}.json")) for end in ("questions", "annotations"))


def read(path: Path, names: Mapping[str, str], /) -> Iterator[Sample | str]:  # noqa: ARG001
    """Questions whose most common answer is yes or no; the others have no options. Complementary pairs are not published."""
    for row, answer in vqa_v2.rows(path):
        if answer in YES_NO:
            name = str(row.question_id)
            yield Sample(name, name, str(row.image_id), row.question, YES_NO, YES_NO.index(answer))
        else:
            yield "its answer is neither yes nor no"
