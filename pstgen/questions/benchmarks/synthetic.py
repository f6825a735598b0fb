"""Exams: scenes with plain questions about them, in the official formats of VQA v2 and of GQA at once."""

import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from pstgen.core import plugins
from pstgen.core.records import BadInput, Fact, Scene, Unavailable
from pstgen.questions import wording
from pstgen.questions.benchmarks import gqa, gqa_programs, vqa_v2
from pstgen.scenes import vocabulary
from pstgen.scenes.truth import layout

FAMILIES = ("existence", "colour", "count")
MOST = 999  # questions an image has at most, so that their ids follow from the image's
YES_OR_NO = ("yes", "no")
LICENCE = {"name": "CC0-1.0; images as their source says", "url": "https://creativecommons.org/publicdomain/zero/1.0/"}


class Exam(NamedTuple):
    """What was written: the questions' file of each format, which also names its set, and how much there is."""

    vqa: Path
    gqa: Path
    images: int
    questions: int


class Row(gqa.Question, rename="camel"):
    """One row of GQA's questions, with what is only written."""

    equivalent: tuple[str, ...] = ()
    full_answer: str = ""
    semantic_str: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How scenes are examined.

    per_scene: questions an image, at most. doubt: how often each of the ten people, who are simulated, gives the answer
    that stands beside the true one among the possible ones.
    """

    families: tuple[str, ...] = FAMILIES
    per_scene: int = 8
    doubt: float = 0.1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """One fact, asked plainly; `number` is the question's id in both formats."""

    number: int
    fact: Fact
    text: str

    @property
    def answer(self) -> str:
        """What is true."""
        return str(self.fact.truth.answer)


Add = Callable[[object, str], None]


