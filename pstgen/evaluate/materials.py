"""What systems learn from and are examined on: lessons, tokenizer, stress test, exams, and what language knows by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from pstgen import build, course, exams, plugins
from pstgen.config import BuildConfig
from pstgen.course import Course
from pstgen.metrics.language import Choice
from pstgen.recipe import Recipe
from pstgen.records import BadInput, Refusals, Scene
from pstgen.speaker import asked
from pstgen.train import models

LEARNT, TESTED, EXAMINED = 4_000_000, 5_000_000, 6_000_000  # seeds of the worlds; none sees another's scenes
CORPUS = 500  # lessons that the tokenizer is trained on
CHOICES, TEXTS = 400, 200  # of the language that is to be kept

Track = Callable[..., Any]


@dataclass(frozen=True)
class Materials:
    """Folders. vqa, gqa: where the official files are, with their images."""

    course: Path
    words: Path
    pst: Path
    vqa: Path
    gqa: Path
    language: Path


class Language(msgspec.Struct, frozen=True):
    """language.json: sentences that were not learnt, and questions that one who never looks answers as one expects."""

    texts: tuple[str, ...]
    choices: tuple[Choice, ...]


def gather(recipe: Recipe, out: Path, given: Materials | None, track: Track) -> Materials:
    """Make whatever the user did not give; what is there already is taken as it is.

    Raises BadInput where a folder that was given does not fit.
    """
    made = given or Materials(
        *(out / name for name in ("course", "words", "pst", "exams", "exams", "language.json")),
    )
    lessons = course.prepare(taught(recipe), recipe.plain, made.course, track)
    if not recipe.model and not made.words.is_dir():
        models.save_tokenizer(_corpus(lessons), recipe.vocabulary, made.words)
    if not (made.pst / "manifest.json").is_file():
        build.build(build.settled(tested(recipe, made.pst)), track)
    if not made.vqa.is_dir():
        _exams(recipe, made.vqa, track)
    if not made.language.is_file():
        made.language.write_bytes(msgspec.json.encode(_language(recipe)))
    return made


def taught(recipe: Recipe) -> BuildConfig:
    """The scenes that are learnt from."""
    source = {"source": "coco", "root": recipe.train, "split": recipe.split} if recipe.train else {"source": "world"}
    return _world(recipe, LEARNT, recipe.scenes, recipe.typicality, **source)


def tested(recipe: Recipe, out: Path) -> BuildConfig:
    """The stress test: other scenes, of a world of its own."""
    return _world(
        recipe,
        TESTED,
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


def _exams(recipe: Recipe, folder: Path, track: Track) -> None:
    scenes = examined(recipe)
    rules = exams.Rules(families=recipe.families, per_scene=recipe.exam_questions)
    exams.write(track(scenes, "exams", recipe.exam_scenes), folder, "test", rules)


def examined(recipe: Recipe) -> Iterator[Scene]:
    """Scenes that nobody has learnt from, of the world that the lessons come from."""
    config = _world(recipe, EXAMINED, recipe.exam_scenes, recipe.typicality, source="world")
    read: Iterator[Scene] = plugins.load("sources", "world").scenes(config, lambda _: True, Refusals())
    return read


def _language(recipe: Recipe) -> Language:
    """Of scenes not learnt: captions, and plain questions with what the lessons' world makes one expect as the answer."""
    config = msgspec.structs.replace(taught(recipe), source="world")
    expected = course.expectation(config)
    texts: list[str] = []
    choices: dict[str, Choice] = {}
    for scene in examined(recipe):
        texts += scene.captions
        lesson = course.draw(scene, config, 1.0, expected)
        for one in lesson.asked if lesson else ():
            choices.setdefault(one.question, Choice(one.question, one.options, one.expected))
    return Language(tuple(texts[:TEXTS]), tuple(islice(choices.values(), CHOICES)))


def _corpus(lessons: Course) -> Iterator[str]:
    for n in range(min(CORPUS, len(lessons))):
        lesson = lessons.lesson(n)
        yield from (f" {caption}" for caption in lesson.scene.captions)
        for one in lesson.asked:
            yield f"USER: {asked(one.question, one.options)} ASSISTANT: {one.answer}"
            yield from (f" {option}" for option in one.options)
            yield f" {one.chain}; so {one.answer}"


def sound(materials: Materials) -> None:
    """Refuse folders of the user's that are not there."""
    for name in ("pst", "vqa", "gqa"):
        folder = getattr(materials, name)
        if not folder.exists():
            raise BadInput(f"--{name} {folder}: no such folder")
