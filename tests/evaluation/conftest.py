"""Results and logs as a run leaves them, with figures drawn by a seed."""

import json

import numpy as np
import pytest

from pstgen.core import plugins, statistics
from pstgen.evaluation import results, summary
from pstgen.evaluation.results import ArmResult, Comparison, Results
from pstgen.training import systems
from pstgen.training.recipe import Recipe

STEPS = 600
SEES = {"standard": 22, "perceptual_reward": 68, "question_only": 0, "random_targets": 20, "shuffled_masks": 24}
LANGUAGE = {"language/choice": 81.0, "language/perplexity": 6.2}


def _figures(system, rng):
    pair = max(0.0, SEES.get(system, 35) + rng.normal(0, 2.5))
    figures = {
        "pst/pair": pair,
        "pst/item": 50 + pair / 2,
        "pst/stress": 40 + pair / 2,
        "pst/control": 60 + pair / 2,
        "pst/lure_rate": 60 - pair / 2,
        "pst/pair/colour": pair,
        "vqa/overall": 55 + pair / 3,
        "cost/p50": 11 + len(system) / 10,
        "cost/p95": 15.0,
        "cost/per_thousand": 0.003,
    }
    plan = systems.load(system).PLAN
    if not plan.weights_of:
        figures |= {name: value + rng.normal(0, 1) * value / 60 for name, value in LANGUAGE.items()}
        figures |= {"attention/share": 12 + pair / 4, "attention/uniform": 12.0}
    if plan.sees:
        figures |= _robustness(pair)
    return figures


def _robustness(pair):
    figures = {f"{kind}/{n}": pair * (1 - n / 6) for kind in ("rain", "noise", "jpeg") for n in (1, 2, 3)}
    figures |= {f"{kind}/{n}": pair * 0.8 ** (1 + n) for kind in ("fgsm", "pgd") for n in (2, 4, 8)}
    return {f"robustness/{name}": value for name, value in (figures | {"clean": pair, "seen": 0.97 * pair}).items()}


def _arm(system, seed, rng):
    figures = _figures(system, rng)
    won = rng.random(120) < figures["pst/pair"] / 100
    return ArmResult(
        system=system, seed=seed, parameters=1_860_000, steps={"encoder": 400, "joint": STEPS},
        flops=1e14 * (1 + len(system) / 40), seconds=312.4, figures=figures,
        absent={"gqa/overall": "no files of GQA were given"},
        scores={"pst": {f"{n}": float(one) for n, one in enumerate(won)}, "vqa": {}, "gqa": {}},
    )  # fmt: skip


def _compared(arms, system, other):
    one, two = (
        {f"{arm.seed}/{q}": s for arm in arms if arm.system == name for q, s in arm.scores["pst"].items()}
        for name in (system, other)
    )
    better, worse = sum(one[q] > two[q] for q in one), sum(one[q] < two[q] for q in one)
    return Comparison(system, other, "pst/pair", better, worse, statistics.mcnemar(one, two))


def _results(seeds=3, systems=None, *, synthetic=False, **recipe):
    rng = np.random.default_rng(0)
    names = systems or plugins.names("systems")
    arms = [_arm(name, seed, rng) for seed in range(seeds) for name in names]
    intervals = {}
    for name in names:
        some = [arm.figures for arm in arms if arm.system == name]
        pair = some[0]["pst/pair"]
        spread = {key: statistics.student_interval([one[key] for one in some]) for key in some[0]} if seeds > 1 else {}
        intervals[name] = spread or {"pst/pair": (pair, max(0.0, pair - 6), pair + 7)}
    against = [(name, "standard") for name in names if name != "standard" and "standard" in names]
    against += [
        ("perceptual_reward", name) for name in names if summary.is_control(name) and "perceptual_reward" in names
    ]
    return Results(
        format=1, pstgen="0.1.0", command="pstgen train-eval --seeds 3", device="a processor, 2 cores",
        recipe=results.recipe_settings(Recipe(**recipe)), libraries={"torch": "2.13.0"},
        synthetic=synthetic,
        materials={"pst": 240, "vqa": 800, "gqa": 0}, arms=arms, intervals=intervals,
        compared=[_compared(arms, *two) for two in against],
    )  # fmt: skip


def _logs(made, out):
    rng = np.random.default_rng(1)
    for arm in made.arms:
        plan = systems.load(arm.system).PLAN
        if plan.weights_of:
            continue
        folder = out / f"seed-{arm.seed}" / arm.system / "model"
        folder.mkdir(parents=True)
        lines = []
        for step in range(0, STEPS, 10):
            line = {"step": step, "words": 0.3 + 2 * np.exp(-step / (90 + 9 * len(arm.system))) + rng.normal(0, 0.04)}
            if plan.reward:
                fall = np.exp(-step / 200) if not plan.corruption else 0.9
                line |= {"contrast": 0.6 * fall, "dense": 0.5 * fall, "named": 0.4 * fall, "ratio": 0.2 + fall}
            lines.append(json.dumps(line | {"loss": line["words"]}))
        (folder / "log.jsonl").write_text("\n".join(lines) + "\n")
    for seed in {arm.seed for arm in made.arms}:
        for kind in ("perception", "self-supervised", "perception-random"):
            folder = out / f"seed-{seed}" / f"encoder-{kind}"
            folder.mkdir(parents=True)
            lines = [json.dumps({"step": n, "loss": 2 * np.exp(-n / 150) + len(kind) / 20}) for n in range(0, 400, 10)]
            (folder / "log.jsonl").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="session")
def results_of():
    """Make results: of so many seeds, of these systems (or all), by a recipe with these settings, on official or `synthetic` benchmarks."""
    return _results


@pytest.fixture(scope="session")
def logs_of():
    """Write the logs of such results into a folder."""
    return _logs
