"""THE THIRD ROAD, of `pstgen train-eval`: data → stage 1 → stage 2 → answers → figures → results."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import msgspec

from pstgen import build
from pstgen.core.config import BuildConfig
from pstgen.core.progress import Progress
from pstgen.core.records import BadInput, Unavailable
from pstgen.dataset import store
from pstgen.evaluation import aggregate, data, inference, pool, results
from pstgen.evaluation.arms import Arm, cost, plan, seat, stages
from pstgen.evaluation.data import Materials
from pstgen.evaluation.dry_run import estimate
from pstgen.evaluation.dry_run.estimate import Estimate
from pstgen.evaluation.inference import Seat
from pstgen.evaluation.report import html, model_card, overlays
from pstgen.evaluation.results import Results
from pstgen.models import tools
from pstgen.training.recipe import ENCODERS, Recipe
from pstgen.training.stages import DONE, Learnt, Task

EXAMINATION = 150.0  # steps of training that examining a system takes about as long as
RECIPE, GIVEN = "recipe.json", "given.json"


def run(recipe: Recipe, out: Path, made: Materials, command: str, track: Progress) -> Results:
    """Train and examine every system of the recipe, and report; what is done already is not done again.

    Raises BadInput where a folder that was given does not fit.
    """
    if recipe.encoder_steps and recipe.encoder in set(ENCODERS) - {"tiny"}:
        raise BadInput(
            f"{recipe.encoder}: no LLaVA has such an image encoder; train it by --stage encoder, or take tiny"
        )
    gather(recipe, made, out, track)
    arms = plan(recipe, made, out)
    first, second = stages(arms)
    track.plan(
        [*((_name(task), float(task.steps)) for task in (*first, *second)), ("examination", EXAMINATION * len(arms))]
    )
    learnt = {task.out: done for task, done in _all((first, second), track)}
    seats = [seat(recipe, arm, made) for arm in arms]
    _sit(seats, track)
    paid = {arm.folder: cost(arm, arms, learnt) for arm in arms}
    found = aggregate.assemble(recipe, seats, paid, made, command)
    results.write(found, out)
    report(found, arms, seats, out)
    return found


def gather(recipe: Recipe, made: Materials, out: Path, track: Progress) -> None:
    """Make whatever is not there yet; what the user gave is taken as it is."""
    data.check(recipe, made, out)
    data.lessons(recipe, made, track, data.held(recipe, made, out))
    if not (made.pst / data.MANIFEST).is_file():
        build_test(data.tested(recipe, made.pst), track)
    if made.vqa == out / "exams" and not made.vqa.is_dir():
        data.write_exams(recipe, out, track)
    if not made.language.is_file():
        data.write_language(recipe, made)


def build_test(config: BuildConfig, track: Progress) -> None:
    """Build a stress test of the world."""
    build.build(build.settled(config), track)


def foresee(recipe: Recipe, made: Materials, out: Path, track: Progress, *, encoders: bool = False) -> Estimate:
    """What a run in `out` would cost; nothing is written there. encoders: of stage 1 alone."""
    return estimate.weigh(recipe, made, out, track, build=build_test, encoders=encoders)


def report(found: Results, arms: Sequence[Arm], seats: Sequence[Seat], out: Path) -> None:
    """Overlays, the page with its plots, and a card beside all weights."""
    overlays.write(found, out, seats)
    html.write(found, out)
    cards = {(one.system, one.seed): one for one in found.arms}
    for arm in arms:
        if arm.second:
            model_card.write(cards[arm.system, arm.seed], found, arm.second.out)
    model_card.encoders(found, out)


def encoders(recipe: Recipe, out: Path, made: Materials, track: Progress) -> list[Path]:
    """Stage 1 alone: the folders of the encoders that the recipe's systems begin with."""
    data.lessons(recipe, made, track, data.held(recipe, made, out))
    first, _ = stages(plan(recipe, made, out))
    return [task.out for task, _ in _all((first, []), track)]


def equipped(recipe: Recipe) -> None:
    """Raise Unavailable or BadInput where a library or a tool is missing that the run will need."""
    for name in ("accelerate", "matplotlib", *(["peft"] if recipe.lora else [])):
        if find_spec(name) is None:
            raise Unavailable(f"train-eval needs {name}: pip install 'pstgen[train]'")
    if recipe.detector or recipe.ocr:
        tools.tried(recipe.detector, recipe.ocr)


def claim(recipe: Recipe, made: Materials, out: Path, *, resume: bool) -> None:
    """Write the recipe, and what was given, into the folder of the run; one that has no lessons yet has not begun.

    Raises BadInput where a run is there that is not to go on, or another.
    """
    told = {RECIPE: msgspec.to_builtins(recipe, enc_hook=str), GIVEN: data.given(made, out)}
    files = {out / name: msgspec.json.format(msgspec.json.encode(value)) + b"\n" for name, value in told.items()}
    if made.course.exists() and not resume:
        raise BadInput(f"{out}: there is a run in it; go on with it by --resume, or name another --out")
    for file, text in files.items():
        if made.course.exists() and file.is_file() and file.read_bytes() != text:
            raise BadInput(f"{out}: was begun with another {file.stem} (see {file.name}); name another --out")
    out.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        store.put(file, text)


def _all(waves: tuple[list[Task], list[Task]], track: Progress) -> Iterator[tuple[Task, Learnt]]:
    """Learn every stage, as many at once as there are cores for them."""
    for wave in waves:
        with pool.processes() as workers:
            futures = {workers.submit(inference.train, task): task for task in wave}
            for future in pool.watched(list(futures), partial(_progress, wave, track)):
                yield futures[future], future.result()


def _progress(wave: Sequence[Task], track: Progress) -> None:
    """Say how far each stage is, by the last whole line of its log, or by what is left when it is done."""
    for task in wave:
        log = task.out / "log.jsonl"
        lines = [line for line in log.read_bytes().splitlines()[-2:] if line.endswith(b"}")] if log.is_file() else []
        done = (
            task.steps if (task.out / DONE).is_file() else max((json.loads(line)["step"] for line in lines), default=0)
        )
        if lines:
            track.reach(_name(task), done, task.steps)


def _name(task: Task) -> str:
    """What a stage is called while it runs."""
    name = task.out.parent.name if task.stage == "joint" else task.out.name
    return name if task.recipe.seeds == 1 else f"{name} ({task.seed})"


def _sit(seats: Sequence[Seat], track: Progress) -> None:
    with pool.processes() as workers:
        futures = [workers.submit(inference.sit, each) for each in seats]
        for n, future in enumerate(pool.watched(futures, lambda: None), 1):
            future.result()
            track.reach("examination", n, len(seats))
