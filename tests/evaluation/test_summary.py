"""Figures over seeds, against the standard system, and why one is missing."""

import msgspec
import pytest

from pstgen.core import plugins
from pstgen.evaluation import results, summary
from pstgen.evaluation.summary import Estimate
from pstgen.training import systems


def test_a_figure_that_one_seed_lacks_is_none_and_the_seed_is_named(results_of):
    made = results_of(seeds=2, systems=["standard"])
    lacking = {name: value for name, value in made.arms[1].figures.items() if name != "language/choice"}
    shared = {name: interval for name, interval in made.intervals["standard"].items() if name != "language/choice"}
    made = msgspec.structs.replace(
        made,
        arms=[made.arms[0], msgspec.structs.replace(made.arms[1], figures=lacking)],
        intervals={"standard": shared},
    )
    assert summary.estimate(made, "standard", "language/choice") is None
    assert summary.why(made, "standard", "language", "choice") == "was not measured under seed 1"


def test_with_one_seed_pairs_alone_have_an_interval(results_of):
    made = results_of(seeds=1, systems=["standard"])
    assert summary.estimate(made, "standard", "pst/pair").bounded
    assert not summary.estimate(made, "standard", "vqa/overall").bounded


@pytest.mark.parametrize(
    ("system", "metric", "name", "reason"),
    [
        ("standard", "gqa", "accuracy", "no files of GQA were given"),
        ("agent", "language", "choice", "answers with the weights of standard: see there"),
        ("question_only", "robustness", "clean", "never sees an image"),
        ("standard", "chains", "iou", "says no chain"),
        ("chain", "chains", "iou", "was not measured"),
        ("chain", "not_installed", "any", "was not measured"),
    ],
)
def test_why_there_is_no_figure(results_of, system, metric, name, reason):
    made = results_of(seeds=1, systems=["standard", "agent", "question_only", "chain"])
    assert summary.why(made, system, metric, name) == reason


def test_what_the_recipe_left_out_is_said_to_be(results_of):
    made = results_of(seeds=1, systems=["standard"], evaluations=("language",))
    assert summary.why(made, "standard", "chains", "iou") == "the recipe leaves this out"
    assert summary.why(made, "standard", "pst", "any") == "was not measured"


def test_the_standard_system_is_once_itself_and_nothing_is_relative_without_it(results_of):
    made = results_of(seeds=3)
    assert summary.relative(made, "standard", summary.FLOPS) == 1.0
    mean = sum(arm.flops for arm in results.of_system(made, "tools")) / 3
    assert summary.relative(made, "tools", summary.FLOPS) == pytest.approx(mean / made.arms[0].flops, rel=1)
    assert summary.relative(results_of(seeds=1, systems=["tools"]), "tools", summary.FLOPS) is None


def test_systems_and_controls_are_all_there_is_and_share_none(results_of):
    made = results_of(seeds=1)
    assert sorted((*summary.systems(made), *summary.controls(made))) == sorted(plugins.names("systems"))
    plans = {name: systems.load(name).PLAN for name in plugins.names("systems")}
    assert set(summary.controls(made)) == {name for name, plan in plans.items() if plan.control}
    assert summary.systems(made)[:2] == ["standard", "perceptual_reward"]


def test_lambda_is_nought_without_the_reward_and_by_the_name_or_the_recipe_with_it(results_of):
    made = results_of(seeds=1, systems=["standard"], reward=0.5)
    names = ("stage1_only", "perceptual_reward@0.1", "perceptual_reward", "standard", "random_targets")
    assert [summary.reward_weight(name, made) for name in names] == [0.0, 0.1, 0.5, None, None]


def test_the_gain_is_taken_seed_by_seed(results_of):
    made = results_of(seeds=2, systems=["standard", "perceptual_reward"])
    pairs = {
        ("standard", 0): 10.0,
        ("standard", 1): 30.0,
        ("perceptual_reward", 0): 20.0,
        ("perceptual_reward", 1): 40.0,
    }
    arms = [msgspec.structs.replace(arm, figures={"pst/pair": pairs[arm.system, arm.seed]}) for arm in made.arms]
    assert summary.gain(msgspec.structs.replace(made, arms=arms)) == Estimate(10.0, 10.0, 10.0)


def test_every_system_is_described_in_the_words_of_its_file():
    for name in plugins.names("systems"):
        assert summary.about(name).endswith(".")
        assert not summary.about(name).startswith("Control")
    assert summary.about("perceptual_reward@0.1").endswith("Lambda is 0.1.")
    assert summary.about("somebody's") == ""
