"""Benchmarks from scenes: plain questions about them, in the official formats of VQA v2 and of GQA at once."""

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

from pstgen.core.records import BadInput, Fact, Scene, Unavailable
from pstgen.questions import families, wording
from pstgen.questions.benchmarks import gqa, gqa_programs, vqa_v2
from pstgen.scenes import vocabulary
from pstgen.scenes.truth import layout

MAX_QUESTIONS = 999  # about an image, so that their ids follow from the image's
YES_OR_NO = ("yes", "no")
LICENCE = {"name": "CC0-1.0; images as their source says", "url": "https://creativecommons.org/publicdomain/zero/1.0/"}

Add = Callable[[object, str], None]


class Benchmark(NamedTuple):
    """What was written: the questions' file in each format, which stands for its set, and how much there is."""

    vqa: Path
    gqa: Path
    images: int
    questions: int


class Row(gqa.Question, rename="camel"):
    """A row of GQA's questions, with the keys that are written and never read."""

    equivalent: tuple[str, ...] = ()
    full_answer: str = ""
    semantic_str: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How questions are drawn.

    families: empty means all that GQA has programs for. per_scene: questions about an image, at most. error_rate: how
    often each of the ten annotators, who are simulated, gives the answer next to the true one among the possible answers.
    """

    families: tuple[str, ...] = ()
    per_scene: int = 8
    error_rate: float = 0.1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """A fact, asked plainly; `number` is the question's id in both formats."""

    number: int
    fact: Fact
    text: str

    @property
    def answer(self) -> str:
        """The true answer."""
        return str(self.fact.truth.answer)


