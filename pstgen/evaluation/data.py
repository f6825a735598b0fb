"""What systems learn from and are tested on: examples, tokenizer, stress test, benchmarks, and language without images."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from pstgen.core import scratch
from pstgen.core.config import BuildConfig, build_config, with_settings
from pstgen.core.progress import Progress
from pstgen.core.records import BadInput, Scene
from pstgen.core.report import Refusals
from pstgen.dataset import atomic, sealing, store
from pstgen.evaluation.metrics import Choice, Language, Scores, gqa, vqa
from pstgen.evaluation.metrics.language import mmlu
from pstgen.questions.benchmarks import gqa_programs, synthetic
from pstgen.questions.benchmarks.files import Example
from pstgen.questions.benchmarks.gqa import examples as gqa_examples
from pstgen.questions.benchmarks.vqa_v2 import examples as vqa_examples
from pstgen.scenes import sources
from pstgen.training import examples, modeling
from pstgen.training.examples import Examples
from pstgen.training.recipe import Recipe

TRAINING_SEED = 4_000_000  # of the world that is learnt from; no two of these worlds share a scene
STRESS_TEST_SEEDS = {"validation": 5_000_000, "test": 7_000_000}
BENCHMARK_SEEDS = {"validation": 8_000_000, "test": 6_000_000}
MANIFEST = "manifest.json"  # of a stress test that is complete
TOKENIZER_EXAMPLES = 500  # that the tokenizer is trained on
CHOICES, TEXTS = 400, 200  # at most, that measure language without images


class Benchmark(NamedTuple):
    """How a benchmark's official files are read, and answers to them are scored."""

    examples: Callable[[Path, Refusals], Iterator[Example]]
    score: Callable[[Mapping[str, str], Path, Collection[str]], Scores]


BENCHMARKS = {"vqa": Benchmark(vqa_examples, vqa.score), "gqa": Benchmark(gqa_examples, gqa.score)}


@dataclass(frozen=True)
class DataPaths:
    """Where all data of a run are. vqa, gqa: official files with their images; None where that benchmark is not asked."""

    examples: Path
    tokenizer: Path
    pst: Path
    vqa: Path | None
    gqa: Path | None
    language: Path

    @property
    def benchmarks(self) -> dict[str, Path]:
        """Every benchmark that is asked, by its name in BENCHMARKS."""
        return {name: folder for name, folder in (("vqa", self.vqa), ("gqa", self.gqa)) if folder}

    @property
    def has_stress_test(self) -> bool:
        """Is the stress test there already?"""
        return (self.pst / MANIFEST).is_file()


def paths(out: Path, pst: Path | None = None, vqa: Path | None = None, gqa: Path | None = None) -> DataPaths:
    """Where everything is, or will be made. Both benchmarks are the world's, unless official files of one are given.

    Raises BadInput where a folder that was given is not there.
    """
    for name, folder in (("pst", pst), ("vqa", vqa), ("gqa", gqa)):
        if folder and not folder.exists():
            raise BadInput(f"--{name} {folder}: no such folder")
    own = None if vqa or gqa else out / "exams"
    return DataPaths(out / "course", out / "words", pst or out / "pst", vqa or own, gqa or own, out / "language.json")


def own_benchmarks(data: DataPaths, out: Path) -> bool:
    """Are the benchmarks to be made from the world?"""
    return data.vqa == out / "exams"


def given(data: DataPaths, out: Path) -> dict[str, str]:
    """What the user gave, by name: a folder, and of a stress test the sha256 of its manifest."""
    folders = {"pst": data.pst, **data.benchmarks}
    theirs = {name: str(folder.absolute()) for name, folder in folders.items() if folder.parent != out}
    if "pst" in theirs and data.has_stress_test:
        theirs["sealed"] = sealing.hashed(data.pst / MANIFEST).sha256
    return theirs


def check(recipe: Recipe, data: DataPaths, out: Path) -> None:
    """Raise BadInput where the world's benchmarks could ask nothing of the recipe's families."""
    if own_benchmarks(data, out):
        _families_with_programs(recipe)


# ---------------------------------------------------------------------------------------------------------- training


def write_examples(recipe: Recipe, data: DataPaths, progress: Progress, held_out: Collection[str] = ()) -> None:
    """Examples of no image that is held out, and a tokenizer for a model that is made from random weights."""
    config = training_config(recipe)
    written = examples.prepare(config, recipe.plain, data.examples, progress, held_out)
    if not recipe.model and not data.tokenizer.is_dir():
        modeling.save_tokenizer(recipe, _tokenizer_texts(written), data.tokenizer)


def training_config(recipe: Recipe) -> BuildConfig:
    """The scenes that are learnt from."""
    source = {"source": "coco", "root": recipe.train, "split": recipe.split} if recipe.train else {"source": "world"}
    return _config(recipe, TRAINING_SEED, recipe.scenes, recipe.typicality, **source)


def _config(recipe: Recipe, seed: int, scenes: int, typicality: float, **more: Any) -> BuildConfig:
    return build_config(
        scenes=scenes,
        size=recipe.size,
        typicality=typicality,
        place=recipe.place,
        seed=seed,
        families=recipe.families,
        **more,
    )


