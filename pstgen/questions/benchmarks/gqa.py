"""GQA's official files: questions with their programs, and choices and scene graphs where they are at hand."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pstgen.core.records import BadInput
from pstgen.core.report import Refusals
from pstgen.questions.benchmarks import files
from pstgen.questions.benchmarks.files import Example

KIND = "GQA"
STRUCTURAL = ("verify", "query", "choose", "logical", "compare")
SEMANTIC = ("obj", "attr", "cat", "rel", "global")


class Step(msgspec.Struct, gc=False):
    """An operation of a question's program. dependencies: numbers of the steps whose results it takes."""

    operation: str
    argument: str
    dependencies: list[int]


class Types(msgspec.Struct, gc=False):
    """The question's type: one of STRUCTURAL, one of SEMANTIC, and a detailed one."""

    structural: str = ""
    semantic: str = ""
    detailed: str = ""


class Groups(msgspec.Struct, gc=False):
    """The groups whose questions have comparable answers; None where the question is in no group."""

    all: str | None = msgspec.field(name="global", default=None)
    local: str | None = None


class Pointers(msgspec.Struct, rename="camel", gc=False):
    """The object of the scene graph that a word means: number of the word, or "from:to" -> id of the object."""

    question: dict[str, str] = {}
    answer: dict[str, str] = {}
    full_answer: dict[str, str] = {}


class Question(msgspec.Struct, rename="camel", gc=False):
    """A row of *_questions.json, as far as it is read. The challenge's splits have neither answer nor program."""

    image_id: str
    question: str
    answer: str | None = None
    is_balanced: bool = True
    entailed: list[str] = []
    types: Types = msgspec.field(default_factory=Types)
    groups: Groups = msgspec.field(default_factory=Groups)
    semantic: list[Step] = []
    annotations: Pointers = msgspec.field(default_factory=Pointers)


class Choices(msgspec.Struct, gc=False):
    """A row of *_choices.json. valid: what can be the answer. plausible: what is the answer for such an object in some scene."""

    valid: list[str]
    plausible: list[str]


class Relation(msgspec.Struct, gc=False):
    """An object's relation to another one, which is given by its id."""

    name: str
    object: str


class SceneObject(msgspec.Struct, gc=False):
    """An object of a scene graph; its box in pixels, (x, y) the top-left corner."""

    name: str
    x: float
    y: float
    w: float
    h: float
    attributes: list[str] = []
    relations: list[Relation] = []


class SceneGraph(msgspec.Struct, gc=False):
    """A row of *_sceneGraphs.json."""

    width: int
    height: int
    objects: dict[str, SceneObject]


def questions(where: Path) -> tuple[Path, dict[str, Question]]:
    """The questions' file and its rows. where: the file, or the folder that holds it.

    Raises BadInput where there is no such file, or where an id occurs twice.
    """
    file = _questions_file(where)
    rows = files.decode(file, dict[str, Question], KIND)
    _refuse_duplicates(file, len(rows))
    return file, rows


def choices(file: Path) -> dict[str, Choices] | None:
    """The rows of <split>_choices.json beside the questions' file; None where there is no such file."""
    beside = _beside(file, "choices")
    return files.decode(beside, dict[str, Choices], KIND) if beside.is_file() else None


def scene_graphs(file: Path) -> dict[str, SceneGraph] | None:
    """The rows of <split>_sceneGraphs.json beside the questions' file; None where there is no such file."""
    beside = _beside(file, "sceneGraphs")
    return files.decode(beside, dict[str, SceneGraph], KIND) if beside.is_file() else None


def examples(where: Path, refused: Refusals, images: Path | None = None) -> Iterator[Example]:
    """Every question that has an answer and whose image is at hand; the others are recorded in `refused`.

    images: the folder of <image id>.jpg (or .png); without it, `images/` beside the file. Raises BadInput as
    `questions` does.
    """
    file, rows = questions(where)
    root = images or file.parent / "images"
    for name, row in rows.items():
        image = files.picture([root], [row.image_id])
        if row.answer is None:
            refused.record(file.name, f"question {name}", "has no answer")
        elif image is None:
            refused.record(file.name, f"question {name}", f"its image {row.image_id!r} is not in {root}")
        else:
            yield Example(name, image, row.question, row.answer)


def _questions_file(where: Path) -> Path:
    if where.is_file():
        return where
    unlike = ("_choices.json", "_sceneGraphs.json", "_annotations.json")
    candidates = [f for f in where.glob("*.json") if not f.name.endswith(unlike) and "OpenEnded" not in f.name]
    return files.only(candidates, where, f"{KIND}'s questions")


def _beside(file: Path, kind: str) -> Path:
    """val_balanced_questions.json and val_all_questions.json share val_choices.json."""
    return file.with_name(f"{file.name.split('_')[0]}_{kind}.json")


def _refuse_duplicates(file: Path, rows: int) -> None:
    """Of a key that occurs twice a JSON decoder silently keeps the last row, but every row has an imageId."""
    text = file.read_bytes()
    if text.count(b'"imageId"') != rows:
        pairs = json.loads(text, object_pairs_hook=list)
        name, times = Counter(key for key, _ in pairs).most_common(1)[0]
        raise BadInput(f"{file}: question {name} occurs {times} times; ids must be unique")