def write(scenes: Iterable[Scene], folder: Path, split: str, rules: Rules = Rules()) -> Benchmark:
    """Ask questions about every scene and write them into `folder`, once as VQA v2 and once as GQA.

    v2_OpenEnded_world_<split>_questions.json and v2_world_<split>_annotations.json; <split>_balanced_questions.json,
    <split>_choices.json and <split>_sceneGraphs.json; and copies of the images, images/COCO_<split>_<twelve digits>.png,
    whose names without ending are GQA's image ids. Both formats have the same questions under the same ids.

    All forms that can be asked of a scene are equally likely, and so are yes and no where both can be had; open answers
    are as frequent as the scenes make them. The same scenes and rules give the same bytes. Memory grows with the
    questions' facts alone, not with images or rows. Raises BadInput for a family without a program or a scene without an
    image, Unavailable where the folder cannot be written.
    """
    _check(rules, split)
    facts: list[tuple[str, Fact]] = []
    true_answers: defaultdict[tuple[str, str, tuple[str, ...]], set[str]] = defaultdict(set)
    images = 0
    try:
        (folder / "images").mkdir(parents=True, exist_ok=True)
        with _open(folder, split) as add:
            for images, scene in enumerate(scenes, 1):
                known = [fact for fact in _facts(scene, rules.families) if fact.truth.known]
                for fact in known:
                    true_answers[fact.question].add(str(fact.truth.answer))
                questions = _draw(known, images, rules)
                facts += [(str(question.number), question.fact) for question in questions]
                image = _copy(scene, folder / "images", f"COCO_{split}_{images:012}")
                for kind, row, name in _rows(scene, questions, image, images, rules):
                    add[kind](row, name)
            for name, fact in facts:
                add["choices"](_choices(fact, true_answers[fact.question]), name)
    except OSError as error:
        raise Unavailable(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    files = _files(folder, split)
    return Benchmark(files["questions"], files["balanced"], images, len(facts))


def _rows(
    scene: Scene, questions: Sequence[Question], image: str, number: int, rules: Rules
) -> Iterator[tuple[str, object, str]]:
    """A scene's rows, each with its file's kind and its name. image, number: the image's id in GQA and in VQA v2."""
    for question in questions:
        yield "questions", vqa_v2.Question(question.number, number, question.text), ""
        yield "annotations", _annotation(question, number, rules), ""
        yield "balanced", _row(question, questions, image), str(question.number)
    yield "graphs", _graph(scene), image


def _check(rules: Rules, split: str) -> None:
    supported = gqa_programs.supported_families()
    if lacking := sorted(set(rules.families) - set(supported)):
        raise BadInput(f"no GQA program for {', '.join(lacking)}; there are: {', '.join(supported)}")
    if not re.fullmatch(r"[a-z0-9]+", split):
        raise BadInput(f"{split!r} is not a split's name; take small letters and digits, as in train or test")
    if not 0 < rules.per_scene <= MAX_QUESTIONS:
        raise BadInput(f"{rules.per_scene} questions an image; take 1 to {MAX_QUESTIONS}")


def _facts(scene: Scene, names: Sequence[str]) -> Iterator[Fact]:
    """Facts of the scene that GQA has a program for: its choices are between two things."""
    for name in names or gqa_programs.supported_families():
        forms = families.gqa_forms(name)
        yield from (fact for fact in families.load(name).ask(scene) if fact.form in forms)


def _draw(facts: Sequence[Fact], image_id: int, rules: Rules) -> list[Question]:
    """Draw a form, then yes or no where those are the answers, then a fact; none twice."""
    rng = np.random.default_rng((rules.seed, image_id))
    left: defaultdict[tuple[str, str], defaultdict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    for fact in facts:
        answer = str(fact.truth.answer) if _possible_answers(fact) == YES_OR_NO else ""
        left[fact.family, fact.form][answer].append(fact)
    questions: list[Question] = []
    while left and len(questions) < rules.per_scene:
        form = sorted(left)[rng.integers(len(left))]
        answer = sorted(left[form])[rng.integers(len(left[form]))]
        fact = left[form][answer].pop(rng.integers(len(left[form][answer])))
        text = wording.ask(fact, wording.NEUTRAL, "", int(rng.integers(2**31)))
        questions.append(Question(1000 * image_id + len(questions), fact, text))
        if not left[form][answer]:
            del left[form][answer]
        if not left[form]:
            del left[form]
    return questions


def _possible_answers(fact: Fact) -> tuple[str, ...]:
    return families.load(fact.family).answers(fact.form, fact.about)


def _annotation(question: Question, image_id: int, rules: Rules) -> vqa_v2.Annotation:
    """Ten annotators' answers. The question's type is its family and form; in VQA v2 it is the question's usual beginning."""
    possible = _possible_answers(question.fact)
    at = possible.index(question.answer)
    wrong = possible[at + 1] if at + 1 < len(possible) else possible[at - 1]
    errs = np.random.default_rng((rules.seed, question.number, 1)).random(vqa_v2.ANNOTATORS) < rules.error_rate
    answers = [
        vqa_v2.Answer(wrong if err else question.answer, "maybe" if err else "yes", n) for n, err in enumerate(errs, 1)
    ]
    kind = "yes/no" if possible == YES_OR_NO else "number" if question.answer.isdigit() else "other"
    return vqa_v2.Annotation(
        question_id=question.number,
        image_id=image_id,
        question_type=f"{question.fact.family} {question.fact.form}",
        answer_type=kind,
        multiple_choice_answer=Counter(answer.answer for answer in answers).most_common(1)[0][0],
        answers=answers,
    )


def _row(question: Question, questions: Sequence[Question], image_id: str) -> Row:
    """The question as GQA has it; it entails those about the same image whose answers follow from its answer."""
    fact, answer = question.fact, question.answer
    clause = wording.claim(fact, answer)
    full = f"{answer.capitalize()}, {clause[0].lower()}{clause[1:]}." if answer in YES_OR_NO else f"{clause}."
    entailed = [q for q in questions if q is not question and gqa_programs.entails(fact, q.fact)]
    equivalent = [q for q in entailed if gqa_programs.entails(q.fact, fact)]
    types, groups = gqa_programs.types(fact)
    program = gqa_programs.program(fact)
    return Row(
        image_id=image_id,
        question=question.text,
        answer=answer,
        full_answer=full,
        entailed=[str(q.number) for q in entailed],
        equivalent=tuple(str(q.number) for q in (question, *equivalent)),
        types=types,
        groups=groups,
        semantic=gqa_programs.steps(program),
        semantic_str=program,
        annotations=gqa_programs.pointers(fact, question.text, full),
    )


def _choices(fact: Fact, true_answers: set[str]) -> gqa.Choices:
    """Valid: what such a question can be answered with. Plausible: of an open question, what is true of it in some scene."""
    valid = list(_possible_answers(fact))
    is_open = gqa_programs.form_of(fact).structural == "query"
    return gqa.Choices(valid, [answer for answer in valid if answer in true_answers] if is_open else valid)


def _graph(scene: Scene) -> gqa.SceneGraph:
    objects = {
        str(thing.id): gqa.SceneObject(
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
        for axis, relation in (("horizontal", "to the {} of"), ("vertical", "{}")):
            side = layout.side(a, b, scene, axis)
            if side.known:
                objects[str(a.id)].relations.append(gqa.Relation(relation.format(side.answer), str(b.id)))
    return gqa.SceneGraph(scene.width, scene.height, objects)


def _copy(scene: Scene, folder: Path, name: str) -> str:
    """Copy the scene's image and return `name`, its id."""
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
    """For each file, the function that adds a row: VQA's files are lists under a head, GQA's are objects by id."""
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
    """A JSON file that is written row by row: a list under `key` after the head, or, without a head, an object."""
    begin, end = (msgspec.json.encode(head)[:-1] + f',"{key}":['.encode(), b"\n]}\n") if head else (b"{", b"\n}\n")
    with file.open("wb") as out:
        out.write(begin)

        def add(row: object, name: str) -> None:
            out.write(b"\n" if out.tell() == len(begin) else b",\n")
            out.write((msgspec.json.encode(name) + b":" if name else b"") + msgspec.json.encode(row))

        yield add
        out.write(end)
