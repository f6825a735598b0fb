"""What a dry run says: all of a run, each kind of work measured once, and figures as a real run would count them."""

import json
import os
from collections import Counter
from dataclasses import replace

import msgspec
import pytest
import torch

from pstgen import train_eval
from pstgen.cli import tables
from pstgen.core.progress import Silent, silent
from pstgen.evaluation import arms, data, inference, processes
from pstgen.evaluation.dry_run import clock, estimate, samples, stage_trials
from pstgen.evaluation.dry_run.stage_trials import StageTrials
from pstgen.training import stages
from pstgen.training.examples import Examples
from pstgen.training.recipe import Recipe
from pstgen.training.stages import TrainingCost
from pstgen.training.systems import Plan

FEW = Recipe(
    families=("existence", "colour"),
    scenes=12,
    size=64,
    vision={
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "patch_size": 16,
    },
    text={
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
    },
    encoder_steps=2,
    joint_steps=4,
    blind_every=2,
    batch=2,
    questions=2,
    pst_scenes=160,
    pst_pairs=10,
    exam_scenes=4,
    exam_questions=3,
)


class Shown(Silent):
    """Progress that remembers."""

    def __init__(self):
        self.planned, self.passed = [], Counter()

    def plan(self, steps):
        self.planned = [name for name, _ in steps]

    def __call__(self, items, step, total=None):
        for item in items:
            yield item
            self.passed[step, total] += 1


def estimated(tmp_path, progress=silent, *, encoders_alone=False, given=(None, None, None), **changes):
    out, recipe = tmp_path / "run", msgspec.structs.replace(FEW, **changes)
    return train_eval.dry_run(recipe, data.paths(out, *given), out, progress, encoders_alone=encoders_alone)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Of every system: the estimate, the progress that was shown, and the folder that it ran in."""
    folder, progress = tmp_path_factory.mktemp("dry"), Shown()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        return estimated(folder, progress), progress, folder


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Where there are examples and a tokenizer."""
    made = data.paths(tmp_path_factory.mktemp("examples"))
    data.write_examples(FEW, made, silent)
    return made


def tasks(paths, systems):
    """The stages of these systems, at most four steps each: of each kind no more than are counted."""
    recipe, cost = msgspec.structs.replace(FEW, systems=systems), TrainingCost(2, 0, 1.0, 0)
    planned = arms.plan_arms(recipe, paths, paths.examples.parent, lambda _: cost)
    return [task for stage in arms.tasks_by_stage(planned) for task in stage]


def test_examples_and_the_evaluation_of_every_system_are_rows_as_every_stage_is(whole):
    rows = {(cost.part, cost.name): cost for cost in whole[0].costs}
    systems = {arm.system for arm in arms.plan_arms(FEW, data.paths(whole[2]), whole[2], _free)}
    assert {name for part, name in rows if part == estimate.EXAMPLES} == {
        "examples",
        "stress test",
        "benchmarks",
        "language",
    }
    assert {name for part, name in rows if part == estimate.EVALUATION} == {*systems, "latency"}
    plans = {name: inference.load_system(name).PLAN for name in systems}
    trained = {name for name, plan in plans.items() if not plan.weights_of and not plan.parts}
    trained |= {"cascade/detector", "cascade/colour-reader"}
    assert trained | {"encoder-perception"} <= {name for part, name in rows if part == estimate.TRAINING}
    assert all(cost.seconds > 0 for cost in rows.values())
    assert rows[estimate.EXAMPLES, "examples"].number == FEW.scenes


def _free(task):
    return TrainingCost(task.steps, 0, 1.0, 0.0)


def test_all_is_in_the_sum_and_stages_and_systems_share_the_cores(whole):
    run, cores = whole[0], processes.cores()
    by_part = Counter()
    for cost in run.costs:
        by_part[cost.part] += cost.seconds
    assert set(run.seconds) == set(by_part)
    assert run.seconds[estimate.EXAMPLES] == pytest.approx(by_part[estimate.EXAMPLES])
    for part in (estimate.TRAINING, estimate.EVALUATION):
        assert by_part[part] / cores <= run.seconds[part] * 1.001
        assert run.seconds[part] <= by_part[part] * 1.001


def test_nothing_is_left_neither_in_the_folder_nor_in_the_cache(whole):
    _, _, folder = whole
    assert not (folder / "run").exists()
    assert not list((folder / "cache").rglob("*.png"))


