"""Which systems a recipe trains, under which seeds, by which stages, and what each of them costs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from pstgen.core import plugins
from pstgen.core.records import BadInput
from pstgen.evaluation.data import DataPaths
from pstgen.evaluation.inference import EvalJob, Weights, load_system
from pstgen.evaluation.summary import BASE, REWARD
from pstgen.training import stages
from pstgen.training.recipe import Recipe
from pstgen.training.stages import Task, TrainingCost
from pstgen.training.systems import RIVAL, Plan

OTHER_SEED = 1000  # is added to the seed of a second model; a recipe has fewer seeds

Estimator = Callable[[Task], TrainingCost]


@dataclass(frozen=True)
class Arm:
    """A system under a seed, and the stages that it needs; encoder: stage 1, which all arms share that begin alike.

    joint: stage 2; None of a system that answers with another's weights. gated: stage 3, of a system that has one; its
    joint is then that of the system which it goes on from. detector: that it looks with. parts: stage 2 of each model, of a
    system that has several, or of the one that answers beside another system's.
    """

    system: str
    plan: Plan
    seed: int
    folder: Path
    encoder: Task | None
    joint: Task | None
    gated: Task | None = None
    detector: Path | None = None
    parts: tuple[Task, ...] = ()

    @property
    def last(self) -> Task | None:
        """The stage that leaves the weights which answer; None where another system's do, or those of several models."""
        return self.gated or self.joint


@dataclass(frozen=True)
class ArmCost:
    """What the training of an arm cost, all stages."""

    parameters: int
    encoder_steps: int
    joint_steps: int
    flops: float
    seconds: float
    gated_steps: int = 0


def estimate_task(task: Task) -> TrainingCost:
    """What a stage would cost, made without what is not trained yet."""
    return stages.estimate_cost(stages.prepare(without_pretrained(task)))


def without_pretrained(task: Task) -> Task:
    """The same stage without what another one has to train first: it costs the same."""
    return replace(task, encoder=None, detector=None, start=None)


def check_detectors(recipe: Recipe) -> None:
    """Refuse systems that look with a detector where none is named and none is trained. Raises BadInput."""
    for name in recipe.systems or plugins.names("systems"):
        if load_system(name).PLAN.uses_detector and not recipe.detector and not recipe.encoder_steps:
            raise BadInput(f"{name}: looks with a detector: name one (detector), or train one (encoder_steps)")


def plan_arms(recipe: Recipe, data: DataPaths, out: Path, estimate: Estimator = estimate_task) -> list[Arm]:
    """Every system under every seed. One that answers with another's weights, or goes on from them, needs that one too.

    estimate: says what a stage costs; the system that trains longer depends on it.
    """
    names = recipe.systems or plugins.names("systems")
    plans = {name: load_system(name).PLAN for name in names}
    needed = {plan.weights_of or plan.after for plan in plans.values()} - {""}
    plans |= {name: load_system(name).PLAN for name in sorted(needed)}
    if REWARD in plans:
        plans |= {f"{REWARD}@{weight:g}": plans[REWARD] for weight in recipe.rewards}
    steps = _longer_steps(recipe, data, out, estimate) if any(plan.longer for plan in plans.values()) else 0
    return [
        _arm(recipe, data, out / f"seed-{seed}", seed, name, steps=steps if plan.longer else recipe.joint_steps)
        for seed in range(recipe.seeds)
        for name, plan in plans.items()
    ]


def _longer_steps(recipe: Recipe, data: DataPaths, out: Path, estimate: Estimator) -> int:
    """How many steps of the standard system cost what both stages of perceptual reward cost."""
    reward, base = (_arm(recipe, data, out, 0, name, steps=recipe.joint_steps) for name in (REWARD, BASE))
    flops = sum(estimate(task).flops for task in (reward.encoder, reward.joint) if task)
    return round(flops / max(estimate(task).step_flops for task in (base.joint,) if task))


def _arm(recipe: Recipe, data: DataPaths, folder: Path, seed: int, system: str, *, steps: int) -> Arm:  # noqa: PLR0913 (one line of a table)
    plan, weight = load_system(system).PLAN, system.partition("@")[2]
    if plan.after:
        return _gated_arm(_arm(recipe, data, folder, seed, plan.after, steps=steps), system, plan, folder)

    def encoder(pretraining: Plan) -> Task:
        name = "-".join(filter(None, ("encoder", pretraining.pretraining, pretraining.corruption)))
        where = data.examples, data.tokenizer, folder / name
        return Task(recipe, pretraining, *where, "encoder", seed, recipe.encoder_steps)

    if plan.parts:
        where = data.examples, data.tokenizer
        tasks = (
            Task(recipe, Plan(families=families), *where, folder / system / name / "model", "joint", seed, steps)
            for name, families, steps in _shares(plan, recipe)
        )
        return Arm(system, plan, seed, folder / system, None, None, parts=tuple(tasks))
    first = encoder(plan) if plan.pretraining and recipe.encoder_steps else None
    trained = encoder(Plan(pretraining="perception")) if plan.uses_detector and not recipe.detector else None
    detector = trained.out if trained else Path(recipe.detector) if plan.uses_detector else None
    joint = Task(
        msgspec.structs.replace(recipe, reward=float(weight)) if weight else recipe,
        plan,
        data.examples,
        data.tokenizer,
        folder / system / "model",
        "joint",
        seed,
        steps,
        encoder=first.out if first else None,
        detector=detector,
    )
    own = None if plan.weights_of else joint
    parts = (
        (_rival(_arm(recipe, data, folder, seed, plan.weights_of, steps=steps), folder / system),) if plan.rival else ()
    )
    return Arm(system, plan, seed, folder / system, first or trained, own, detector=detector, parts=parts)


