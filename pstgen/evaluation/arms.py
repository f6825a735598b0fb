"""Which systems a recipe trains, under which seeds, by which stages, and what each of them costs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from pstgen.core import plugins
from pstgen.evaluation import inference
from pstgen.evaluation.data import Materials
from pstgen.evaluation.inference import Seat
from pstgen.evaluation.summary import BASE, REWARD
from pstgen.training.recipe import Recipe
from pstgen.training.stages import Learnt, Task, ready, weigh
from pstgen.training.systems import Plan


@dataclass(frozen=True)
class Arm:
    """A system under a seed, and the stages that it needs; first is shared by all that begin alike."""

    system: str
    plan: Plan
    seed: int
    folder: Path
    first: Task | None
    second: Task | None


def counted(task: Task) -> Learnt:
    """What a stage would cost, made without what is not trained yet."""
    return weigh(ready(bare(task)), task)


def plan(recipe: Recipe, made: Materials, out: Path, weighed: Callable[[Task], Learnt] = counted) -> list[Arm]:
    """Every system under every seed. One that answers with another's weights needs that one too.

    weighed: says what a stage costs; the system that trains longer depends on it.
    """
    names = recipe.systems or plugins.names("systems")
    plans: dict[str, Plan] = {name: inference.named(name).PLAN for name in names}
    plans |= {each.of: inference.named(each.of).PLAN for each in list(plans.values()) if each.of}
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
    whole, plain = (_arm(recipe, made, out, 0, name, inference.named(name).PLAN, 0) for name in (REWARD, BASE))
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


def seat(recipe: Recipe, arm: Arm, made: Materials) -> Seat:
    """Where an arm sits its examination."""
    model = arm.second.out if arm.second else arm.folder.parent / arm.plan.of / "model"
    detector = arm.second.detector if arm.second else None
    return Seat(arm.system, arm.seed, arm.folder, model, detector, made, recipe.evaluations, recipe.ocr)
