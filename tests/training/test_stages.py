"""Both stages: what is learnt, what is saved, and what happens when something stops them."""

import json
import math
import pickle
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file

from pstgen.core.records import BadInput
from pstgen.models.flops import count_flops
from pstgen.models.huggingface import Model
from pstgen.models.tools import HEADS
from pstgen.scenes import pixels
from pstgen.training import grid_targets, modeling, stages, trainer
from pstgen.training.systems import Plan

WEIGHTS = "model.safetensors"
PEFT = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
SEEING = Plan(pretraining="perception", reward=True)
PLANS = {"encoder": SEEING, "joint": Plan(reward=True)}

KILLED = """
import os, pickle, signal, sys
import torch
from pstgen.training import stages
torch.set_num_threads(1)
for task, last in pickle.load(open(sys.argv[1], "rb")):
    if not (child := os.fork()):
        stages.train(task, lambda step, _: step == last and os.kill(os.getpid(), signal.SIGKILL))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
"""

ALONE = """
import json, sys
import numpy, torch, transformers
answers = []
for folder in sys.argv[1:]:
    model, info = transformers.AutoModelForImageTextToText.from_pretrained(folder, output_loading_info=True)
    processor = transformers.AutoProcessor.from_pretrained(folder)
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Is there a dog?"}]}]
    prompt = processor.apply_chat_template(chat, add_generation_prompt=True)
    image = numpy.full((64, 64, 3), 200, numpy.uint8)
    inputs = processor(images=[image], text=[prompt], return_tensors="pt")
    with torch.inference_mode():
        ids = model.generate(**inputs, max_new_tokens=4, do_sample=False)[0, inputs["input_ids"].shape[1]:]
    wrong = sorted(info["missing_keys"]) + sorted(info["unexpected_keys"])
    answers.append([wrong, processor.tokenizer.decode(ids, skip_special_tokens=True).strip(), len(ids)])
assert not any(name.split(".")[0] in ("pstgen", "peft") for name in sys.modules)
print(json.dumps(answers))
"""


class CutError(Exception):
    """Somebody pulls the plug."""


def cut_at(last):
    def log(step, _figures):
        if step == last:
            raise CutError

    return log


def weights(folder):
    return load_file(folder / WEIGHTS)


def alike(a, b, tolerance=1e-5):
    return set(a) == set(b) and all(torch.allclose(a[name], b[name], atol=tolerance) for name in a)


@pytest.fixture
def initial(small, paths):
    """The weights that stage 2 begins with."""
    return modeling.load_vlm(small(), modeling.load_tokenizer(paths.tokenizer), 0).model.state_dict()


def loaded(folder):
    """The saved model's weights by the names that it has in memory."""
    return transformers.AutoModelForImageTextToText.from_pretrained(folder).state_dict()


def changes(folder, initial):
    """The names of weights that training changed."""
    return {name for name, value in loaded(folder).items() if not torch.equal(value, initial[name])}


# ------------------------------------------------------------------------------------------------ cut off and go on


@pytest.fixture(scope="module")
def killed(paths, small, tmp_path_factory):
    """Both stages, killed by SIGKILL at a random step past the first checkpoint, blind steps among them; and the step."""
    out, last = tmp_path_factory.mktemp("killed"), random.randint(3, 8)
    tasks = {
        stage: stages.Task(small(blind_every=3), plan, paths.examples, paths.tokenizer, out / stage, stage, 0, 9)
        for stage, plan in PLANS.items()
    }
    (out / "tasks").write_bytes(pickle.dumps([(task, last) for task in tasks.values()]))
    subprocess.run([sys.executable, "-c", KILLED, str(out / "tasks")], check=True, capture_output=True)
    return tasks, last


@pytest.mark.parametrize("stage", ["encoder", "joint"])
def test_a_killed_stage_goes_on_to_where_it_would_have_got(killed, stage, tmp_path):
    tasks, last = killed
    task, kept = tasks[stage], last // 2 * 2
    assert not (task.out / stages.DONE).exists()
    assert [folder.name for folder in task.out.glob("checkpoint-*")] == [f"checkpoint-{kept}"]
    steps, figures, uncut = [], [], []
    stages.train(task, lambda step, parts: (steps.append(step), figures.append(parts)))
    assert steps == list(range(kept, 9))
    whole = replace(task, out=tmp_path / "whole")
    stages.train(whole, lambda _, parts: uncut.append(parts))
    assert figures[-1] == pytest.approx(uncut[-1], abs=1e-5)
    for file in (WEIGHTS, HEADS) if stage == "encoder" else (WEIGHTS,):
        assert alike(load_file(task.out / file), load_file(whole.out / file))


