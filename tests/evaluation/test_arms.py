"""Which arms a recipe has, which stages they share, and what they cost."""

from dataclasses import replace
from pathlib import Path

import pytest

from pstgen.core.records import BadInput
from pstgen.evaluation import arms, data
from pstgen.training.recipe import Recipe
from pstgen.training.stages import TrainingCost


def planned(out, **settings):
    """Arms by system; a step of stage 1 costs one FLOP, one of stage 2 ten."""

    def estimate(task):
        return TrainingCost(task.steps, 100, 1.0 if task.stage == "encoder" else 10.0, 0.0)

    plan = arms.plan_arms(Recipe(**{"encoder_steps": 20, "joint_steps": 10} | settings), data.paths(out), out, estimate)
    return {arm.system: arm for arm in plan}, plan, estimate


def test_another_lambda_is_an_arm_of_its_own_that_shares_stage_1(tmp_path):
    by_system, _, _ = planned(tmp_path, systems=("perceptual_reward",), rewards=(0.25,))
    assert {name: arm.joint.recipe.reward for name, arm in by_system.items()} == {
        "perceptual_reward": 0.5,
        "perceptual_reward@0.25": 0.25,
    }
    assert len({arm.encoder.out for arm in by_system.values()}) == 1
    assert len({arm.joint.out for arm in by_system.values()}) == 2


def test_a_system_without_weights_of_its_own_brings_the_one_that_has_them_and_costs_the_same(tmp_path):
    by_system, plan, estimate = planned(tmp_path, systems=("agent",), encoder_steps=0, detector="some/detector")
    assert set(by_system) == {"agent", "standard"}
    assert by_system["agent"].joint is None
    costs = {task.out: estimate(task) for stage in arms.tasks_by_stage(plan) for task in stage}
    agent, standard = (arms.arm_cost(by_system[name], plan, costs) for name in ("agent", "standard"))
    assert agent == standard == arms.ArmCost(100, encoder_steps=0, joint_steps=10, flops=100.0, seconds=0.0)


def test_debate_trains_a_rival_under_another_seed_costs_twice_as_much_and_answers_with_both(tmp_path):
    by_system, plan, estimate = planned(tmp_path, systems=("debate", "standard"), seeds=2)
    debate, standard = by_system["debate"], by_system["standard"]  # those of the last seed
    (rival,) = debate.parts
    assert rival == replace(standard.joint, seed=rival.seed, out=debate.folder / "rival" / "model")
    assert len({task.seed for task in arms.tasks_by_stage(plan)[1]}) == 4
    costs = {task.out: estimate(task) for stage in arms.tasks_by_stage(plan) for task in stage}
    assert arms.arm_cost(debate, plan, costs) == arms.ArmCost(
        200, encoder_steps=0, joint_steps=20, flops=200.0, seconds=0.0
    )
    job = arms.eval_job(Recipe(), debate, data.paths(tmp_path))
    assert job.model == standard.joint.out
    assert {name: weights.folder for name, weights in job.parts.items()} == {"rival": rival.out}


def test_an_agent_costs_what_the_standard_system_and_its_detector_cost(tmp_path):
    by_system, plan, estimate = planned(tmp_path, systems=("agent", "perceptual_reward"))
    encoder, joint, _ = arms.tasks_by_stage(plan)
    assert [task.out.name for task in encoder] == [
        "encoder-perception"
    ]  # the agent's detector, and where the reward begins
    costs = {task.out: estimate(task) for task in (*encoder, *joint)}
    agent, standard = (arms.arm_cost(by_system[name], plan, costs) for name in ("agent", "standard"))
    assert agent.flops - standard.flops == costs[encoder[0].out].flops > 0
    assert agent.encoder_steps == 20
    assert by_system["agent"].detector == encoder[0].out


def test_who_looks_with_a_detector_needs_one(tmp_path):
    for system in ("agent", "tools"):
        with pytest.raises(BadInput, match=f"{system}: looks with a detector"):
            arms.check_detectors(Recipe(systems=(system,), encoder_steps=0))
        arms.check_detectors(Recipe(systems=(system,), encoder_steps=1))
        by_system, plan, _ = planned(tmp_path, systems=(system,), encoder_steps=0, detector="some/detector")
        assert by_system[system].detector == Path("some/detector")
        assert not arms.tasks_by_stage(plan)[0]


def test_the_longer_system_costs_what_both_stages_of_perceptual_reward_cost(tmp_path):
    by_system, _, _ = planned(tmp_path, systems=("standard_longer",))
    assert by_system["standard_longer"].joint.steps == pytest.approx((20 * 1 + 10 * 10) / 10)


def test_every_stage_is_trained_once_under_every_seed(tmp_path):
    _, plan, _ = planned(tmp_path, systems=("perceptual_reward", "random_targets", "tools"), seeds=2)
    encoder, joint, _ = arms.tasks_by_stage(plan)
    names = {task.out.relative_to(tmp_path) for task in encoder}
    assert names == {Path(f"seed-{n}/encoder-perception{kind}") for n in (0, 1) for kind in ("", "-random")}
    assert len(joint) == 6
    assert joint[0].plan.preamble == "tools"  # the longest first
