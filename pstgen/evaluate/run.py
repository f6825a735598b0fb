"""THE ROAD of `pstgen train-eval`: materials → stage 1 → stage 2 → answers → figures → results."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import wait as waited
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec

from pstgen import plugins, store, toolbox
from pstgen.core.progress import Progress
from pstgen.evaluate import materials as shelf
from pstgen.evaluate import measures, modelcard, overlays, page, results, sitting
from pstgen.evaluate.claim import BASE, REWARD
from pstgen.evaluate.materials import Materials
from pstgen.evaluate.results import Results
from pstgen.evaluate.sitting import Seat
from pstgen.recipe import ENCODERS, Recipe
from pstgen.records import BadInput, Unavailable
from pstgen.systems import Plan
from pstgen.train.stages import DONE, Learnt, Task, ready, weigh

EXAMINATION = 150.0  # steps of training that examining a system takes about as long as
RECIPE, GIVEN = "recipe.json", "given.json"


@dataclass(frozen=True)
class Arm:
    """A system under a seed, and the stages that it needs; first is shared by all that begin alike."""

    system: str
    plan: Plan
    seed: int
    folder: Path
    first: Task | None
    second: Task | None


def run(recipe: Recipe, out: Path, made: Materials, command: str, track: Progress) -> Results:
    """Train and examine every system of the recipe, and report; what is done already is not done again.

    Raises BadInput where a folder that was given does not fit.
    """
    if recipe.encoder_steps and recipe.encoder in set(ENCODERS) - {"tiny"}:
        raise BadInput(
            f"{recipe.encoder}: no LLaVA has such an image encoder; train it by --stage encoder, or take tiny"
        )
    shelf.gather(recipe, made, out, track)
    arms = plan(recipe, made, out)
    first, second = stages(arms)
    track.plan(
        [*((_name(task), float(task.steps)) for task in (*first, *second)), ("examination", EXAMINATION * len(arms))]
    )
    learnt = {task.out: done for task, done in _all((first, second), track)}
    seats = [seat(recipe, arm, made) for arm in arms]
    _sit(seats, track)
    paid = {arm.folder: cost(arm, arms, learnt) for arm in arms}
    found = measures.assemble(recipe, seats, paid, made, command)
    results.write(found, out)
    report(found, arms, seats, out)
    return found


def report(found: Results, arms: Sequence[Arm], seats: Sequence[Seat], out: Path) -> None:
    """Overlays, the page with its plots, and a card beside all weights."""
    overlays.write(found, out, seats)
    page.write(found, out)
    cards = {(one.system, one.seed): one for one in found.arms}
    for arm in arms:
        if arm.second:
            modelcard.write(cards[arm.system, arm.seed], found, arm.second.out)
    modelcard.encoders(found, out)


def encoders(recipe: Recipe, out: Path, made: Materials, track: Progress) -> list[Path]:
    """Stage 1 alone: the folders of the encoders that the recipe's systems begin with."""
    shelf.lessons(recipe, made, track, shelf.held(recipe, made, out))
    first, _ = stages(plan(recipe, made, out))
    return [task.out for task, _ in _all((first, []), track)]


def equipped(recipe: Recipe) -> None:
    """Raise Unavailable or BadInput where a library or a tool is missing that the run will need."""
    for name in ("accelerate", "matplotlib", *(["peft"] if recipe.lora else [])):
        if find_spec(name) is None:
            raise Unavailable(f"train-eval needs {name}: pip install 'pstgen[train]'")
    if recipe.detector or recipe.ocr:
        toolbox.tried(recipe.detector, recipe.ocr)


def claim(recipe: Recipe, made: Materials, out: Path, *, resume: bool) -> None:
    """Write the recipe, and what was given, into the folder of the run; one that has no lessons yet has not begun.

    Raises BadInput where a run is there that is not to go on, or another.
    """
    told = {RECIPE: msgspec.to_builtins(recipe, enc_hook=str), GIVEN: shelf.given(made, out)}
    files = {out / name: msgspec.json.format(msgspec.json.encode(value)) + b"\n" for name, value in told.items()}
    if made.course.exists() and not resume:
        raise BadInput(f"{out}: there is a run in it; go on with it by --resume, or name another --out")
    for file, text in files.items():
        if made.course.exists() and file.is_file() and file.read_bytes() != text:
            raise BadInput(f"{out}: was begun with another {file.stem} (see {file.name}); name another --out")
    out.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        store.put(file, text)


def counted(task: Task) -> Learnt:
    """What a stage would cost, made without what is not trained yet."""
    return weigh(ready(bare(task)), task)


def plan(recipe: Recipe, made: Materials, out: Path, weighed: Callable[[Task], Learnt] = counted) -> list[Arm]:
    """Every system under every seed. One that answers with another's weights needs that one too.

    weighed: says what a stage costs; the system that trains longer depends on it.
    """
    names = recipe.systems or plugins.names("systems")
    plans: dict[str, Plan] = {name: sitting.named(name).PLAN for name in names}
    plans |= {each.of: sitting.named(each.of).PLAN for each in list(plans.values()) if each.of}
    if REWARD in plans:
        plans |= {f"{REWARD}@{other:g}": plans[REWARD] for other in recipe.rewards}
    steps = longer(recipe, made, out, weighed) if any(each.longer for each in plans.values()) else 0
    seeds = range(recipe.seeds)
    return [_arm(recipe, made, out / f"seed-{n}", n, name, each, steps) for n in seeds for name, each in plans.items()]


