"""What systems learn from and are examined on: lessons, tokenizer, stress test, exams, and what language knows by itself."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from pstgen.core import plugins
from pstgen.core.config import BuildConfig
from pstgen.core.progress import Progress
from pstgen.core.records import BadInput, Refusals, Scene
from pstgen.dataset import store
from pstgen.evaluation.metrics import gqa as marks_gqa
from pstgen.evaluation.metrics import vqa as marks_vqa
from pstgen.evaluation.metrics.language import Choice, mmlu
from pstgen.questions.benchmarks import gqa, gqa_programs, synthetic, vqa_v2
from pstgen.training import examples, modeling
from pstgen.training.examples import Course
from pstgen.training.recipe import Recipe

LEARNT = 4_000_000  # seeds of worlds; none sees another's scenes
TESTED = {"validation": 5_000_000, "test": 7_000_000}
EXAMINED = {"validation": 8_000_000, "test": 6_000_000}
MANIFEST = "manifest.json"  # of a stress test that is there
CORPUS = 500  # lessons that the tokenizer is trained on
CHOICES, TEXTS = 400, 200  # of the language that is to be kept


@dataclass(frozen=True)
class Materials:
    """Folders. vqa, gqa: where the official files are, with their images; None where that exam is not sat."""

    course: Path
    words: Path
    pst: Path
    vqa: Path | None
    gqa: Path | None
    language: Path


class Language(msgspec.Struct, frozen=True):
    """language.json: sentences that were not learnt, and questions on words alone."""

    texts: tuple[str, ...]
    choices: tuple[Choice, ...]


def folders(out: Path, pst: Path | None, vqa: Path | None, gqa: Path | None) -> Materials:
    """Where everything is, or will be made. Both exams are the world's, unless official files of one are given.

    Raises BadInput where a folder that was given is not there.
    """
    for name, folder in (("pst", pst), ("vqa", vqa), ("gqa", gqa)):
        if folder and not folder.exists():
            raise BadInput(f"--{name} {folder}: no such folder")
    own = None if vqa or gqa else out / "exams"
    return Materials(out / "course", out / "words", pst or out / "pst", vqa or own, gqa or own, out / "language.json")


def given(made: Materials, out: Path) -> dict[str, str]:
    """What the user gave, by name: a folder, and of a stress test the sha256 of its manifest."""
    told = {"pst": made.pst, "vqa": made.vqa, "gqa": made.gqa}
    mine = {name: str(where.absolute()) for name, where in told.items() if where and where.parent != out}
    if "pst" in mine and (made.pst / MANIFEST).is_file():
        mine["sealed"] = sha256((made.pst / MANIFEST).read_bytes()).hexdigest()
    return mine


def check(recipe: Recipe, made: Materials, out: Path) -> None:
    """Raise BadInput where the exams could ask nothing of the recipe's families."""
    if made.vqa == out / "exams":
        _askable(recipe)


def write_exams(recipe: Recipe, out: Path, track: Progress) -> None:
    """The world's exams, and such questions of the world that is learnt from."""
    _exams(recipe, examined(recipe), "test", out / "exams", track)
    _exams(recipe, _read(recipe, LEARNT), "train", out / "exams-train", track)


def write_language(recipe: Recipe, made: Materials) -> None:
    """What measures the language that is to be kept."""
    made.language.write_bytes(msgspec.json.encode(_language(recipe)))


def held(recipe: Recipe, made: Materials, out: Path) -> set[str]:
    """Numbers of the photographs that are examined on, by the exams or the stress test that were given."""
    shown = _exams_given(made, out)
    if recipe.train and (made.pst / MANIFEST).is_file():
        shown |= {examples.number(item.scene_id) for item in store.open(made.pst).items()}
    return shown if recipe.train else set()


def _exams_given(made: Materials, out: Path) -> set[str]:
    """Try every question of official files before anything is trained; give what names their images in COCO.

    What is left out is named in `out`/REFUSED. Raises BadInput where nothing is left of an exam, or cannot be marked.
    """
    refused, shown = Refusals(), set[str]()
    for reader, metric, where in ((vqa_v2, marks_vqa, made.vqa), (gqa, marks_gqa, made.gqa)):
        if not where or where == out / "exams":
            continue
        asked = {one.question_id: one.image for one in reader.examples(where, refused)}
        if not asked:
            first = next(iter(refused.records), None)
            why = f": {first.record} {first.reason}" if first else ""
            raise BadInput(f"{where}: no question can be asked{why} ({len(refused.records):,} left out)")
        metric.measure(dict.fromkeys(asked, ""), where, set(asked))
        if reader is vqa_v2:  # GQA's images have names of their own
            shown |= set(map(examples.number, asked.values()))
    if refused.records:
        store.put(out / examples.REFUSED, b"".join(map(examples.line, refused.records)))
    return shown


