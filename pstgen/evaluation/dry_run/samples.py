"""A small sample of what a run makes before it trains, each kind timed: lessons, stress test, exams."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import msgspec

from pstgen.core import plugins
from pstgen.core.config import BuildConfig
from pstgen.core.progress import Progress, silent
from pstgen.core.records import BadInput, Refusals, Scene
from pstgen.dataset import sampling, store
from pstgen.dataset.store import Row
from pstgen.evaluation import data as shelf
from pstgen.evaluation.data import Language, Materials
from pstgen.evaluation.dry_run import clock
from pstgen.models.answerer import Query
from pstgen.models.tools import listed, many
from pstgen.questions.benchmarks import gqa, vqa_v2
from pstgen.scenes import pixels
from pstgen.training import examples
from pstgen.training.recipe import Recipe

LESSONS = 48  # scenes, or as many as a batch has images
TESTED, PAIRS = 60, 6  # scenes of the stress test, and pairs of each family
EXAMINED = 12  # scenes of the exams
WARM_UP = 4  # scenes of lessons, and five times as many of the stress test
SEARCHED = 1000  # scenes, at most, that are searched for a pair
ROWS, QUESTIONS = 16, 16  # that answers are timed on

Build = Callable[[BuildConfig, Progress], None]
CACHE = "XDG_CACHE_HOME"  # where the world keeps the scenes that it has drawn


@dataclass(frozen=True)
class Example:
    """A kind of example. scenes: how many a run takes; seconds: what those take on one core."""

    name: str
    scenes: int
    seconds: float


@dataclass(frozen=True)
class Exam:
    """Questions to time answers on, and how many a run asks.

    rows: of the stress test, which has at most so many `items`. questions: of both exams, which ask at most `number`.
    """

    rows: Sequence[Row]
    items: int
    questions: Sequence[Query]
    number: int
    language: Language


@dataclass(frozen=True)
class Samples:
    """What was made. materials: its folders; exam: None where nothing is evaluated."""

    examples: Sequence[Example]
    materials: Materials
    exam: Exam | None


def gather(  # noqa: PLR0913 (where everything is)
    recipe: Recipe,
    given: Materials,
    out: Path,
    work: Path,
    progress: Progress,
    *,
    build: Build,
    lessons_alone: bool = False,
) -> Samples:
    """Make, in the folder `work`, a sample of all that a run in `out` would make; what the user gave is read as it is.

    build: builds a stress test.
    """
    number = min(recipe.scenes, max(LESSONS, recipe.batch))
    made = replace(shelf.folders(work, None, None, None), course=work / f"lessons-{number}")
    built, own = not (given.pst / shelf.MANIFEST).is_file(), given.vqa == out / "exams"
    makers: list[Callable[[], Example]] = [lambda: _lessons(recipe, made, number)]
    if not lessons_alone:
        makers += [lambda: _stress_test(recipe, made.pst, build)] * built
        makers += [lambda: _exams(recipe, made, work)] * own
        makers += [lambda: _language(recipe, made, number)]
    examples = [make() for make in progress(makers, "sampling examples", len(makers))]
    if lessons_alone:
        return Samples(examples, made, None)
    made = made if built else replace(made, pst=given.pst)
    made = replace(made, gqa=None) if own else replace(made, vqa=given.vqa, gqa=given.gqa)
    return Samples(examples, made, _most(_read(made), recipe, built=built, own=own))


def _most(exam: Exam, recipe: Recipe, *, built: bool, own: bool) -> Exam:
    """With how many there are, at most, of what is a sample."""
    families = recipe.families or plugins.names("families")
    items = 2 * recipe.pst_pairs * len(families) if built else exam.items
    return replace(exam, items=items, number=recipe.exam_scenes * recipe.exam_questions if own else exam.number)


def seen(scene: Scene) -> str:
    """What a detector that makes no mistake would tell of a scene."""
    colours: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for thing in scene.instances:
        colours[thing.category][thing.colour] += 1
    things = []
    for kind, shades in sorted(colours.items()):
        colour = shades.most_common(1)[0][0]
        things.append(many(kind, shades.total(), f"{colour} " if colour else ""))
    return listed(things)


def _read(made: Materials) -> Exam:
    """Some of the questions of each kind, and how many there are."""
    dataset = store.open(made.pst)
    rows = [row for pair in sampling.pick(dataset, ROWS // 2) for row in pair]
    questions, number = list[Query](), 0
    for reader, where in ((vqa_v2, made.vqa), (gqa, made.gqa)):
        examples = reader.examples(where, Refusals()) if where else iter(())
        first = list(islice(examples, QUESTIONS))
        questions += [Query(each.question_id, each.question, (), pixels.read(str(each.image))) for each in first]
        number += len(first) + sum(1 for _ in examples)
    language = msgspec.json.decode(made.language.read_bytes(), type=Language)
    return Exam(rows, sum(1 for _ in dataset.items()), questions[:QUESTIONS], number, language)


# ----------------------------------------------------------------------------------------------------------- making


def _lessons(recipe: Recipe, made: Materials, number: int) -> Example:
    """Lessons, and the tokenizer that is trained on them."""

    def make(scenes: int) -> None:
        config = shelf.taught(msgspec.structs.replace(recipe, scenes=scenes))
        folder = made.course.with_name(f"lessons-{scenes}")
        with _cache(folder) if not recipe.train else nullcontext():
            examples.prepare(config, recipe.plain, folder, silent)

    seconds = clock.extrapolated(make, min(WARM_UP, number), number, recipe.scenes)
    words, _ = clock.timed(lambda: shelf.lessons(recipe, made, silent))
    return Example("lessons", recipe.scenes, seconds + words)


def _stress_test(recipe: Recipe, folder: Path, build: Build) -> Example:
    """Pairs that no judge has seen: judges take little of the time, and of few pairs they might leave none."""
    number, most = min(recipe.pst_scenes, TESTED), min(recipe.pst_scenes, SEARCHED)
    with suppress(BadInput):
        _few_pairs(recipe, min(5 * WARM_UP, number), folder.with_name("pst-few"), build)
    while True:
        try:
            seconds, _ = clock.timed(partial(_few_pairs, recipe, number, folder, build))
            return Example("stress test", recipe.pst_scenes, seconds / number * recipe.pst_scenes)
        except BadInput:  # there was no pair
            if number == most:
                raise
        number = min(2 * number, most)


def _few_pairs(recipe: Recipe, scenes: int, folder: Path, build: Build) -> None:
    few = msgspec.structs.replace(recipe, pst_scenes=scenes, pst_pairs=min(PAIRS, recipe.pst_pairs))
    config = msgspec.structs.replace(shelf.tested(few, folder), judges=(), lm="none", workers=1)
    with _cache(folder):
        build(config, silent)


def _exams(recipe: Recipe, made: Materials, work: Path) -> Example:
    """Exams of other scenes, and such questions of scenes that are learnt from."""
    number = min(recipe.exam_scenes, EXAMINED)
    few = msgspec.structs.replace(recipe, exam_scenes=number)
    with _cache(made.course):
        seconds, _ = clock.timed(lambda: shelf.write_exams(few, work, silent))
    return Example("exams", 2 * recipe.exam_scenes, seconds / number * recipe.exam_scenes)


def _language(recipe: Recipe, made: Materials, lessons: int) -> Example:
    """Captions and questions on words alone."""
    number = min(recipe.exam_scenes, EXAMINED)
    few = msgspec.structs.replace(recipe, exam_scenes=number, scenes=min(lessons, number))
    with _cache(made.course):
        seconds, _ = clock.timed(lambda: shelf.write_language(few, made))
    scenes = recipe.exam_scenes + min(recipe.scenes, examples.PRIOR_LESSONS)
    return Example("language", scenes, seconds / (few.exam_scenes + few.scenes) * scenes)


@contextmanager
def _cache(folder: Path) -> Iterator[None]:
    """With a cache beside that folder: scenes are drawn as in a first run, and nothing is left in the user's own."""
    before = os.environ.get(CACHE)
    os.environ[CACHE] = str(folder.with_name(f"{folder.name}-cache"))
    try:
        yield
    finally:
        os.environ.pop(CACHE)
        if before is not None:
            os.environ[CACHE] = before