def _arm(recipe: Recipe, made: Materials, folder: Path, seed: int, name: str, plan: Plan, steps: int) -> Arm:  # noqa: PLR0913, PLR0917 (one line of a table)
    def encoder(kind: Plan) -> Task:
        where = folder / "-".join(filter(None, ("encoder", kind.first, kind.corrupt)))
        return Task(recipe, kind, made.course, made.words, where, "encoder", seed, recipe.encoder_steps)

    first = encoder(plan) if plan.first and recipe.encoder_steps else None
    uses = plan.told == "tools"
    detector = encoder(Plan(first="perception")) if uses and not recipe.detector else None
    other = name.partition("@")[2]
    second = Task(
        msgspec.structs.replace(recipe, reward=float(other)) if other else recipe,
        plan,
        made.course,
        made.words,
        folder / name / "model",
        "joint",
        seed,
        steps if plan.longer else recipe.joint_steps,
        begun=first.out if first else None,
        detector=detector.out if detector else Path(recipe.detector) if uses else None,
    )
    return Arm(name, plan, seed, folder / name, first or detector, None if plan.of else second)


def longer(recipe: Recipe, made: Materials, out: Path, weighed: Callable[[Task], Learnt]) -> int:
    """How many steps of a standard VLM cost what both stages of perceptual reward cost."""
    whole, plain = (_arm(recipe, made, out, 0, name, sitting.named(name).PLAN, 0) for name in (REWARD, BASE))
    paid = sum(weighed(task).flops for task in (whole.first, whole.second) if task)
    return round(paid / max(weighed(task).step_flops for task in (plain.second,) if task))


def cost(arm: Arm, arms: Sequence[Arm], learnt: Mapping[Path, Learnt]) -> dict[str, float]:
    """What its training cost, that of the system whose weights it answers with included."""
    if arm.plan.of:
        other = next(one for one in arms if (one.system, one.seed) == (arm.plan.of, arm.seed))
        return cost(other, arms, learnt)
    done = [learnt[task.out] if task else None for task in (arm.first, arm.second)]
    encoder, joint = (one.steps if one else 0 for one in done)
    return {
        "parameters": max(one.parameters for one in done if one),
        "encoder": encoder,
        "joint": joint,
        "flops": sum(one.flops for one in done if one),
        "seconds": sum(one.seconds for one in done if one),
    }


def bare(task: Task) -> Task:
    """The same without what is not trained yet: to be weighed."""
    return replace(task, begun=None, detector=None)


def stages(arms: Sequence[Arm]) -> tuple[list[Task], list[Task]]:
    """Every stage once: first ones, which second ones wait for; the longest first."""
    first = {arm.first.out: arm.first for arm in arms if arm.first}
    second = {arm.second.out: arm.second for arm in arms if arm.second}
    return list(first.values()), sorted(second.values(), key=lambda task: (not task.plan.told, -task.steps))


def _all(waves: tuple[list[Task], list[Task]], track: Progress) -> Iterator[tuple[Task, Learnt]]:
    """Learn every stage, as many at once as there are cores for them."""
    for wave in waves:
        with _pool() as pool:
            futures = {pool.submit(sitting.train, task): task for task in wave}
            for future in _watched(list(futures), partial(_progress, wave, track)):
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
    with _pool() as pool:
        futures = [pool.submit(sitting.sit, each) for each in seats]
        for n, future in enumerate(_watched(futures, lambda: None), 1):
            future.result()
            track.reach("examination", n, len(seats))


def seat(recipe: Recipe, arm: Arm, made: Materials) -> Seat:
    """Where an arm sits its examination."""
    model = arm.second.out if arm.second else arm.folder.parent / arm.plan.of / "model"
    detector = arm.second.detector if arm.second else None
    return Seat(arm.system, arm.seed, arm.folder, model, detector, made, recipe.evaluations, recipe.ocr)


def _watched(futures: Sequence[Future[Any]], look: Callable[[], object]) -> Iterator[Future[Any]]:
    """Futures as they are done; the first that fails stops the rest."""
    left = set(futures)
    while left:
        done, left = waited(left, timeout=2.0, return_when="FIRST_COMPLETED")
        look()
        for future in done:
            if future.exception():
                for other in left:
                    other.cancel()
            yield future


def cores() -> int:
    """How many stages learn at once: one on an accelerator, else one a core."""
    import torch
    from joblib import cpu_count

    return 1 if torch.cuda.is_available() else int(cpu_count())


@contextmanager
def _pool() -> Iterator[ProcessPoolExecutor]:
    """One process a core, one thread each, which small models use best; on an accelerator one process."""
    with ProcessPoolExecutor(cores(), mp_context=get_context("spawn"), initializer=_alone) as pool:
        try:
            yield pool
        except BaseException as error:  # whatever it was: what still runs is stopped, and goes on with --resume
            for worker in active_children():
                worker.terminate()
            if isinstance(error, BrokenProcessPool):
                raise Unavailable("a process was killed, as a rule for memory: lower batch, then --resume") from error
            raise


def _alone() -> None:
    """One thread, no talk, and an end with the process that began it, however that ends."""
    import torch
    import transformers

    Thread(target=_end_with, args=(parent_process(),), daemon=True).start()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(threads())


def threads() -> int:
    """Of one stage: one, since as many stages learn at once as there are cores; all of them on an accelerator."""
    import torch

    return torch.get_num_threads() if torch.cuda.is_available() else 1


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
