"""A small sample of what a run makes before it trains, each kind timed: examples, stress test, benchmarks, language."""

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
from pstgen.core.config import BuildConfig, with_settings
from pstgen.core.progress import Progress, silent
from pstgen.core.records import BadInput, Scene
from pstgen.core.report import Refusals
from pstgen.dataset import sampling, store
from pstgen.dataset.rows import Row
from pstgen.evaluation import data
from pstgen.evaluation.data import BENCHMARKS, DataPaths
from pstgen.evaluation.dry_run import clock
from pstgen.evaluation.metrics import Language
from pstgen.models.answerer import Query
from pstgen.models.tools import count_phrase, list_objects
from pstgen.scenes import pixels
from pstgen.training import examples
from pstgen.training.recipe import Recipe

EXAMPLE_SCENES = 48  # or as many as a batch has images
STRESS_TEST_SCENES, PAIRS = 60, 6  # of the stress test: scenes, and pairs of each family
BENCHMARK_SCENES = 12
WARM_UP = 4  # scenes of examples, and five times as many of the stress test
SEARCHED = 1000  # scenes, at most, that are searched for a pair
ROWS, QUESTIONS = 16, 16  # that answers are timed on

Build = Callable[[BuildConfig, Progress], None]
CACHE = "XDG_CACHE_HOME"  # where the world keeps the scenes that it has drawn


@dataclass(frozen=True)
class DataCost:
    """What making a kind of data costs. scenes: how many a run takes; seconds: what those take on one core."""

    name: str
    scenes: int
    seconds: float


@dataclass(frozen=True)
class QuestionSample:
    """Questions to time answers on, and how many a run asks.

    rows: of the stress test, which has at most so many `items`. queries: of the benchmarks, which have at most `questions`.
    """

    rows: Sequence[Row]
    items: int
    queries: Sequence[Query]
    questions: int
    language: Language


@dataclass(frozen=True)
class Samples:
    """What was made. questions: None where nothing is evaluated."""

    costs: Sequence[DataCost]
    paths: DataPaths
    questions: QuestionSample | None


def gather(  # noqa: PLR0913 (where everything is)
    recipe: Recipe,
    given: DataPaths,
    out: Path,
    work: Path,
    progress: Progress,
    *,
    build: Build,
    examples_alone: bool = False,
) -> Samples:
    """Make, in the folder `work`, a sample of all that a run in `out` would make; what the user gave is read as it is.

    build: builds a stress test.
    """
    number = min(recipe.scenes, max(EXAMPLE_SCENES, recipe.batch))
    paths = replace(data.paths(work), examples=work / f"lessons-{number}")
    builds, own = not given.has_stress_test, data.own_benchmarks(given, out)
    makers: list[Callable[[], DataCost]] = [lambda: _examples(recipe, paths, number)]
    if not examples_alone:
        makers += [lambda: _stress_test(recipe, paths.pst, build)] * builds
        makers += [lambda: _benchmarks(recipe, paths, work)] * own
        makers += [lambda: _language(recipe, paths, number)]
    costs = [make() for make in progress(makers, "sampling examples", len(makers))]
    if examples_alone:
        return Samples(costs, paths, None)
    if not builds:
        paths = replace(paths, pst=given.pst)
    paths = replace(paths, gqa=None) if own else replace(paths, vqa=given.vqa, gqa=given.gqa)
    return Samples(costs, paths, _at_most(_read(paths), recipe, builds=builds, own=own))


def _at_most(sample: QuestionSample, recipe: Recipe, *, builds: bool, own: bool) -> QuestionSample:
    """With how many there are, at most, of what is a sample."""
    families = recipe.families or plugins.names("families")
    items = 2 * recipe.pst_pairs * len(families) if builds else sample.items
    questions = recipe.exam_scenes * recipe.exam_questions if own else sample.questions
    return replace(sample, items=items, questions=questions)


def perfect_description(scene: Scene) -> str:
    """What a detector that makes no mistake would say of a scene."""
    colours = defaultdict[str, Counter[str]](Counter)
    for thing in scene.instances:
        colours[thing.category][thing.colour] += 1
    phrases = []
    for category, shades in sorted(colours.items()):
        colour = shades.most_common(1)[0][0]
        phrases.append(count_phrase(category, shades.total(), colour))
    return list_objects(phrases)


