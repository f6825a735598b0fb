"""GQA's official files: questions with their programs, and beside them choices and scene graphs, where there are any."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pstgen.core.records import BadInput, Refusals
from pstgen.questions.benchmarks import files
from pstgen.questions.benchmarks.files import Example

KIND = "GQA"
STRUCTURAL = ("verify", "query", "choose", "logical", "compare")
SEMANTIC = ("obj", "attr", "cat", "rel", "global")


class Step(msgspec.Struct, gc=False):
    """One operation of a question's program; it takes the results of the steps whose numbers it names."""

    operation: str
    argument: str
    dependencies: list[int]


class Types(msgspec.Struct, gc=False):
    """What kind of question it is: one of STRUCTURAL, one of SEMANTIC, and a name of its own."""

    structural: str = ""
    semantic: str = ""
    detailed: str = ""


class Groups(msgspec.Struct, gc=False):
    """Questions whose answers are compared as a whole; none where that says nothing."""

    all: str | None = msgspec.field(name="global", default=None)
    local: str | None = None


class Pointers(msgspec.Struct, rename="camel", gc=False):
    """Which object of the scene graph a word means: number of the word, or "from:to", -> id of the object."""

    question: dict[str, str] = {}
    answer: dict[str, str] = {}
    full_answer: dict[str, str] = {}


class Question(msgspec.Struct, rename="camel", gc=False):
    """One row of *_questions.json: what is read of it. Splits for the challenge have neither answer nor program."""

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
    """One row of *_choices.json: what can be the answer at all, and what is one of such a thing anywhere."""

    valid: list[str]
    plausible: list[str]


class Relation(msgspec.Struct, gc=False):
    """How a thing stands to another one, given by its id."""

    name: str
    object: str


class Thing(msgspec.Struct, gc=False):
    """One object of a scene graph; its box in pixels, (x, y) the top-left corner."""

    name: str
    x: float
    y: float
    w: float
    h: float
    attributes: list[str] = []
    relations: list[Relation] = []


class SceneGraph(msgspec.Struct, gc=False):
    """One row of *_sceneGraphs.json."""

    width: int
    height: int
    objects: dict[str, Thing]


def questions(where: Path) -> tuple[Path, dict[str, Question]]:
    """The questions' file and its rows. `where`: the file, or a folder that holds one.

    Raises BadInput where there is no such file, or an id stands there twice.
    """
    file = _found(where)
    rows = files.decode(file, dict[str, Question], KIND)
    _once(file, len(rows))
    return file, rows


def choices(file: Path) -> dict[str, Choices] | None:
    """What stands in <split>_choices.json beside the questions' file; None where there is no such file."""
    beside = _beside(file, "choices")
    return files.decode(beside, dict[str, Choices], KIND) if beside.is_file() else None


def scene_graphs(file: Path) -> dict[str, SceneGraph] | None:
    """What stands in <split>_sceneGraphs.json beside the questions' file; None where there is no such file."""
    beside = _beside(file, "sceneGraphs")
    return files.decode(beside, dict[str, SceneGraph], KIND) if beside.is_file() else None


def examples(where: Path, refused: Refusals, images: Path | None = None) -> Iterator[Example]:
    """Every question that has an answer and whose image is at hand; the others are named in `refused`.

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


def _found(where: Path) -> Path:
    if where.is_file():
        return where
    others = ("_choices.json", "_sceneGraphs.json", "_annotations.json")
    found = [f for f in where.glob("*.json") if not f.name.endswith(others) and "OpenEnded" not in f.name]
    return files.only(found, where, f"{KIND}'s questions")


def _beside(file: Path, kind: str) -> Path:
    """val_balanced_questions.json and val_all_questions.json share val_choices.json."""
    return file.with_name(f"{file.name.split('_')[0]}_{kind}.json")


def _once(file: Path, number: int) -> None:
    """A JSON object whose key stands there twice keeps the last row without a word; each row has one imageId."""
    told = file.read_bytes()
    if told.count(b'"imageId"') != number:
        pairs = json.loads(told, object_pairs_hook=list)
        name, times = Counter(key for key, _ in pairs).most_common(1)[0]
        raise BadInput(f"{file}: question {name} stands there {times} times; each id is of one question")
