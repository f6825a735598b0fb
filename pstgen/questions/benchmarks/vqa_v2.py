"""VQA v2's official files: questions, and to each the answers of ten people."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pstgen.core.records import BadInput, Refusals
from pstgen.questions.benchmarks import files
from pstgen.questions.benchmarks.files import Example

KIND = "VQA v2"
ANNOTATORS = 10
GQA = ("_balanced_", "_all_")  # in the names of GQA's questions, which may lie in the same folder
ANSWER_TYPES = ("yes/no", "number", "other")


class Question(msgspec.Struct, gc=False):
    """One row of v2_OpenEnded_*_questions.json."""

    question_id: int
    image_id: int
    question: str


class Questions(msgspec.Struct, gc=False):
    """v2_OpenEnded_*_questions.json; `data_subtype` is the split, which the images' names hold."""

    questions: list[Question]
    data_subtype: str = ""


class Answer(msgspec.Struct, gc=False):
    """What one of the people said."""

    answer: str
    answer_confidence: str = "yes"
    answer_id: int = 0


class Annotation(msgspec.Struct, gc=False):
    """One row of v2_*_annotations.json."""

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
    """The annotations' file and its rows by question. `where`: the folder, or the questions' or annotations' file.

    Raises BadInput where there is no such file, or an id stands there twice.
    """
    file = _found(where, "annotations")
    rows = files.decode(file, Annotations, KIND).annotations
    _once([row.question_id for row in rows], file)
    return file, {row.question_id: row for row in rows}


def questions(where: Path) -> tuple[Path, Questions]:
    """The questions' file and what it holds. `where` and errors as in `annotations`."""
    file = _found(where, "questions")
    read = files.decode(file, Questions, KIND)
    _once([row.question_id for row in read.questions], file)
    return file, read


def rows(where: Path) -> Iterator[tuple[Question, str]]:
    """Every question with its most common answer. Raises BadInput where the files are missing or do not fit."""
    file, read = questions(where)
    said = annotations(where)[1]
    strays = [row.question_id for row in read.questions if row.question_id not in said]
    if strays:
        raise BadInput(
            f"{file}: question {strays[0]} has no annotation ({len(strays):,} of {len(read.questions):,} such); "
            "take questions and annotations of one split"
        )
    for row in read.questions:
        yield row, said[row.question_id].multiple_choice_answer


def examples(where: Path, refused: Refusals, images: Path | None = None) -> Iterator[Example]:
    """Every question whose image is at hand, with the most common of its answers; the others are named in `refused`.

    images: the folder of images, or of COCO's splits; without it, `images/` beside the files, or the folder itself.
    An image is called COCO_<split>_<id in twelve digits>, as VQA publishes it, or by those digits alone, as COCO does
    since 2017 (which parted the same photographs in another way). Raises BadInput as `annotations` does.
    """
    file, read = questions(where)
    said = annotations(where)[1]
    split = read.data_subtype if files.PLAIN_NAME.fullmatch(read.data_subtype) else ""
    root = images or next(f for f in (file.parent / "images", file.parent) if f.is_dir())
    folders = [root / name for name in ("", split, "train2017", "val2017")]
    for row in read.questions:
        record = f"question {row.question_id}"
        image = files.picture(folders, (f"COCO_{split}_{row.image_id:012}", f"{row.image_id:012}"))
        if row.question_id not in said:
            refused.record(file.name, record, "has no annotation")
        elif image is None:
            refused.record(file.name, record, f"its image {row.image_id} is not in {root}")
        else:
            yield Example(str(row.question_id), image, row.question, said[row.question_id].multiple_choice_answer)


def _found(where: Path, kind: str) -> Path:
    """The file of this kind: named itself, beside its companion, or the only one in the folder."""
    if where.name.endswith(f"{kind}.json"):
        return where
    if where.is_file() and kind == "annotations":
        return where.with_name(where.name.replace("v2_OpenEnded_", "v2_").replace("questions", kind))
    if where.is_file():
        return where.with_name(where.name.replace("v2_", "v2_OpenEnded_").replace("annotations", kind))
    found = [f for f in where.glob(f"*{kind}.json") if not any(part in f.name for part in GQA)]
    return files.only(found, where, f"{KIND}'s {kind} (v2_*{kind}.json)")


def _once(numbers: list[int], file: Path) -> None:
    if len(set(numbers)) < len(numbers):
        number, times = Counter(numbers).most_common(1)[0]
        raise BadInput(f"{file}: question {number} stands there {times} times; each id is of one question")
