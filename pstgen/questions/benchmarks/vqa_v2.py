"""VQA v2's official files: questions, and the answers of ten annotators to each."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pstgen.core.records import BadInput
from pstgen.core.report import Refusals
from pstgen.questions.benchmarks import files
from pstgen.questions.benchmarks.files import Example

KIND = "VQA v2"
ANNOTATORS = 10  # of every question
GQA = ("_balanced_", "_all_")  # in the names of GQA's files, which may be in the same folder
ANSWER_TYPES = ("yes/no", "number", "other")


class Question(msgspec.Struct, gc=False):
    """A row of v2_OpenEnded_*_questions.json."""

    question_id: int
    image_id: int
    question: str


class Questions(msgspec.Struct, gc=False):
    """v2_OpenEnded_*_questions.json; `data_subtype` is the split, which is part of the images' names."""

    questions: list[Question]
    data_subtype: str = ""


class Answer(msgspec.Struct, gc=False):
    """An annotator's answer."""

    answer: str
    answer_confidence: str = "yes"
    answer_id: int = 0


class Annotation(msgspec.Struct, gc=False):
    """A row of v2_*_annotations.json."""

    question_id: int
    multiple_choice_answer: str
    answers: list[Answer] = []
    answer_type: str = ""
    question_type: str = ""
    image_id: int = 0


class Annotations(msgspec.Struct, gc=False):
    """v2_*_annotations.json."""

    annotations: list[Annotation]


def annotations(where: Path) -> tuple[Path, dict[int, Annotation]]:
    """The annotations' file and its rows by question. where: the folder, or the questions' or annotations' file.

    Raises BadInput where there is no such file, or where an id occurs twice.
    """
    file = _file(where, "annotations")
    rows = files.decode(file, Annotations, KIND).annotations
    _refuse_duplicates([row.question_id for row in rows], file)
    return file, {row.question_id: row for row in rows}


def questions(where: Path) -> tuple[Path, Questions]:
    """The questions' file and its content. `where` and errors as in `annotations`."""
    file = _file(where, "questions")
    content = files.decode(file, Questions, KIND)
    _refuse_duplicates([row.question_id for row in content.questions], file)
    return file, content


def rows(where: Path) -> Iterator[tuple[Question, str]]:
    """Every question with its most common answer. Raises BadInput where the files are missing or do not match."""
    file, content = questions(where)
    annotated = annotations(where)[1]
    strays = [row.question_id for row in content.questions if row.question_id not in annotated]
    if strays:
        raise BadInput(
            f"{file}: question {strays[0]} has no annotation ({len(strays):,} of {len(content.questions):,} such); "
            "take questions and annotations of the same split"
        )
    for row in content.questions:
        yield row, annotated[row.question_id].multiple_choice_answer


def examples(where: Path, refused: Refusals, images: Path | None = None) -> Iterator[Example]:
    """Every question whose image is at hand, with its most common answer; the others are recorded in `refused`.

    images: the folder of images, or of COCO's splits; without it, `images/` beside the files, or the folder itself.
    An image is called COCO_<split>_<id in twelve digits>, as VQA publishes it, or by those digits alone, as COCO does
    since 2017 (which split the same photographs differently). Raises BadInput as `annotations` does.
    """
    file, content = questions(where)
    annotated = annotations(where)[1]
    split = content.data_subtype if files.PLAIN_NAME.fullmatch(content.data_subtype) else ""
    root = images or next(f for f in (file.parent / "images", file.parent) if f.is_dir())
    folders = [root / name for name in ("", split, "train2017", "val2017")]
    for row in content.questions:
        record = f"question {row.question_id}"
        image = files.picture(folders, (f"COCO_{split}_{row.image_id:012}", f"{row.image_id:012}"))
        if row.question_id not in annotated:
            refused.record(file.name, record, "has no annotation")
        elif image is None:
            refused.record(file.name, record, f"its image {row.image_id} is not in {root}")
        else:
            yield Example(str(row.question_id), image, row.question, annotated[row.question_id].multiple_choice_answer)


def _file(where: Path, kind: str) -> Path:
    """The file of this kind: `where` itself, beside `where`, or the only one in that folder."""
    if where.name.endswith(f"{kind}.json"):
        return where
    if where.is_file() and kind == "annotations":
        return where.with_name(where.name.replace("v2_OpenEnded_", "v2_").replace("questions", kind))
    if where.is_file():
        return where.with_name(where.name.replace("v2_", "v2_OpenEnded_").replace("annotations", kind))
    candidates = [f for f in where.glob(f"*{kind}.json") if not any(part in f.name for part in GQA)]
    return files.only(candidates, where, f"{KIND}'s {kind} (v2_*{kind}.json)")


def _refuse_duplicates(numbers: list[int], file: Path) -> None:
    if len(set(numbers)) < len(numbers):
        number, times = Counter(numbers).most_common(1)[0]
        raise BadInput(f"{file}: question {number} occurs {times} times; ids must be unique")
