"""Answers → figures, of every arm, with intervals; and how the systems compare."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import islice
from pathlib import Path

import msgspec

from pstgen.core import plugins, statistics
from pstgen.core.records import Item
from pstgen.dataset import store
from pstgen.evaluation import data, inference, latency, metrics, results, summary
from pstgen.evaluation.arms import ArmCost
from pstgen.evaluation.inference import EvalJob, JobEvaluation
from pstgen.evaluation.metrics import Latency, Scores
from pstgen.evaluation.results import ArmResult, Comparison, Results
from pstgen.evaluation.summary import BASE, REWARD, Column
from pstgen.training.recipe import Recipe

DRAWS = 1000  # of the bootstrap
LIBRARIES = ("torch", "transformers", "accelerate", "numpy", "albumentations")

PerQuestion = Mapping[str, Mapping[str, float]]  # by metric, then by question


def assemble(recipe: Recipe, jobs: Sequence[EvalJob], costs: Mapping[Path, ArmCost], command: str) -> Results:
    """Everything, as results.json has it. costs: by the folder of an arm, what its training cost."""
    items = list(store.open(jobs[0].data.pst).items())

    @cache
    def latencies(seed: int) -> Mapping[str, Latency]:
        return latency.of_jobs([job for job in jobs if job.seed == seed])

    def latency_of(job: EvalJob) -> Latency:
        return latencies(job.seed)[job.system]

    arms = [arm_result(job, scores(JobEvaluation(job, partial(latency_of, job))), costs[job.folder]) for job in jobs]
    return Results(
        format=results.FORMAT,
        pstgen=results.versions(())["pstgen"],
        command=command,
        device=device(),
        recipe=results.recipe_settings(recipe),
        libraries=results.versions(LIBRARIES),
        materials={metric: len(per_question) for metric, per_question in arms[0].scores.items()},
        synthetic=data.own_benchmarks(jobs[0].data, jobs[0].folder.parents[1]),
        arms=arms,
        intervals=intervals(arms, items),
        compared=compare(arms, items),
    )


def scores(evaluation: JobEvaluation) -> dict[str, Scores]:
    """Of every metric: those that were measured beside the model as they were saved, the others measured now."""
    saved = (evaluation.job.folder / inference.EXPENSIVE_SCORES).read_bytes()
    system = evaluation.system
    others = (name for name in plugins.names("metrics") if not metrics.is_expensive(name))
    measured = {
        name: inference.measure(name, evaluation) for name in others if not metrics.inapplicable(name, system.PLAN)
    }
    return measured | msgspec.json.decode(saved, type=dict[str, Scores])


def arm_result(job: EvalJob, by_metric: Mapping[str, Scores], cost: ArmCost) -> ArmResult:
    """One arm of results.json."""
    figures = {f"{metric}/{name}": value for metric, kept in by_metric.items() for name, value in kept.figures.items()}
    absent = {f"{metric}/{name}": reason for metric, kept in by_metric.items() for name, reason in kept.absent.items()}
    return ArmResult(
        system=job.system,
        seed=job.seed,
        parameters=cost.parameters,
        steps={"encoder": cost.encoder_steps, "joint": cost.joint_steps}
        | ({"gated": cost.gated_steps} if cost.gated_steps else {}),
        flops=cost.flops,
        seconds=cost.seconds,
        figures=figures,
        absent=absent,
        scores={
            column.metric: dict(by_metric[column.metric].per_question)
            for column in summary.compared_columns()
            if column.metric in by_metric
        },
    )


# ---------------------------------------------------------------------------------------------------------- intervals


def intervals(arms: Sequence[ArmResult], items: Sequence[Item]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Mean and 95 % interval of every figure over seeds; of pairs over pairs, where there is one seed, or none or all are won."""
    by_system = defaultdict[str, list[ArmResult]](list)
    for arm in arms:
        by_system[arm.system].append(arm)
    return {system: _over_seeds(seeds) | dict(_over_pairs(seeds, items)) for system, seeds in by_system.items()}


def _over_seeds(arms: Sequence[ArmResult]) -> dict[str, tuple[float, float, float]]:
    """Student's; none of one seed."""
    if len(arms) < 2:
        return {}
    shared = set.intersection(*(set(arm.figures) for arm in arms))
    return {name: statistics.student_interval([arm.figures[name] for arm in arms]) for name in sorted(shared)}


def _over_pairs(arms: Sequence[ArmResult], items: Sequence[Item]) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """By bootstrap; where all seeds win no pair, or every one, which draws that are all alike cannot bound, Clopper and Pearson's."""
    arm = arms[0]
    for column in summary.compared_columns():
        if column.headline.compared != "pair" or not all(column.figure in each.figures for each in arms):
            continue
        won = _by_pair(arm.scores[column.metric], items)
        if {score for each in arms for score in _by_pair(each.scores[column.metric], items).values()} in ({0.0}, {1.0}):
            low, high = statistics.binomial(round(sum(won.values())), len(won), statistics.CONFIDENCE)
            yield column.figure, (arm.figures[column.figure], 100 * low, 100 * high)
        elif len(arms) == 1:
            values = [100.0 * score for score in won.values()]
            low, high = statistics.bootstrap_mean(values, list(won), DRAWS, arm.seed)
            yield column.figure, (arm.figures[column.figure], low, high)


def _by_pair(per_item: Mapping[str, float], items: Sequence[Item]) -> dict[str, float]:
    """The worst score of every pair's items."""
    won: dict[str, float] = {}
    for item in items:
        if item.item_id in per_item:
            won[item.pair_id] = min(won.get(item.pair_id, 1.0), per_item[item.item_id])
    return won


# ---------------------------------------------------------------------------------------------------------- comparisons


def compare(arms: Sequence[ArmResult], items: Sequence[Item]) -> list[Comparison]:
    """Every system against the standard one, and perceptual reward against every control, on the same questions.

    A question is one observation, however many seeds there are: what is compared is its score, summed over them.
    """
    columns = summary.compared_columns()
    sums = defaultdict[str, dict[str, Counter[str]]](lambda: {column.metric: Counter() for column in columns})
    for arm in arms:
        for column in columns:
            per_question = arm.scores.get(column.metric, {})
            by_pair = column.headline.compared == "pair"
            sums[arm.system][column.metric].update(_by_pair(per_question, items) if by_pair else per_question)
    rivals = [(system, BASE) for system in sums if system != BASE and BASE in sums]
    rivals += [(REWARD, control) for control in sums if REWARD in sums and summary.is_control(control)]
    return [_compare(system, against, column, sums) for system, against in rivals for column in columns]


def _compare(system: str, against: str, column: Column, sums: Mapping[str, PerQuestion]) -> Comparison:
    first, second = sums[system][column.metric], sums[against][column.metric]
    shared = first.keys() & second.keys()
    better = sum(first[name] > second[name] for name in shared)
    worse = sum(first[name] < second[name] for name in shared)
    return Comparison(system, against, column.figure, better, worse, statistics.mcnemar(first, second))


# ---------------------------------------------------------------------------------------------------------- device


def device() -> str:
    """What it ran on: the accelerator's name, or the processor's."""
    import platform

    import torch
    from joblib import cpu_count

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = (line for line in info.read_text().splitlines() if line.startswith("model name"))
        model = next(islice(lines, 1), model).partition(":")[2].strip() or model
    return f"{model}, {cpu_count()} cores"