def test_a_stage_that_was_killed_while_it_wrote_a_checkpoint_goes_on_from_the_one_before(task, small):
    task = task("encoder", SEEING, small(), 8)
    with pytest.raises(CutError):
        stages.train(task, cut_at(6))
    whole, half = task.out / "checkpoint-4", task.out / "checkpoint-6"
    half.rename(whole)
    half.mkdir()
    code = (whole / WEIGHTS).read_bytes()
    (half / WEIGHTS).write_bytes(code[: len(code) // 2])
    steps = []
    stages.train(task, lambda step, _: steps.append(step))
    assert steps[-1] == 7


def test_a_trained_stage_is_not_trained_again(task):
    task = task("encoder", SEEING)
    done, steps = stages.train(task, lambda *_: None), []
    before = (task.out / WEIGHTS).stat().st_mtime_ns
    assert stages.train(task, lambda step, _: steps.append(step)) == done
    assert steps == []
    assert (task.out / WEIGHTS).stat().st_mtime_ns == before
    assert done.steps == 3
    assert done.step_flops > 0
    assert not list(task.out.glob("checkpoint-*"))


def test_the_same_seed_learns_the_same_and_another_does_not(task, small, tmp_path):
    task = task("joint", PLANS["joint"], small())
    again, other = replace(task, out=tmp_path / "again"), replace(task, out=tmp_path / "other", seed=1)
    for made in (task, again, other):
        stages.train(made, lambda *_: None)
    assert alike(weights(task.out), weights(again.out), 1e-6)
    assert not alike(weights(task.out), weights(other.out), 1e-2)


@pytest.mark.parametrize("stage", ["encoder", "joint"])
def test_a_loss_that_is_no_number_stops_and_names_the_step_and_keeps_the_checkpoint(task, small, stage):
    task = task(stage, PLANS[stage], small(learning_rate=1e9, encoder_rate=1e9, head_rate=1e9, keep_every=1), 5)
    steps = []
    with pytest.raises(BadInput, match=r"step (\d+) is not finite.*learning rate") as refused:
        stages.train(task, lambda step, _: steps.append(step))
    assert f"step {len(steps)} " in str(refused.value)
    assert str(task.out) in str(refused.value)
    assert (task.out / f"checkpoint-{len(steps)}" / WEIGHTS).is_file()
    assert not (task.out / stages.DONE).exists()


def test_a_loss_that_is_no_number_names_the_scenes_of_the_batch(task, small, examples):
    task = task("encoder", SEEING, small(encoder_rate=1e9, head_rate=1e9, keep_every=1), 5)
    with pytest.raises(BadInput) as refused:
        stages.train(task, lambda *_: None)
    assert (
        len({n for n in range(len(examples)) if f"{examples[n].scene.id}" in str(refused.value)}) >= task.recipe.batch
    )


def test_a_gradient_that_is_no_number_stops_before_the_weights_are_changed(task, small, monkeypatch):
    task, prepare = task("encoder", SEEING, small(keep_every=1), 4), stages.prepare

    def prepare_spoilt(task):
        stage = prepare(task)

        def losses(model, batch, step):
            steep = torch.sqrt(0 * next(model.parameters()).sum())  # 0, and its slope is 0 times infinity
            return stage.losses(model, batch, step) | ({"steep": steep} if step == 2 else {})

        return replace(stage, losses=losses)

    monkeypatch.setattr(stages, "prepare", prepare_spoilt)
    with pytest.raises(BadInput, match=r"gradient of step 2 is not finite"):
        stages.train(task, lambda *_: None)
    kept = weights(task.out / "checkpoint-2")
    assert all(bool(torch.isfinite(tensor).all()) for tensor in kept.values())


def test_steps_of_words_alone_count_with_their_own_flops(task, small):
    """Every third step sees nothing, and is not among the first ones that are counted of those that see."""
    task = task("joint", Plan(reward=True), small(blind_every=3), 4)
    stage = stages.prepare(task)
    flops = [count_flops(partial(stages.run_step, stage, n)) for n in range(4)]
    assert stages.estimate_cost(stage).step_flops == pytest.approx(sum(flops) / 4)
    assert flops[2] != pytest.approx((flops[0] + flops[1] + flops[3]) / 3, rel=0.01)


# ------------------------------------------------------------------------------------------------------- what is left


@pytest.mark.parametrize(
    ("stage", "kind"), [("encoder", "CLIPVisionModel"), ("joint", "LlavaForConditionalGeneration")]
)
def test_perception_heads_are_not_among_the_weights(trained, stage, kind):
    out, _ = trained(stage, PLANS[stage])
    names = set(weights(out))
    assert names
    assert not any("perception" in name or "codes_" in name or name.startswith("read.") for name in names)
    assert json.loads((out / "config.json").read_text())["architectures"] == [kind]
    assert (out / HEADS).is_file() == (stage == "encoder")


@PEFT
def test_a_saved_model_answers_in_transformers_alone(trained, small, task):
    """In a process that knows nothing of us; the one that was trained through adapters too."""
    pytest.importorskip("peft")
    plain, _ = trained("joint", Plan(reward=True))
    adapted, _ = trained("joint", Plan(reward=True), small(lora=2), out=task("adapted").out)
    printed = subprocess.run(
        [sys.executable, "-c", ALONE, str(plain), str(adapted)], capture_output=True, text=True, check=True
    ).stdout
    image = np.full((64, 64, 3), 200, np.uint8)
    for folder, (wrong, answer, length) in zip((plain, adapted), json.loads(printed), strict=True):
        assert wrong == []
        assert 1 <= length <= 4
        assert answer == Model(str(folder), "cpu").generate(["Is there a dog?"], [image], 4)[0]
    assert set(weights(plain)) == set(weights(adapted))


def test_what_is_saved_is_what_was_trained(trained, small, examples):
    """A model that learnt one example's answers by heart says them."""
    out, figures = trained("joint", Plan(), small(batch=2, questions=12, learning_rate=5e-3, keep_every=500), 120)
    assert figures[-1]["words"] < 0.5 * figures[0]["words"]
    saved = Model(str(out), "cpu")
    questions, image = examples[0].questions, pixels.read(examples[0].scene.path)
    options = [question.options for question in questions]
    scores = saved.score([question.text for question in questions], options, [image] * len(questions))
    right = [q.options[int(np.argmax(logprobs))] == q.answer for q, logprobs in zip(questions, scores, strict=True)]
    assert np.mean(right) > 0.6


# ------------------------------------------------------------------------------------------------- what is not trained


@pytest.mark.parametrize("start", ["model.language_model.layers.0.mlp", "model.vision_tower"])
def test_what_is_frozen_does_not_change_and_the_rest_does(trained, small, initial, start):
    out, _ = trained("joint", Plan(reward=True), small(frozen=(start,)))
    changed = changes(out, initial)
    assert not any(name.startswith(start) for name in changed)
    assert any(name.startswith("model.multi_modal_projector") for name in changed)
    assert any(name.startswith("model.language_model.layers.0.self_attn") for name in changed)


def test_an_encoder_that_is_frozen_stays_as_it_was_where_there_is_no_reward(trained, small, initial):
    out, _ = trained("joint", Plan(), small(frozen=("model.vision_tower",)))
    changed = changes(out, initial)
    assert changed
    assert not any("vision_tower" in name for name in changed)


def test_everything_is_trained_where_nothing_is_frozen(trained, initial):
    out, _ = trained("joint", Plan(reward=True))
    still = set(initial) - changes(out, initial) - {"lm_head.weight"}  # tied
    assert all("post_layernorm" in name or "k_proj.bias" in name for name in still), still


@pytest.mark.parametrize("stage", ["encoder", "joint"])
def test_a_frozen_name_that_fits_nothing_is_refused(task, small, stage):
    with pytest.raises(BadInput, match=r"frozen.*'vision_towel'.*one is"):
        stages.train(task(stage, PLANS[stage], small(frozen=("vision_towel",))), lambda *_: None)


def test_a_model_that_gets_no_images_leaves_its_encoder_as_it_was(task, trained, initial):
    plan = Plan(sees=False)
    blind = stages.prepare(task("joint", plan, steps=8)).batches
    assert all("pixel_values" not in blind[n] for n in range(8))
    out, figures = trained("joint", plan)
    changed = changes(out, initial)
    assert changed
    assert all(name.startswith(("model.language_model", "lm_head")) for name in changed)
    assert all(set(parts) == {"words", "loss"} for parts in figures)


# ---------------------------------------------------------------------------------------------------------- the reward


def test_the_reward_warms_up_to_lambda(task, small):
    """At step 0 it weighs 1/reward_warm_up of what it weighs in the end; words weigh the same."""
    stage = stages.prepare(task("joint", Plan(reward=True), small(reward=0.5, reward_warm_up=4)))
    batch = stage.batches[0]
    parts = {step: stage.losses(stage.model, batch, step) for step in (0, 1, 3, 9)}
    for name in ("contrast", "dense", "named"):
        assert [(parts[n][name] / parts[9][name]).item() for n in (0, 1, 3)] == pytest.approx([0.25, 0.5, 1], rel=1e-4)
    assert parts[0]["words"].item() == pytest.approx(parts[9]["words"].item(), rel=1e-5)


def test_lambda_beta_and_words_weigh_their_parts(task, small):
    def parts(**weights):
        stage = stages.prepare(task("joint", Plan(reward=True), small(reward_warm_up=0, **weights)))
        losses = stage.losses(stage.model, stage.batches[0], 0)
        return np.array([losses[name].item() for name in ("contrast", "dense", "named")])

    whole = parts(reward=1.0)
    assert parts(reward=0.25) == pytest.approx(0.25 * whole, rel=1e-4)
    assert parts(reward=1.0, dense=3.0, words=0.5) == pytest.approx(whole * [1, 3, 0.5], rel=1e-4)
    assert parts(reward=0.0) == pytest.approx(0 * whole)


def test_the_ratio_of_gradients_is_logged_and_is_no_loss(task, small):
    ratios = {}
    for reward in (0.5, 1.0):
        stage = stages.prepare(task("joint", Plan(reward=True), small(reward=reward, reward_warm_up=0)))
        parts = stage.losses(stage.model, stage.batches[0], 0)
        ratios[reward] = parts["ratio"].item()
        losses = sum(part.item() for name, part in parts.items() if name != "ratio")
        assert trainer.total_loss(parts).item() == pytest.approx(losses, rel=1e-5)
        assert "ratio" not in stage.losses(stage.model, stage.batches[0], 1)
    assert ratios[1.0] == pytest.approx(2 * ratios[0.5], rel=1e-3)
    assert ratios[1.0] > 0


@pytest.mark.parametrize("stage", ["encoder", "joint"])
def test_controls_learn_from_other_targets_and_the_same_words(trained, stage, task):
    def first_step(corruption):
        plan, out = replace(PLANS[stage], corruption=corruption), task(stage).out / f"_{corruption}"
        return trained(stage, plan, out=out, steps=1)[1][0]

    true = first_step("")
    for corruption in ("random", "shuffled"):
        parts = first_step(corruption)
        assert abs(parts["contrast"] - true["contrast"]) > 1e-4
        assert abs(parts["dense"] - true["dense"]) > 1e-4
        if stage == "joint":
            assert parts["words"] == pytest.approx(true["words"], abs=1e-5)


def test_blind_steps_have_no_reward(trained, small):
    _, figures = trained("joint", Plan(reward=True), small(blind_every=2), 4)
    assert ["contrast" in parts for parts in figures] == [True, False, True, False]


def test_every_stage_learns(trained, small):
    for stage, plan in (*PLANS.items(), ("encoder", Plan(pretraining="self-supervised"))):
        out, figures = trained(stage, plan, small(keep_every=500), 25)
        assert np.mean([p["loss"] for p in figures[-5:]]) < np.mean([p["loss"] for p in figures[1:6]])
        shutil.rmtree(out)


# ------------------------------------------------------------------------------------------------- stage 1 to stage 2


def test_stage_two_begins_with_the_encoder_of_stage_one_and_its_heads(trained, task):
    first, _ = trained("encoder", SEEING)
    stage = stages.prepare(task("joint", SEEING, encoder=first))
    assert alike(stage.model.model.vision_tower.state_dict(), weights(first), 0)
    assert alike(stage.model.perception.state_dict(), load_file(first / HEADS), 0)


def test_a_self_supervised_encoder_brings_no_heads(trained, task):
    plan = Plan(pretraining="self-supervised")
    first, figures = trained("encoder", plan)
    assert set(figures[0]) == {"pixels", "loss"}
    stage = stages.prepare(task("joint", plan, encoder=first))
    assert alike(stage.model.model.vision_tower.state_dict(), weights(first), 0)
    assert not hasattr(stage.model, "perception")


@pytest.mark.parametrize("change", [{"hidden_size": 16}, {"num_hidden_layers": 2}, {"patch_size": 8}])
def test_an_encoder_that_does_not_fit_the_model_is_refused(trained, task, small, change):
    other = small(vision=small().vision | change)
    first, _ = trained("encoder", SEEING, other, 1)
    with pytest.raises(BadInput, match=r"does not fit.*and \d+ more"):
        stages.prepare(task("joint", SEEING, encoder=first))


def test_tools_say_what_the_encoder_of_stage_one_sees(trained, task, paths):
    first, _ = trained("encoder", SEEING)
    stage = stages.prepare(task("joint", Plan(preamble="tools"), detector=first))
    tokenizer = modeling.load_tokenizer(paths.tokenizer)
    assert all(tokenizer.decode(row).count("Seen: ") == 3 for row in stage.batches[0]["input_ids"])


# ----------------------------------------------------------------------------------------------------------- the rates


def rates(stage, recipe):
    """The optimizer's rate of every parameter, by name."""
    names = {id(parameter): name for name, parameter in stage.model.named_parameters()}
    trainer.freeze(stage.model, recipe.frozen)
    groups = trainer.parameter_groups(stage.model, stage.rates, recipe.weight_decay)
    return {names[id(parameter)]: group["lr"] for group in groups for parameter in group["params"]}


def test_separate_rates_reach_the_parameters(task, small):
    recipe = small(learning_rate=0.1, encoder_rate=0.2, head_rate=0.3, connector_rate=0.4)
    stage = stages.prepare(task("joint", Plan(reward=True), recipe))
    actual = rates(stage, recipe)
    wanted = {
        "perception.": 0.3,
        "model.vision_tower.": 0.2,
        "model.multi_modal_projector.": 0.4,
        "model.language_model.": 0.1,
    }
    for start, rate in wanted.items():
        assert {actual[name] for name in actual if name.startswith(start)} == {rate}
    assert set(actual) == {name for name, _ in stage.model.named_parameters()}
    first = rates(stages.prepare(task("encoder", SEEING, recipe)), recipe)
    assert {name.startswith("perception."): rate for name, rate in first.items()} == {True: 0.3, False: 0.2}


@pytest.mark.parametrize(("updates", "warm_up"), [(100, 10), (40, 0), (7, 1), (3, 2), (3, 100)])
def test_the_rate_goes_up_in_a_line_is_level_and_goes_down_over_the_last_quarter(updates, warm_up):
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "lr": 0.5, "initial_lr": 0.5}])
    schedule = trainer.schedule(optimizer, updates, warm_up)
    for n in range(updates):
        down = (updates - n) / math.ceil(updates / 4)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.5 * min(1, (n + 1) / max(1, warm_up), down))
        optimizer.step()
        schedule.step()