def test_progress_goes_through_all_that_was_announced(whole):
    _, progress, _ = whole
    assert {name for name, _ in progress.passed} == set(progress.planned)
    assert all(n == total for (_, total), n in progress.passed.items())


def test_threads_are_as_before_and_so_is_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = torch.get_num_threads()
    estimated(tmp_path, systems=("standard",), encoders_alone=True)
    assert (torch.get_num_threads(), os.environ["XDG_CACHE_HOME"]) == (before, str(tmp_path))


def test_stage_1_alone_has_no_evaluation_and_no_second_stage(tmp_path):
    run = estimated(tmp_path, systems=("perceptual_reward",), encoders_alone=True)
    assert [cost.name for cost in run.costs] == ["examples", "encoder-perception"]
    assert run.seconds[estimate.EVALUATION] == 0


def test_a_run_counts_the_flops_parameters_and_memory_that_a_dry_run_estimates(paths):
    trials = StageTrials(None)
    for task in tasks(paths, ()):
        expected, found = arms.estimate_task(task), trials(task)
        name = f"{task.plan} {task.stage}"
        alike = 1e-9 if task.plan.sees else 0.03  # without images other steps of it are counted
        alike = 0.1 if task.stage == "gated" else alike  # it draws answers, some longer than others
        alike = 0.25 if task.seed else alike  # in two small steps, which draw other questions under another seed
        assert found.flops == pytest.approx(expected.flops, rel=alike), name
        assert (found.parameters, found.steps) == (expected.parameters, expected.steps), name
        assert found.memory == pytest.approx(expected.memory, rel=max(alike, 0.001)), (
            name
        )  # shuffled targets are a few bytes more


def test_what_is_alike_is_measured_once(paths, monkeypatch):
    made, tried = [], Counter()
    prepare, try_steps = stages.prepare, stage_trials._try_steps

    def counting(stage, numbers):
        tried.update([type(stage.batches).__name__])
        return try_steps(stage, numbers)

    monkeypatch.setattr(stages, "prepare", lambda task: made.append(task) or prepare(task))
    monkeypatch.setattr(stage_trials, "_try_steps", counting)
    trials = StageTrials(None)
    systems = ("perceptual_reward", "random_targets", "shuffled_masks", "standard", "stage1_only", "question_only")
    for task in tasks(paths, systems):
        trials(task)
    assert tried == {"EncoderBatches": 1, "PackedBatches": 3}  # with the reward, without it, and of words alone
    assert len(made) == 3
    assert len(tasks(paths, systems)) == 9


def test_a_longer_stage_costs_more_by_its_steps(paths):
    trials = StageTrials(None)
    task = next(iter(tasks(paths, ("standard",))))
    short, long = (trials(replace(task, steps=steps)) for steps in (1000, 2000))
    assert long.flops == pytest.approx(2 * short.flops)
    assert long.seconds > 1.5 * short.seconds
    assert long.memory == short.memory


@pytest.mark.parametrize(
    ("plan", "numbers"),
    [
        (Plan(), [(True, [0, 2]), (False, [1, 3])]),
        (Plan(sees=False), [(False, [0, 1, 2, 3])]),
        (Plan(preamble="chain"), [(True, [0, 2]), (False, [1, 3])]),
    ],
)
def test_steps_of_words_alone_are_a_kind_of_their_own(plan, numbers, paths):
    task = replace(next(iter(tasks(paths, ("standard",)))), plan=plan)
    assert [(kind.sees, steps) for kind, steps in stage_trials.step_kinds(task).items()] == numbers


def test_only_a_chain_makes_steps_of_words_alone_dearer(paths):
    task = next(iter(tasks(paths, ("standard",))))
    plain, reward, tools, chain = (
        {kind for kind in stage_trials.step_kinds(replace(task, plan=plan)) if not kind.sees}
        for plan in (Plan(), Plan(reward=True), Plan(preamble="tools"), Plan(preamble="chain"))
    )
    assert plain == reward == tools != chain


def test_what_tools_say_costs_flops_though_no_detector_is_trained(paths, tmp_path):
    tools = stage_trials.try_tools(FEW, paths, tmp_path)
    assert tools.texts == [samples.perfect_description(example.scene) for example in Examples(paths.examples)]
    assert tools.seconds > 0
    without, with_tools = StageTrials(None), StageTrials(tools)
    task = next(task for task in tasks(paths, ("tools",)) if task.stage == "joint")
    assert with_tools(task).flops > 1.05 * without(task).flops