def _read(paths: DataPaths) -> QuestionSample:
    """Some of the questions of each kind, and how many there are."""
    dataset = store.open(paths.pst)
    rows = [row for pair in sampling.pick(dataset, ROWS // 2) for row in pair.rows]
    queries, number = list[Query](), 0
    for name, folder in paths.benchmarks.items():
        questions = BENCHMARKS[name].examples(folder, Refusals())
        first = list(islice(questions, QUESTIONS))
        queries += [Query(read.question_id, read.question, (), pixels.read(str(read.image))) for read in first]
        number += len(first) + sum(1 for _ in questions)
    language = msgspec.json.decode(paths.language.read_bytes(), type=Language)
    return QuestionSample(rows, sum(1 for _ in dataset.items()), queries[:QUESTIONS], number, language)


# ----------------------------------------------------------------------------------------------------------- making


def _examples(recipe: Recipe, paths: DataPaths, number: int) -> DataCost:
    """Examples, and the tokenizer that is trained on them."""

    def make(scenes: int) -> None:
        config = data.training_config(msgspec.structs.replace(recipe, scenes=scenes))
        folder = paths.examples.with_name(f"lessons-{scenes}")
        with _cache(folder) if not recipe.train else nullcontext():
            examples.prepare(config, recipe.plain, folder, silent)

    seconds = clock.extrapolated(make, min(WARM_UP, number), number, recipe.scenes)
    tokenizer, _ = clock.timed(lambda: data.write_examples(recipe, paths, silent))
    return DataCost("examples", recipe.scenes, seconds + tokenizer)


def _stress_test(recipe: Recipe, folder: Path, build: Build) -> DataCost:
    """Pairs that no judge has seen: judges take little of the time, and of few pairs they might leave none."""
    number, most = min(recipe.pst_scenes, STRESS_TEST_SCENES), min(recipe.pst_scenes, SEARCHED)
    with suppress(BadInput):
        _build_few_pairs(recipe, min(5 * WARM_UP, number), folder.with_name("pst-few"), build)
    while True:
        try:
            seconds, _ = clock.timed(partial(_build_few_pairs, recipe, number, folder, build))
            return DataCost("stress test", recipe.pst_scenes, seconds / number * recipe.pst_scenes)
        except BadInput:  # there was no pair
            if number == most:
                raise
        number = min(2 * number, most)


def _build_few_pairs(recipe: Recipe, scenes: int, folder: Path, build: Build) -> None:
    few = msgspec.structs.replace(recipe, pst_scenes=scenes, pst_pairs=min(PAIRS, recipe.pst_pairs))
    config = with_settings(data.stress_test_config(few, folder), judges=(), lm="none", workers=1)
    with _cache(folder):
        build(config, silent)


def _benchmarks(recipe: Recipe, paths: DataPaths, work: Path) -> DataCost:
    """Benchmarks on other scenes, and such questions of scenes that are learnt from."""
    number = min(recipe.exam_scenes, BENCHMARK_SCENES)
    few = msgspec.structs.replace(recipe, exam_scenes=number)
    with _cache(paths.examples):
        seconds, _ = clock.timed(lambda: data.write_benchmarks(few, work, silent))
    return DataCost("benchmarks", 2 * recipe.exam_scenes, seconds / number * recipe.exam_scenes)


def _language(recipe: Recipe, paths: DataPaths, example_scenes: int) -> DataCost:
    """Captions and questions on words alone."""
    number = min(recipe.exam_scenes, BENCHMARK_SCENES)
    few = msgspec.structs.replace(recipe, exam_scenes=number, scenes=min(example_scenes, number))
    with _cache(paths.examples):
        seconds, _ = clock.timed(lambda: data.write_language(few, paths))
    scenes = recipe.exam_scenes + min(recipe.scenes, examples.PRIOR_SCENES)
    return DataCost("language", scenes, seconds / (few.exam_scenes + few.scenes) * scenes)


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