def test_a_rate_that_does_not_cool_stays_up_and_one_that_cools_longer_is_lower():
    def last_rate(cooling):
        optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "lr": 1.0, "initial_lr": 1.0}])
        schedule = trainer.schedule(optimizer, 20, 2, cooling)
        for _ in range(19):
            optimizer.step()
            schedule.step()
        return optimizer.param_groups[0]["lr"]

    assert [last_rate(cooling) for cooling in (0, 2, 10)] == pytest.approx([1, 1 / 2, 1 / 10])


def test_matrices_decay_and_biases_and_norms_do_not(task, small):
    stage = stages.prepare(task("joint", Plan(reward=True), small()))
    groups = trainer.parameter_groups(stage.model, stage.rates, 0.05)
    for group in groups:
        assert {parameter.ndim > 1 for parameter in group["params"]} == {group["weight_decay"] > 0}
    assert sum(len(group["params"]) for group in groups) == len(list(stage.model.parameters()))


def test_a_rate_of_nothing_leaves_the_encoder_as_it_was(trained, small, initial):
    """The rates are those that the optimizer works with."""
    out, _ = trained("joint", Plan(reward=True), small(encoder_rate=0.0))
    changed = changes(out, initial)
    assert changed
    assert not any("vision_tower" in name for name in changed)