def _rival(arm: Arm, folder: Path) -> Task:
    """Stage 2 of the same system under another seed."""
    if arm.joint is None:
        raise BadInput(f"{folder.name}: answers beside {arm.system}, which has no weights of its own")
    return replace(arm.joint, seed=arm.seed + OTHER_SEED, out=folder / RIVAL / "model")


def _shares(plan: Plan, recipe: Recipe) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """Of each part that has anything to learn: its name, its families, and its share of the steps; the first takes what is nobody's."""
    taken = {family for part in plan.parts for family in part.families}
    for part in plan.parts:
        rest = taken - set(part.families) if part is plan.parts[0] else set(recipe.families) - set(part.families)
        families = tuple(family for family in recipe.families if family not in rest)
        if families:
            yield part.name, families, max(1, round(recipe.joint_steps * len(families) / len(recipe.families)))


def _gated_arm(begun: Arm, system: str, plan: Plan, folder: Path) -> Arm:
    """The arm of a system that goes on from another's."""
    if begun.joint is None:
        raise BadInput(f"{system}: goes on from {begun.system}, which has no weights of its own")
    steps, out = begun.joint.recipe.gated_steps, folder / system / "model"
    gated = replace(begun.joint, plan=plan, out=out, stage="gated", steps=steps, encoder=None, start=begun.joint.out)
    return replace(begun, system=system, plan=plan, folder=folder / system, gated=gated)


def tasks_by_stage(arms: Sequence[Arm]) -> tuple[list[Task], list[Task], list[Task]]:
    """Every task once: those of stage 1, which those of stage 2 wait for, and these those of stage 3; the longest first."""
    encoder = {arm.encoder.out: arm.encoder for arm in arms if arm.encoder}
    joint = {task.out: task for arm in arms for task in (arm.joint, *arm.parts) if task}
    longest_first = sorted(joint.values(), key=lambda task: (not task.plan.preamble, -task.steps))
    return list(encoder.values()), longest_first, [arm.gated for arm in arms if arm.gated]


def arm_cost(arm: Arm, arms: Sequence[Arm], costs: Mapping[Path, TrainingCost]) -> ArmCost:
    """What its training cost, that of the system whose weights it answers with included. costs: by the folder of a task."""
    if arm.plan.weights_of:
        trained = next(other for other in arms if (other.system, other.seed) == (arm.plan.weights_of, arm.seed))
        cost, rivals = arm_cost(trained, arms, costs), [costs[task.out] for task in arm.parts]
        detectors = [costs[arm.encoder.out]] if arm.encoder else []
        return replace(
            cost,
            parameters=cost.parameters + sum(rival.parameters for rival in rivals),
            encoder_steps=cost.encoder_steps + sum(detector.steps for detector in detectors),
            joint_steps=cost.joint_steps + sum(rival.steps for rival in rivals),
            flops=cost.flops + sum(more.flops for more in (*detectors, *rivals)),
            seconds=cost.seconds + sum(more.seconds for more in (*detectors, *rivals)),
        )
    encoder, joint, gated = (costs[task.out] if task else None for task in (arm.encoder, arm.joint, arm.gated))
    parts = [costs[task.out] for task in arm.parts]
    every = [*filter(None, (encoder, joint, gated)), *parts]
    return ArmCost(
        parameters=sum(cost.parameters for cost in parts) or max(cost.parameters for cost in every),
        encoder_steps=encoder.steps if encoder else 0,
        joint_steps=sum(cost.steps for cost in (joint, *parts) if cost),
        flops=sum(cost.flops for cost in every),
        seconds=sum(cost.seconds for cost in every),
        gated_steps=gated.steps if gated else 0,
    )


def eval_job(recipe: Recipe, arm: Arm, data: DataPaths) -> EvalJob:
    """The evaluation of an arm."""
    parts = {task.out.parent.name: Weights(task.out, task.plan.families) for task in arm.parts}
    own = arm.last or (None if arm.plan.weights_of else next(iter(arm.parts), None))
    model = own.out if own else arm.folder.parent / arm.plan.weights_of / "model"
    return EvalJob(arm.system, arm.seed, arm.folder, model, arm.detector, data, recipe, parts)
