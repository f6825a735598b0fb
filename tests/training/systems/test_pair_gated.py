"""The systems of stage 3: with which stages before it each is trained, and what it costs."""

import pytest

from pstgen.evaluation import arms, data
from pstgen.training.recipe import Recipe
from pstgen.training.stages import TrainingCost

FAMILY = ("pair_gated", "item_gated", "pair_gated_random", "pair_gated_text")


@pytest.fixture
def planned(tmp_path):
    """Arms by system, and all of them."""

    def of(*systems, **settings):
        recipe = Recipe(systems=systems, encoder_steps=20, joint_steps=10, gated_steps=5, **settings)
        made = arms.plan_arms(recipe, data.paths(tmp_path), tmp_path)
        return {arm.system: arm for arm in made}, made

    return of


def test_stage_3_begins_with_what_perceptual_reward_has_learnt_which_takes_part_too(planned, tmp_path):
    by_system, _ = planned("pair_gated")
    before, gated = by_system["perceptual_reward"], by_system["pair_gated"]
    assert set(by_system) == {"perceptual_reward", "pair_gated"}
    assert gated.gated.stage == "gated"
    assert gated.gated.steps == 5
    assert gated.gated.start == before.joint.out
    assert gated.gated.out == tmp_path / "seed-0" / "pair_gated" / "model"
    assert (gated.encoder, gated.joint) == (before.encoder, before.joint)
    assert before.gated is None


def test_what_answers_is_the_last_stages_model(planned, tmp_path):
    by_system, _ = planned("pair_gated")
    recipe, paths = Recipe(), data.paths(tmp_path)
    jobs = {name: arms.eval_job(recipe, arm, paths) for name, arm in by_system.items()}
    assert jobs["pair_gated"].model == by_system["pair_gated"].gated.out
    assert jobs["perceptual_reward"].model == by_system["perceptual_reward"].joint.out
    assert jobs["pair_gated"].folder != jobs["perceptual_reward"].folder


def test_all_controls_share_the_stages_before_and_wait_for_them(planned):
    _, made = planned(*FAMILY, seeds=2)
    encoder, joint, gated = arms.tasks_by_stage(made)
    assert [len(stage) for stage in (encoder, joint, gated)] == [2, 2, 8]
    assert {task.start for task in gated} == {task.out for task in joint}
    assert len({task.out for task in gated}) == 8
    assert all(task.recipe == made[0].joint.recipe for task in gated)


def test_an_arm_costs_what_its_three_stages_cost(planned):
    by_system, made = planned(*FAMILY)
    flops = {"encoder": 1.0, "joint": 10.0, "gated": 100.0}
    tasks = [task for stage in arms.tasks_by_stage(made) for task in stage]
    costs = {task.out: TrainingCost(task.steps, 7, flops[task.stage], 0.0, 1.0) for task in tasks}
    for name in FAMILY:
        cost = arms.arm_cost(by_system[name], made, costs)
        assert cost == arms.ArmCost(7, encoder_steps=20, joint_steps=10, flops=620.0, seconds=3.0, gated_steps=5)
    before = arms.arm_cost(by_system["perceptual_reward"], made, costs)
    assert before == arms.ArmCost(7, encoder_steps=20, joint_steps=10, flops=120.0, seconds=2.0)


def test_a_dry_run_counts_stage_3_as_if_stage_2_were_there(planned):
    by_system, _ = planned("pair_gated")
    assert arms.without_pretrained(by_system["pair_gated"].gated).start is None