def test_accumulated_batches_are_one_update(task, small):
    steps = []
    done = stages.train(task("joint", Plan(reward=True), small(accumulate=2), 6), lambda step, _: steps.append(step))
    assert steps == [0, 1, 2, 3, 4, 5]
    assert done.steps == 6


# ------------------------------------------------------------------------------------------------------------ adapters


@pytest.fixture
def adapted(trained, small):
    pytest.importorskip("peft")
    return lambda **settings: trained("joint", Plan(reward=True), small(lora=2, **settings), 4)


@PEFT
def test_adapters_are_trained_and_merged_into_a_plain_model(adapted, initial):
    out, figures = adapted()
    assert set(loaded(out)) == set(initial)
    changed = changes(out, initial)
    assert any("self_attn.q_proj.weight" in name for name in changed)
    assert any("multi_modal_projector" in name for name in changed)
    assert {"words", "contrast", "dense", "named"} <= set(figures[0])
    assert not list(out.glob("adapter*"))


@PEFT
def test_beside_adapters_the_model_itself_is_not_trained(adapted, initial):
    out, _ = adapted()
    assert not any("mlp" in name or "embed" in name or "norm" in name for name in changes(out, initial))


@PEFT
def test_adapters_have_the_rates_and_the_frozen_names_of_what_they_adapt(task, small):
    pytest.importorskip("peft")
    recipe = small(lora=2, encoder_rate=0.2, learning_rate=0.1)
    actual = rates(stages.prepare(task("joint", Plan(reward=True), recipe)), recipe)
    assert {rate for name, rate in actual.items() if "vision_tower" in name} == {0.2}
    frozen = small(lora=2, frozen=("model.vision_tower",))
    actual = rates(stages.prepare(task("joint", Plan(reward=True), frozen)), frozen)
    assert not any("vision_tower" in name for name in actual)