def write(scenes: Iterable[Scene], folder: Path, split: str, rules: Rules = Rules()) -> Exam:
    """Ask questions of every scene and write them into `folder`, once as VQA v2 and once as GQA.

    v2_OpenEnded_world_<split>_questions.json and v2_world_<split>_annotations.json; <split>_balanced_questions.json,
    <split>_choices.json and <split>_sceneGraphs.json; and copies of the images, images/COCO_<split>_<twelve digits>.png,
    whose names without ending are GQA's image ids. Both formats have the same questions under the same ids.

    Each sentence that can be asked of a scene is as likely as the other, and yes as likely as no where both can be had;
    open answers are as frequent as the scenes make them. The same scenes and rules give the same bytes. Memory grows
    with the questions' facts alone, not with images or rows. Raises BadInput for a family without a program or a scene
    without an image, Unavailable where the folder cannot be written.
    """
    _sound(rules, split)
    told: list[tuple[str, Fact]] = []
    seen: defaultdict[tuple[str, str, tuple[str, ...]], set[str]] = defaultdict(set)
    images = 0
    try:
        (folder / "images").mkdir(parents=True, exist_ok=True)
        with _open(folder, split) as add:
            for images, scene in enumerate(scenes, 1):
                known = [fact for fact in _facts(scene, rules.families) if fact.truth.known]
                for fact in known:
                    seen[fact.question].add(str(fact.truth.answer))
                asked = _asked(known, images, rules)
                told += [(str(one.number), one.fact) for one in asked]
                name = _copied(scene, folder / "images", f"COCO_{split}_{images:012}")
                for one in asked:
                    add["questions"](vqa_v2.Question(question_id=one.number, image_id=images, question=one.text), "")
                    add["annotations"](_annotation(one, images, rules), "")
                    add["balanced"](_row(one, asked, name), str(one.number))
                add["graphs"](_graph(scene), name)
            for name, fact in told:
                add["choices"](_choices(fact, seen[fact.question]), name)
    except OSError as error:
        raise Unavailable(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    files = _files(folder, split)
    return Exam(files["questions"], files["balanced"], images, len(told))


def _sound(rules: Rules, split: str) -> None:
    able = {family for family, _ in gqa_programs.FORMS}
    if lacking := sorted(set(rules.families) - able):
        raise BadInput(f"no GQA program for {', '.join(lacking)}; there are: {', '.join(sorted(able))}")
    if not re.fullmatch(r"[a-z0-9]+", split):
        raise BadInput(f"{split!r} names no split; take small letters and digits, as in train or test")
    if not 0 < rules.per_scene <= MOST:
        raise BadInput(f"{rules.per_scene} questions an image; take 1 to {MOST}")


def _facts(scene: Scene, families: Sequence[str]) -> Iterator[Fact]:
    for name in families:
        yield from plugins.load("families", name).ask(scene)


def _asked(facts: Sequence[Fact], image_id: int, rules: Rules) -> list[Asked]:
    """Draw a sentence, then yes or no where it is asked for that, then a fact; none twice."""
    rng = np.random.default_rng((rules.seed, image_id))
    shelves: defaultdict[tuple[str, str], defaultdict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    for fact in facts:
        half = str(fact.truth.answer) if _possible(fact) == YES_OR_NO else ""
        shelves[fact.family, fact.form][half].append(fact)
    asked: list[Asked] = []
    while shelves and len(asked) < rules.per_scene:
        form = sorted(shelves)[rng.integers(len(shelves))]
        half = sorted(shelves[form])[rng.integers(len(shelves[form]))]
        fact = shelves[form][half].pop(rng.integers(len(shelves[form][half])))
        text = wording.ask(fact, wording.NEUTRAL, "", int(rng.integers(2**31)))
        asked.append(Asked(1000 * image_id + len(asked), fact, text))
        if not shelves[form][half]:
            del shelves[form][half]
        if not shelves[form]:
            del shelves[form]
    return asked


def _possible(fact: Fact) -> tuple[str, ...]:
    answers: tuple[str, ...] = plugins.load("families", fact.family).answers(fact.form, fact.about)
    return answers


def _annotation(one: Asked, image_id: int, rules: Rules) -> vqa_v2.Annotation:
    """What ten people say. The question's type is its family and form; VQA's own are its questions' usual beginnings."""
    possible = _possible(one.fact)
    at = possible.index(one.answer)
    beside = possible[at + 1] if at + 1 < len(possible) else possible[at - 1]
    wrong = np.random.default_rng((rules.seed, one.number, 1)).random(vqa_v2.ANNOTATORS) < rules.doubt
    answers = [
        vqa_v2.Answer(beside if erring else one.answer, "maybe" if erring else "yes", n)
        for n, erring in enumerate(wrong, 1)
    ]
    kind = "yes/no" if possible == YES_OR_NO else "number" if one.answer.isdigit() else "other"
    return vqa_v2.Annotation(
        question_id=one.number,
        image_id=image_id,
        question_type=f"{one.fact.family} {one.fact.form}",
        answer_type=kind,
        multiple_choice_answer=Counter(said.answer for said in answers).most_common(1)[0][0],
        answers=answers,
    )


def _row(one: Asked, asked: Sequence[Asked], image_id: str) -> Row:
    """The question as GQA has it; it entails those of its own image whose answers follow from its answer."""
    fact = one.fact
    clause = wording.claim(fact, one.answer)
    full = f"{one.answer.capitalize()}, {clause[0].lower()}{clause[1:]}." if one.answer in YES_OR_NO else f"{clause}."
    entailed = [other for other in asked if other is not one and gqa_programs.follows(fact, other.fact)]
    equal = [other for other in entailed if gqa_programs.follows(other.fact, fact)]
    types, groups = gqa_programs.types(fact)
    program = gqa_programs.program(fact)
    return Row(
        image_id=image_id,
        question=one.text,
        answer=one.answer,
        full_answer=full,
        entailed=[str(other.number) for other in entailed],
        equivalent=tuple(str(other.number) for other in (one, *equal)),
        types=types,
        groups=groups,
        semantic=gqa_programs.steps(program),
        semantic_str=program,
        annotations=gqa_programs.pointers(fact, one.text, full),
    )


def _choices(fact: Fact, seen: set[str]) -> gqa.Choices:
    """Valid: what such a question can be answered with. Plausible: of an open one, what is true of it in any scene."""
    valid = list(_possible(fact))
    is_open = gqa_programs.FORMS[fact.family, fact.form].structural == "query"
    return gqa.Choices(valid, [answer for answer in valid if answer in seen] if is_open else valid)


def _graph(scene: Scene) -> gqa.SceneGraph:
    things = {
        str(thing.id): gqa.Thing(
            name=vocabulary.spoken(thing.category),
            x=round(thing.region.x),
            y=round(thing.region.y),
            w=round(thing.region.width),
            h=round(thing.region.height),
            attributes=[thing.colour] if thing.colour else [],
        )
        for thing in scene.instances
    }
    for a, b in permutations(scene.instances, 2):
        for axis, said in (("horizontal", "to the {} of"), ("vertical", "{}")):
            side = layout.side(a, b, scene, axis)
            if side.known:
                things[str(a.id)].relations.append(gqa.Relation(said.format(side.answer), str(b.id)))
    return gqa.SceneGraph(scene.width, scene.height, things)


def _copied(scene: Scene, folder: Path, name: str) -> str:
    source = Path(scene.path)
    if not source.is_file():
        raise BadInput(f"scene {scene.id}: there is no image file {scene.path!r}; take scenes of a source")
    shutil.copyfile(source, folder / f"{name}{'.png' if source.suffix.lower() == '.png' else '.jpg'}")
    return name


def _files(folder: Path, split: str) -> dict[str, Path]:
    return {
        "questions": folder / f"v2_OpenEnded_world_{split}_questions.json",
        "annotations": folder / f"v2_world_{split}_annotations.json",
        "balanced": folder / f"{split}_balanced_questions.json",
        "choices": folder / f"{split}_choices.json",
        "graphs": folder / f"{split}_sceneGraphs.json",
    }


@contextmanager
def _open(folder: Path, split: str) -> Iterator[dict[str, Add]]:
    """What adds a row to each file: VQA's are lists under a head, GQA's are objects by id."""
    head: dict[str, object] = {
        "info": {"description": "pstgen exam; the people are simulated"},
        "license": LICENCE,
        "data_type": "world",
    }
    head |= {"data_subtype": split, "task_type": "Open-Ended"}
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(_growing(file, head, kind))
            if kind in {"questions", "annotations"}
            else stack.enter_context(_growing(file))
            for kind, file in _files(folder, split).items()
        }


@contextmanager
def _growing(file: Path, head: dict[str, object] | None = None, key: str = "") -> Iterator[Add]:
    """A JSON file that is written row by row: a list under `key` after the head, or, without one, an object."""
    begin, end = (msgspec.json.encode(head)[:-1] + f',"{key}":['.encode(), b"\n]}\n") if head else (b"{", b"\n}\n")
    with file.open("wb") as out:
        out.write(begin)

        def add(row: object, name: str) -> None:
            out.write(b"\n" if out.tell() == len(begin) else b",\n")
            out.write((msgspec.json.encode(name) + b":" if name else b"") + msgspec.json.encode(row))

        yield add
        out.write(end)
