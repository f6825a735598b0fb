"""Which systems a recipe trains, under which seeds, by which stages, and what each of them costs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from pstgen.core import plugins
from pstgen.evaluation.data import DataPaths
from pstgen.evaluation.inference import EvalJob, load_system
from pstgen.evaluation.summary import BASE, REWARD
from pstgen.training import stages
from pstgen.training.recipe import Recipe
from pstgen.training.stages import Task, TrainingCost
from pstgen.training.systems import Plan

Estimator = Callable[[Task], TrainingCost]


@dataclass(frozen=True)
class Arm:
    """A system under a seed, and the stages that it needs; encoder: stage 1, which all arms share that begin alike.

    joint: stage 2; None of a system that answers with another's weights.
    """

    system: str
    plan: Plan
    seed: int
    folder: Path
    encoder: Task | None
    joint: Task | None


@dataclass(frozen=True)
class ArmCost:
    """What the training of an arm cost, both stages."""

    parameters: int
    encoder_steps: int
    joint_steps: int
    flops: float
    seconds: float


def estimate_task(task: Task) -> TrainingCost:
    """What a stage would cost, made without what is not trained yet."""
    return stages.estimate_cost(stages.prepare(without_pretrained(task)))


def without_pretrained(task: Task) -> Task:
    """The same stage without what another one has to train first: it costs the same."""
    return replace(task, encoder=None, detector=None)


def plan_arms(recipe: Recipe, data: DataPaths, out: Path, estimate: Estimator = estimate_task) -> list[Arm]:
    """Every system under every seed. One that answers with another's weights needs that one too.

    estimate: says what a stage costs; the system that trains longer depends on it.
    """
    names = recipe.systems or plugins.names("systems")
    plans = {name: load_system(name).PLAN for name in names}
    plans |= {plan.weights_of: load_system(plan.weights_of).PLAN for plan in list(plans.values()) if plan.weights_of}
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

    def encoder(pretraining: Plan) -> Task:
        name = "-".join(filter(None, ("encoder", pretraining.pretraining, pretraining.corruption)))
        where = data.examples, data.tokenizer, folder / name
        return Task(recipe, pretraining, *where, "encoder", seed, recipe.encoder_steps)

    first = encoder(plan) if plan.pretraining and recipe.encoder_steps else None
    needs_tools = plan.preamble == "tools"
    detector = encoder(Plan(pretraining="perception")) if needs_tools and not recipe.detector else None
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
        detector=detector.out if detector else Path(recipe.detector) if needs_tools else None,
    )
    return Arm(system, plan, seed, folder / system, first or detector, None if plan.weights_of else joint)


def tasks_by_stage(arms: Sequence[Arm]) -> tuple[list[Task], list[Task]]:
    """Every task once: those of stage 1, which those of stage 2 wait for; the longest first."""
    encoder = {arm.encoder.out: arm.encoder for arm in arms if arm.encoder}
    joint = {arm.joint.out: arm.joint for arm in arms if arm.joint}
    return list(encoder.values()), sorted(joint.values(), key=lambda task: (not task.plan.preamble, -task.steps))


def arm_cost(arm: Arm, arms: Sequence[Arm], costs: Mapping[Path, TrainingCost]) -> ArmCost:
    """What its training cost, that of the system whose weights it answers with included. costs: by the folder of a task."""
    if arm.plan.weights_of:
        trained = next(other for other in arms if (other.system, other.seed) == (arm.plan.weights_of, arm.seed))
        return arm_cost(trained, arms, costs)
    encoder, joint = (costs[task.out] if task else None for task in (arm.encoder, arm.joint))
    both = [cost for cost in (encoder, joint) if cost]
    return ArmCost(
        parameters=max(cost.parameters for cost in both),
        encoder_steps=encoder.steps if encoder else 0,
        joint_steps=joint.steps if joint else 0,
        flops=sum(cost.flops for cost in both),
        seconds=sum(cost.seconds for cost in both),
    )


def eval_job(recipe: Recipe, arm: Arm, data: DataPaths) -> EvalJob:
    """The evaluation of an arm."""
    model = arm.joint.out if arm.joint else arm.folder.parent / arm.plan.weights_of / "model"
    detector = arm.joint.detector if arm.joint else None
    return EvalJob(arm.system, arm.seed, arm.folder, model, detector, data, recipe)