def _tokenizer_texts(written: Examples) -> Iterator[str]:
    for n in range(min(TOKENIZER_EXAMPLES, len(written))):
        example = written[n]
        yield from (f" {caption}" for caption in example.scene.captions)
        for question in example.questions:
            yield f"USER: {question.text} ASSISTANT: {question.answer}"
            yield from (f" {option}" for option in question.options)
            yield f" {question.chain}; so {question.answer}"


def held_out_images(recipe: Recipe, data: DataPaths, out: Path) -> set[str]:
    """Numbers of the photographs that are tested on, by the benchmarks or the stress test that were given."""
    tested = check_given_benchmarks(data, out)
    if recipe.train and data.has_stress_test:
        tested |= {examples.image_number(item.scene_id) for item in store.open(data.pst).items()}
    return tested if recipe.train else set()


def check_given_benchmarks(data: DataPaths, out: Path) -> set[str]:
    """Read every question of official files before anything is trained, and return the numbers of their images in COCO.

    What is left out is named in `out`/REFUSED. Raises BadInput where nothing is left of a benchmark, or where answers to it
    could not be scored.
    """
    if own_benchmarks(data, out):
        return set()
    refused, numbers = Refusals(), set[str]()
    for name, folder in data.benchmarks.items():
        images = {example.question_id: example.image for example in BENCHMARKS[name].examples(folder, refused)}
        if not images:
            first = next(iter(refused.records), None)
            why = f": {first.record} {first.reason}" if first else ""
            raise BadInput(f"{folder}: no question can be asked{why} ({len(refused.records):,} left out)")
        BENCHMARKS[name].score(dict.fromkeys(images, ""), folder, set(images))
        if name == "vqa":  # GQA's images have names of their own
            numbers |= set(map(examples.image_number, images.values()))
    if refused.records:
        scratch.put(out / examples.REFUSED, b"".join(map(examples.refusal_line, refused.records)))
    return numbers


# ---------------------------------------------------------------------------------------------------------- testing


def stress_test_config(recipe: Recipe, out: Path) -> BuildConfig:
    """The stress test: scenes of another world than that which is learnt from."""
    return _config(
        recipe,
        STRESS_TEST_SEEDS[recipe.tested_on],
        recipe.pst_scenes,
        recipe.typicality_tested,
        source="world",
        candidates=recipe.pst_pairs,
        edited=recipe.pst_pairs // 2,
        vlm="none",
        out=out,
    )


def write_benchmarks(recipe: Recipe, out: Path, progress: Progress) -> None:
    """Benchmarks on scenes of a world of their own; and such questions of the world that is learnt from."""
    _write_benchmark(recipe, benchmark_scenes(recipe), "test", out / "exams", progress)
    _write_benchmark(recipe, _world_scenes(recipe, TRAINING_SEED), "train", out / "exams-train", progress)


def benchmark_scenes(recipe: Recipe) -> Iterator[Scene]:
    """Scenes that no system has learnt from, of a world as typical as that which is learnt from."""
    return _world_scenes(recipe, BENCHMARK_SEEDS[recipe.tested_on])


def _world_scenes(recipe: Recipe, seed: int) -> Iterator[Scene]:
    config = _config(recipe, seed, recipe.exam_scenes, recipe.typicality, source="world")
    return sources.load("world").scenes(config, lambda _: True, Refusals())


def _write_benchmark(recipe: Recipe, scenes: Iterator[Scene], split: str, folder: Path, progress: Progress) -> None:
    rules = synthetic.Rules(families=_families_with_programs(recipe), per_scene=recipe.exam_questions)
    with atomic.create(folder) as draft:
        synthetic.write(progress(scenes, f"benchmark questions: {split}", recipe.exam_scenes), draft, split, rules)


def _families_with_programs(recipe: Recipe) -> tuple[str, ...]:
    """The families that GQA has programs for; the stress test asks of the others too. Raises BadInput where there is none."""
    able = gqa_programs.supported_families()
    families = tuple(name for name in recipe.families if name in able)
    if not families:
        raise BadInput(f"families: GQA has no program for any of them; name one of {', '.join(able)} as well")
    return families


def write_language(recipe: Recipe, data: DataPaths) -> None:
    """What measures language without images."""
    data.language.write_bytes(msgspec.json.encode(language(recipe)))


def language(recipe: Recipe) -> Language:
    """Of scenes not learnt: captions, and plain questions with what the world that is learnt makes one expect as the answer.

    MMLU's questions replace those where the recipe names a file. Raises BadInput where that is not in MMLU's format.
    """
    config = with_settings(training_config(recipe), source="world")
    expected = examples.expectation(config)
    texts: list[str] = []
    choices: dict[str, Choice] = {}
    for scene in benchmark_scenes(recipe):
        texts += scene.captions
        example = examples.draw(scene, config, 1.0, expected)
        for question in example.questions if example else ():
            choices.setdefault(question.text, Choice(question.text, question.options, question.expected))
    chosen = mmlu(recipe.mmlu) if recipe.mmlu else islice(choices.values(), CHOICES)
    return Language(tuple(texts[:TEXTS]), tuple(chosen))
