"""THE THIRD ROAD, of `pstgen train-eval`: data → stage 1 → stage 2 → answers → figures → results."""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from pstgen.build import build, with_defaults
from pstgen.core import scratch
from pstgen.core.config import BuildConfig
from pstgen.core.progress import Progress, silent
from pstgen.core.records import BadInput, Unavailable
from pstgen.evaluation import aggregate, data, inference, processes, results
from pstgen.evaluation.arms import Arm, arm_cost, check_detectors, eval_job, plan_arms, tasks_by_stage
from pstgen.evaluation.data import DataPaths
from pstgen.evaluation.dry_run import estimate
from pstgen.evaluation.dry_run.estimate import RunEstimate
from pstgen.evaluation.inference import EvalJob
from pstgen.evaluation.report import html, model_card, overlays
from pstgen.evaluation.results import Results
from pstgen.models import tools
from pstgen.training.modeling import vision_config
from pstgen.training.recipe import ENCODERS, Recipe, read
from pstgen.training.stages import DONE, Task, TrainingCost

EVALUATION_STEPS = 150.0  # of training, that take about as long as evaluating a system
RECIPE, GIVEN = "recipe.json", "given.json"


def run(recipe: Recipe, out: Path, paths: DataPaths, command: str, progress: Progress) -> Results:
    """Train and evaluate every system of the recipe, and report; what is done already is not done again.

    Raises BadInput where a folder that was given does not fit.
    """
    if recipe.encoder_steps and recipe.encoder in set(ENCODERS) - {"tiny"}:
        raise BadInput(
            f"{recipe.encoder}: no LLaVA has such an image encoder; train it by --stage encoder, or take tiny"
        )
    prepare_data(recipe, paths, out, progress)
    arms = plan_arms(recipe, paths, out)
    tasks = tasks_by_stage(arms)
    steps = [(_name(task), float(task.steps)) for stage in tasks for task in stage]
    progress.plan([*steps, ("evaluation", EVALUATION_STEPS * len(arms))])
    costs = {task.out: cost for task, cost in _train(tasks, progress)}
    jobs = [eval_job(recipe, arm, paths) for arm in arms]
    _evaluate(jobs, progress)
    measured = aggregate.assemble(recipe, jobs, {arm.folder: arm_cost(arm, arms, costs) for arm in arms}, command)
    results.write(measured, out)
    write_report(measured, arms, jobs, out)
    return measured


def from_recipe(name: str, out: Path, progress: Progress = silent, *, resume: bool = False, **settings: Any) -> Results:
    """Train and evaluate by a recipe as `pstgen train-eval` does: `train_eval.from_recipe("small", Path("run"), seeds=3)`.

    settings: what changes in the recipe. Raises what `run` raises.
    """
    recipe, paths = read(name, **settings), data.paths(out)
    check_possible(recipe)
    begin(recipe, paths, out, resume=resume)
    return run(recipe, out, paths, f"pstgen train-eval --recipe {name}", progress)


def prepare_data(recipe: Recipe, paths: DataPaths, out: Path, progress: Progress) -> None:
    """Make whatever is not there yet; what the user gave is taken as it is."""
    data.check(recipe, paths, out)
    data.write_examples(recipe, paths, progress, data.held_out_images(recipe, paths, out))
    if not paths.has_stress_test:
        build_stress_test(data.stress_test_config(recipe, paths.pst), progress)
    if data.own_benchmarks(paths, out) and not (out / "exams").is_dir():
        data.write_benchmarks(recipe, out, progress)
    if not paths.language.is_file():
        data.write_language(recipe, paths)


def build_stress_test(config: BuildConfig, progress: Progress) -> None:
    """Build a stress test of the world."""
    build(with_defaults(config), progress)


def dry_run(
    recipe: Recipe, paths: DataPaths, out: Path, progress: Progress, *, encoders_alone: bool = False
) -> RunEstimate:
    """What a run in `out` would cost; nothing is written there. encoders_alone: stage 1 alone."""
    return estimate.estimate_run(recipe, paths, out, progress, build=build_stress_test, encoders_alone=encoders_alone)