def test_what_a_perfect_detector_says_is_worded_as_by_ours(scene, thing):
    dogs = [thing("dog", x, colour="brown") for x in (0, 30)]
    assert samples.perfect_description(scene(*dogs, thing("cup", 60, colour="red"))) == "Seen: 1 red cup, 2 brown dogs."
    assert samples.perfect_description(scene()) == "Seen: nothing."


def test_systems_that_answer_alike_are_timed_once(whole):
    seconds = {cost.name: cost.seconds for cost in whole[0].costs if cost.part == estimate.EVALUATION}
    assert seconds["standard"] == seconds["perceptual_reward"] == seconds["stage2_only"]
    assert len({seconds[name] for name in ("standard", "agent", "debate", "chain", "tools", "question_only")}) == 6
    assert seconds["agent"] > seconds["question_only"]


def test_an_evaluation_that_is_not_wanted_costs_nothing(tmp_path, whole):
    answers = {cost.name: cost.number for cost in whole[0].costs if cost.part == estimate.EVALUATION}
    run = estimated(tmp_path, systems=("standard",), evaluations=("language",))
    standard = next(cost for cost in run.costs if cost.part == estimate.EVALUATION)
    asked = 2 * 2 * FEW.pst_pairs * 2 + FEW.exam_scenes * FEW.exam_questions  # two twins of two families, twice
    assert standard.number == asked < answers["standard"]


def test_benchmarks_and_a_stress_test_that_were_given_are_asked_in_full_and_not_made(tmp_path):
    given = data.paths(tmp_path / "given")
    recipe = msgspec.structs.replace(FEW, exam_scenes=12)
    samples._stress_test(FEW, given.pst, train_eval.build_stress_test)
    data.write_benchmarks(recipe, tmp_path / "given", silent)
    items = json.loads((given.pst / "manifest.json").read_bytes())["items"]
    run = estimated(tmp_path, systems=("standard",), evaluations=("language",), given=(given.pst, given.vqa, None))
    assert [cost.name for cost in run.costs if cost.part == estimate.EXAMPLES] == ["examples", "language"]
    standard = next(cost for cost in run.costs if cost.part == estimate.EVALUATION)
    questions = json.loads((given.vqa / "v2_OpenEnded_world_test_questions.json").read_bytes())["questions"]
    assert standard.number == 2 * items + len(questions)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft's
def test_a_model_of_the_users_own_is_tried_as_it_is(tmp_path, tiny_llava):
    run = estimated(
        tmp_path, model=str(tiny_llava), encoder_steps=0, lora=2, systems=("standard",), evaluations=("language",)
    )
    assert [cost.name for cost in run.costs if cost.part == estimate.TRAINING] == ["standard"]
    assert all(cost.seconds > 0 for cost in run.costs)


def test_what_is_paid_once_is_not_multiplied(monkeypatch):
    time = [0.0]
    monkeypatch.setattr(clock, "now", lambda: time[0])

    def work(number):
        time[0] += 0.5 * number + (7.0 if time[0] == 0.0 else 0.0)  # seven seconds of imports

    assert clock.extrapolated(work, 4, 40, 1000) == pytest.approx(507.0)


def test_other_jobs_do_not_lengthen_what_is_timed():
    import time

    seconds, result = clock.timed(lambda: time.sleep(0.3) or "slept")
    assert result == "slept"
    assert seconds < 0.2 or not clock.is_cpu_time()


def test_the_table_has_heads_fits_80_columns_and_sums_up(whole, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    tables.costs(whole[0])
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert max(map(len, lines)) <= 80
    rule = next(n for n, line in enumerate(lines) if line.startswith("\N{BOX DRAWINGS LIGHT HORIZONTAL}"))
    assert lines[rule - 1].split() == ["part", "of", "the", "run", "amount", "meters", "FLOPs", "a", "step", "time"]
    text = " ".join(printed.split())
    for part in (estimate.EXAMPLES, estimate.TRAINING, estimate.EVALUATION):
        assert part in text.partition("One seed:")[2]
    assert "12 scenes" in text
    assert f"on {processes.cores()} core" in text
    assert "Counted: 2 steps of every kind (stages: 22, kinds of step: 13)." in text