# ------------------------------------------------------------------------------------------------- models of the user's


def test_a_llava_of_the_users_own_is_trained(trained, small, tiny_llava):
    out, figures = trained("joint", Plan(reward=True), small(model=str(tiny_llava), size=32), 2)
    assert set(weights(out)) == set(weights(tiny_llava))
    assert changes(out, loaded(tiny_llava))
    assert {"words", "contrast", "dense", "named"} <= set(figures[0])


def test_a_small_model_begins_with_the_language_model_that_is_named(small, tiny_llava, tmp_path):
    recipe = small(language=str(tiny_llava))
    modeling.save_tokenizer(recipe, (), tmp_path / "words")
    vlm = modeling.load_vlm(recipe, modeling.load_tokenizer(tmp_path / "words"), 0)
    other = transformers.AutoModelForImageTextToText.from_pretrained(tiny_llava).model.language_model.state_dict()
    assert alike(vlm.model.model.language_model.state_dict(), other, 0)
    assert vlm.tokenizer.get_vocab() == Model(str(tiny_llava), "cpu").tokenizer.get_vocab()


def test_names_are_the_tokens_of_the_words_for_things(paths, examples):
    """One thing and several: token ids of both, each once."""
    tokenizer, categories = modeling.load_tokenizer(paths.tokenizer), examples[0].scene.categories
    kinds, colours = modeling.name_tokens(tokenizer, categories)
    assert len(kinds) == len(categories)
    assert len(colours) == grid_targets.code_counts(categories)["colour"]
    row = kinds[categories.index("dog")]
    ids = {i for name in (" dog", " dogs") for i in tokenizer(name, add_special_tokens=False)["input_ids"]}
    assert sorted(row[row >= 0].tolist()) == sorted(ids)