def write_report(measured: Results, arms: Sequence[Arm], jobs: Sequence[EvalJob], out: Path) -> None:
    """Overlays, the page with its plots, and a card beside all weights."""
    overlays.write(measured, out, jobs)
    html.write(measured, out)
    by_arm = {(result.system, result.seed): result for result in measured.arms}
    for arm in arms:
        for task in filter(None, (arm.last, *arm.parts)):
            model_card.write(by_arm[arm.system, arm.seed], measured, task.out)
    model_card.write_encoders(measured, out)


def train_encoders(recipe: Recipe, out: Path, paths: DataPaths, progress: Progress) -> list[Path]:
    """Stage 1 alone: the folders of the encoders that the recipe's systems begin with."""
    data.write_examples(recipe, paths, progress, data.held_out_images(recipe, paths, out))
    encoders, *_ = tasks_by_stage(plan_arms(recipe, paths, out))
    return [task.out for task, _ in _train([encoders], progress)]


def check_possible(recipe: Recipe) -> None:
    """Raise Unavailable or BadInput, before any work, where a library, a tool, a detector or a model is missing that the run will need."""
    check_detectors(recipe)
    for name in ("accelerate", "matplotlib", *(["peft"] if recipe.lora else [])):
        if find_spec(name) is None:
            raise Unavailable(f"train-eval needs {name}: pip install 'pstgen[train]'")
    if recipe.detector or recipe.ocr:
        tools.check_tools(recipe.detector, recipe.ocr)
    if not recipe.model and recipe.encoder == "tiny":
        vision_config(recipe.vision, recipe.size)


def begin(recipe: Recipe, paths: DataPaths, out: Path, *, resume: bool) -> None:
    """Write the recipe, and what was given, into the folder of the run; a run without examples has not begun.

    Raises BadInput where a run is there that is not to be resumed, or that began with other settings.
    """
    settings = {RECIPE: msgspec.to_builtins(recipe, enc_hook=str), GIVEN: data.given(paths, out)}
    files = {out / name: msgspec.json.format(msgspec.json.encode(value)) + b"\n" for name, value in settings.items()}
    begun = paths.examples.exists()
    if begun and not resume:
        raise BadInput(f"{out}: there is a run in it; go on with it by --resume, or name another --out")
    for file, code in files.items():
        if begun and file.is_file() and file.read_bytes() != code:
            raise BadInput(f"{out}: was begun with another {file.stem} (see {file.name}); name another --out")
    out.mkdir(parents=True, exist_ok=True)
    for file, code in files.items():
        scratch.put(file, code)


# ---------------------------------------------------------------------------------------------------------- processes


def _train(tasks: Iterable[list[Task]], progress: Progress) -> Iterator[tuple[Task, TrainingCost]]:
    """Train one stage's tasks after the other's, as many at once as there are cores for them."""
    for stage in tasks:
        with processes.worker_pool() as workers:
            futures = {workers.submit(processes.train, task): task for task in stage}
            for future in processes.as_completed(list(futures), partial(_report_steps, stage, progress)):
                yield futures[future], future.result()


def _report_steps(tasks: Sequence[Task], progress: Progress) -> None:
    """Show how far each task is, by the last whole line of its log, or that it is done."""
    for task in tasks:
        log = task.out / "log.jsonl"
        lines = [line for line in log.read_bytes().splitlines()[-2:] if line.endswith(b"}")] if log.is_file() else []
        if lines:
            is_done = (task.out / DONE).is_file()
            step = task.steps if is_done else max(json.loads(line)["step"] for line in lines)
            progress.reach(_name(task), step, task.steps)


def _name(task: Task) -> str:
    """What a task is called while it runs."""
    return task.name if task.recipe.seeds == 1 else f"{task.name} ({task.seed})"


def _evaluate(jobs: Sequence[EvalJob], progress: Progress) -> None:
    with processes.worker_pool() as workers:
        futures = [workers.submit(inference.evaluate, job) for job in jobs]
        for n, future in enumerate(processes.as_completed(futures), 1):
            future.result()
            progress.reach("evaluation", n, len(jobs))