def lessons(recipe: Recipe, made: Materials, track: Progress, held: Collection[str] = ()) -> None:
    """Lessons of no scene that is held back, and a tokenizer for a model that is made from random weights."""
    told = examples.prepare(taught(recipe), recipe.plain, made.course, track, held)
    if not recipe.model and not made.words.is_dir():
        modeling.save_tokenizer(recipe, _corpus(told), made.words)


def taught(recipe: Recipe) -> BuildConfig:
    """The scenes that are learnt from."""
    source = {"source": "coco", "root": recipe.train, "split": recipe.split} if recipe.train else {"source": "world"}
    return _world(recipe, LEARNT, recipe.scenes, recipe.typicality, **source)


def tested(recipe: Recipe, out: Path) -> BuildConfig:
    """The stress test: other scenes, of a world of its own."""
    return _world(
        recipe,
        TESTED[recipe.tested_on],
        recipe.pst_scenes,
        recipe.typicality_tested,
        source="world",
        candidates=recipe.pst_pairs,
        edited=recipe.pst_pairs // 2,
        vlm="none",
        out=out,
    )


def _world(recipe: Recipe, seed: int, scenes: int, typicality: float, **more: Any) -> BuildConfig:
    return BuildConfig(
        scenes=scenes, size=recipe.size, typicality=typicality, seed=seed, families=recipe.families, **more
    )


def _exams(recipe: Recipe, scenes: Iterator[Scene], split: str, folder: Path, track: Progress) -> None:
    rules = synthetic.Rules(families=_askable(recipe), per_scene=recipe.exam_questions)
    with store.create(folder) as draft:
        synthetic.write(track(scenes, f"exams: {split}", recipe.exam_scenes), draft, split, rules)


def _askable(recipe: Recipe) -> tuple[str, ...]:
    """The families that GQA has programs for; the stress test asks of the others too. Raises BadInput where there is none."""
    able = {family for family, _ in gqa_programs.FORMS}
    if not (told := tuple(name for name in recipe.families if name in able)):
        raise BadInput(f"families: GQA has no program for any of them; name one of {', '.join(sorted(able))} as well")
    return told


def examined(recipe: Recipe) -> Iterator[Scene]:
    """Scenes that nobody has learnt from, of a world as typical as that of the lessons."""
    return _read(recipe, EXAMINED[recipe.tested_on])


def _read(recipe: Recipe, seed: int) -> Iterator[Scene]:
    config = _world(recipe, seed, recipe.exam_scenes, recipe.typicality, source="world")
    read: Iterator[Scene] = plugins.load("sources", "world").scenes(config, lambda _: True, Refusals())
    return read


def _language(recipe: Recipe) -> Language:
    """Of scenes not learnt: captions, and plain questions with what the lessons' world makes one expect as the answer.

    MMLU's questions stand instead of those where the recipe names a file. Raises BadInput where it is none.
    """
    config = msgspec.structs.replace(taught(recipe), source="world")
    expected = examples.expectation(config)
    texts: list[str] = []
    choices: dict[str, Choice] = {}
    for scene in examined(recipe):
        texts += scene.captions
        lesson = examples.draw(scene, config, 1.0, expected)
        for one in lesson.asked if lesson else ():
            choices.setdefault(one.question, Choice(one.question, one.options, one.expected))
    chosen = mmlu(recipe.mmlu) if recipe.mmlu else islice(choices.values(), CHOICES)
    return Language(tuple(texts[:TEXTS]), tuple(chosen))


def _corpus(lessons: Course) -> Iterator[str]:
    for n in range(min(CORPUS, len(lessons))):
        lesson = lessons.lesson(n)
        yield from (f" {caption}" for caption in lesson.scene.captions)
        for one in lesson.asked:
            yield f"USER: {one.question} ASSISTANT: {one.answer}"
            yield from (f" {option}" for option in one.options)
            yield f" {one.chain}; so {one.answer}"
