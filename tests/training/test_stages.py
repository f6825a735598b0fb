"""Both stages: what is learnt, what is saved, and what happens when something stops them."""

import json
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
SEEING = Plan(first="perception", reward=True)
PLANS = {"encoder": SEEING, "joint": Plan(reward=True)}

KILLED = """
import os, pickle, signal, sys
import torch
from pstgen.training import stages
torch.set_num_threads(1)
for task, last in pickle.load(open(sys.argv[1], "rb")):
    if not (child := os.fork()):
        stages.learn(task, lambda step, _: step == last and os.kill(os.getpid(), signal.SIGKILL))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
"""

ALONE = """
import json, sys
import numpy, torch, transformers
told = []
for folder in sys.argv[1:]:
    model, info = transformers.AutoModelForImageTextToText.from_pretrained(folder, output_loading_info=True)
    processor = transformers.AutoProcessor.from_pretrained(folder)
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Is there a dog?"}]}]
    prompt = processor.apply_chat_template(chat, add_generation_prompt=True)
    image = numpy.full((64, 64, 3), 200, numpy.uint8)
    asked = processor(images=[image], text=[prompt], return_tensors="pt")
    with torch.inference_mode():
        said = model.generate(**asked, max_new_tokens=4, do_sample=False)[0, asked["input_ids"].shape[1]:]
    wrong = sorted(info["missing_keys"]) + sorted(info["unexpected_keys"])
    told.append([wrong, processor.tokenizer.decode(said, skip_special_tokens=True).strip(), len(said)])
assert not any(name.split(".")[0] in ("pstgen", "peft") for name in sys.modules)
print(json.dumps(told))
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


def alike(one, other, tolerance=1e-5):
    return set(one) == set(other) and all(torch.allclose(one[name], other[name], atol=tolerance) for name in one)


@pytest.fixture
def begun(small, made):
    """The weights that stage 2 begins with."""
    return modeling.vlm(small(), modeling.tokenizer(made.words), 0).model.state_dict()


def loaded(folder):
    """The saved model's weights by the names that it has in memory."""
    return transformers.AutoModelForImageTextToText.from_pretrained(folder).state_dict()


def moved(folder, begun):
    """The names of weights that training changed."""
    return {name for name, value in loaded(folder).items() if not torch.equal(value, begun[name])}


# ------------------------------------------------------------------------------------------------ cut off and go on


@pytest.fixture(scope="module")
def killed(made, small, tmp_path_factory):
    """Both stages, killed by SIGKILL at a random step past the first checkpoint, blind steps among them; and the step."""
    out, last = tmp_path_factory.mktemp("killed"), random.randint(3, 8)
    tasks = {
        stage: stages.Task(small(blind_every=3), plan, made.course, made.words, out / stage, stage, 0, 9)
        for stage, plan in PLANS.items()
    }
    (out / "tasks").write_bytes(pickle.dumps([(task, last) for task in tasks.values()]))
    subprocess.run([sys.executable, "-c", KILLED, str(out / "tasks")], check=True, capture_output=True)
    return tasks, last


@pytest.mark.parametrize("stage", ["encoder", "joint"])
def test_a_killed_stage_goes_on_to_where_it_would_have_come(killed, stage, tmp_path):
    tasks, last = killed
    task, kept = tasks[stage], last // 2 * 2
    assert not (task.out / stages.DONE).exists()
    assert [one.name for one in task.out.glob("checkpoint-*")] == [f"checkpoint-{kept}"]
    steps, figures, uncut = [], [], []
    stages.learn(task, lambda step, parts: (steps.append(step), figures.append(parts)))
    assert steps == list(range(kept, 9))
    whole = replace(task, out=tmp_path / "whole")
    stages.learn(whole, lambda _, parts: uncut.append(parts))
    assert figures[-1] == pytest.approx(uncut[-1], abs=1e-5)
    for file in (WEIGHTS, HEADS) if stage == "encoder" else (WEIGHTS,):
        assert alike(load_file(task.out / file), load_file(whole.out / file))


def test_a_stage_that_was_killed_while_it_wrote_a_checkpoint_goes_on_from_the_one_before(task, small):
    told = task("encoder", SEEING, small(), 8)
    with pytest.raises(CutError):
        stages.learn(told, cut_at(6))
    whole, half = told.out / "checkpoint-4", told.out / "checkpoint-6"
    half.rename(whole)
    half.mkdir()
    code = (whole / WEIGHTS).read_bytes()
    (half / WEIGHTS).write_bytes(code[: len(code) // 2])
    steps = []
    stages.learn(told, lambda step, _: steps.append(step))
    assert steps[-1] == 7


def test_a_stage_that_is_learnt_is_not_learnt_again(task):
    told = task("encoder", SEEING)
    done, steps = stages.learn(told, lambda *_: None), []
    before = (told.out / WEIGHTS).stat().st_mtime_ns
    assert stages.learn(told, lambda step, _: steps.append(step)) == done
    assert steps == []
    assert (told.out / WEIGHTS).stat().st_mtime_ns == before
    assert done.steps == 3
    assert done.step_flops > 0
    assert not list(told.out.glob("checkpoint-*"))


def test_the_same_seed_learns_the_same_and_another_does_not(task, small, tmp_path):
    told = task("joint", PLANS["joint"], small())
    again, other = replace(told, out=tmp_path / "again"), replace(told, out=tmp_path / "other", seed=1)
    for each in (told, again, other):
        stages.learn(each, lambda *_: None)
    assert alike(weights(told.out), weights(again.out), 1e-6)
    assert not alike(weights(told.out), weights(other.out), 1e-2)


@pytest.mark.parametrize("stage", ["encoder", "joint"])
def test_a_loss_that_is_no_number_stops_and_names_the_step_and_keeps_the_checkpoint(task, small, stage):
    told = task(stage, PLANS[stage], small(learning_rate=1e30, head_rate=1e30, keep_every=1), 5)
    steps = []
    with pytest.raises(BadInput, match=r"step (\d+) is no number.*learning rate") as refused:
        stages.learn(told, lambda step, _: steps.append(step))
    assert f"step {len(steps)} " in str(refused.value)
    assert str(told.out) in str(refused.value)
    assert (told.out / f"checkpoint-{len(steps)}" / WEIGHTS).is_file()
    assert not (told.out / stages.DONE).exists()


def test_a_loss_that_is_no_number_names_the_scenes_of_the_batch(task, small, course):
    told = task("encoder", SEEING, small(encoder_rate=1e30, head_rate=1e30, keep_every=1), 5)
    with pytest.raises(BadInput) as refused:
        stages.learn(told, lambda *_: None)
    assert (
        len({n for n in range(len(course)) if f"{course.lesson(n).scene.id}" in str(refused.value)})
        >= told.recipe.batch
    )


def test_a_gradient_that_is_no_number_stops_before_the_weights_are_changed(task, small, monkeypatch):
    told, real = task("encoder", SEEING, small(keep_every=1), 4), stages.ready

    def spoilt(one):
        stage = real(one)

        def losses(model, batch, step):
            steep = torch.sqrt(0 * next(model.parameters()).sum())  # 0, and its slope is 0 times infinity
            return stage.losses(model, batch, step) | ({"steep": steep} if step == 2 else {})

        return replace(stage, losses=losses)

    monkeypatch.setattr(stages, "ready", spoilt)
    with pytest.raises(BadInput, match=r"gradient of step 2 is no number"):
        stages.learn(told, lambda *_: None)
    kept = weights(told.out / "checkpoint-2")
    assert all(bool(torch.isfinite(tensor).all()) for tensor in kept.values())


def test_steps_of_words_alone_count_with_their_own_flops(task, small):
    """Every third step sees nothing, and is not among the first ones that are counted of those that see."""
    told = task("joint", Plan(reward=True), small(blind_every=3), 4)
    stage = stages.ready(told)
    each = [count_flops(partial(stages.step, stage, n)) for n in range(4)]
    assert stages.weigh(stage, told).step_flops == pytest.approx(sum(each) / 4)
    assert each[2] != pytest.approx((each[0] + each[1] + each[3]) / 3, rel=0.01)


# ------------------------------------------------------------------------------------------------------- what is left


@pytest.mark.parametrize(
    ("stage", "kind"), [("encoder", "CLIPVisionModel"), ("joint", "LlavaForConditionalGeneration")]
)
def test_perception_heads_are_not_among_the_weights(learnt, stage, kind):
    out, _ = learnt(stage, PLANS[stage])
    told = set(weights(out))
    assert told
    assert not any("perception" in name or "codes_" in name or name.startswith("read.") for name in told)
    assert json.loads((out / "config.json").read_text())["architectures"] == [kind]
    assert (out / HEADS).is_file() == (stage == "encoder")


@PEFT
def test_a_saved_model_answers_in_transformers_alone(learnt, small, task):
    """In a process that knows nothing of us; the one that was trained through adapters too."""
    pytest.importorskip("peft")
    plain, _ = learnt("joint", Plan(reward=True))
    adapted, _ = learnt("joint", Plan(reward=True), small(lora=2), out=task("adapted").out)
    told = subprocess.run(
        [sys.executable, "-c", ALONE, str(plain), str(adapted)], capture_output=True, text=True, check=True
    ).stdout
    image = np.full((64, 64, 3), 200, np.uint8)
    for folder, (wrong, said, length) in zip((plain, adapted), json.loads(told), strict=True):
        assert wrong == []
        assert 1 <= length <= 4
        assert said == Model(str(folder), "cpu").say(["Is there a dog?"], [image], 4)[0]
    assert set(weights(plain)) == set(weights(adapted))


def test_what_is_saved_is_what_was_trained(learnt, small, course):
    """A model that learnt one lesson's answers by heart says them."""
    out, figures = learnt("joint", Plan(), small(batch=2, questions=12, learning_rate=5e-3, keep_every=500), 120)
    assert figures[-1]["words"] < 0.5 * figures[0]["words"]
    saved = Model(str(out), "cpu")
    lesson = course.lesson(0)
    image = pixels.read(lesson.scene.path)
    scored = saved.score(
        [a.question for a in lesson.asked], [a.options for a in lesson.asked], [image] * len(lesson.asked)
    )
    right = [a.options[int(np.argmax(s))] == a.answer for a, s in zip(lesson.asked, scored, strict=True)]
    assert np.mean(right) > 0.6


# ------------------------------------------------------------------------------------------------- what is not trained


@pytest.mark.parametrize("start", ["model.language_model.layers.0.mlp", "model.vision_tower"])
def test_what_is_frozen_does_not_change_and_the_rest_does(learnt, small, begun, start):
    out, _ = learnt("joint", Plan(reward=True), small(frozen=(start,)))
    changed = moved(out, begun)
    assert not any(name.startswith(start) for name in changed)
    assert any(name.startswith("model.multi_modal_projector") for name in changed)
    assert any(name.startswith("model.language_model.layers.0.self_attn") for name in changed)


def test_an_encoder_that_is_frozen_stays_as_it_was_where_there_is_no_reward(learnt, small, begun):
    out, _ = learnt("joint", Plan(), small(frozen=("model.vision_tower",)))
    changed = moved(out, begun)
    assert changed
    assert not any("vision_tower" in name for name in changed)


def test_everything_is_trained_where_nothing_is_frozen(learnt, begun):
    out, _ = learnt("joint", Plan(reward=True))
    still = set(begun) - moved(out, begun) - {"lm_head.weight"}  # tied
    assert all("post_layernorm" in name or "k_proj.bias" in name for name in still), still


@pytest.mark.parametrize("stage", ["encoder", "joint"])
def test_a_frozen_name_that_fits_nothing_is_refused(task, small, stage):
    with pytest.raises(BadInput, match=r"frozen.*'vision_towel'.*one is"):
        stages.learn(task(stage, PLANS[stage], small(frozen=("vision_towel",))), lambda *_: None)


def test_a_model_that_is_asked_without_images_leaves_its_encoder_as_it_was(task, learnt, begun):
    plan = Plan(sees=False)
    steps = stages.ready(task("joint", plan, steps=8)).steps
    assert all("pixel_values" not in steps[n] for n in range(8))
    out, figures = learnt("joint", plan)
    changed = moved(out, begun)
    assert changed
    assert all(name.startswith(("model.language_model", "lm_head")) for name in changed)
    assert all(set(parts) == {"words", "loss"} for parts in figures)


# ---------------------------------------------------------------------------------------------------------- the reward


def test_the_reward_warms_up_to_lambda(task, small):
    """At step 0 it weighs 1/reward_warm_up of what it weighs in the end; words weigh the same."""
    stage = stages.ready(task("joint", Plan(reward=True), small(reward=0.5, reward_warm_up=4)))
    batch = stage.steps[0]
    parts = {step: stage.losses(stage.model, batch, step) for step in (0, 1, 3, 9)}
    for name in ("contrast", "dense", "named"):
        assert [(parts[n][name] / parts[9][name]).item() for n in (0, 1, 3)] == pytest.approx([0.25, 0.5, 1], rel=1e-4)
    assert parts[0]["words"].item() == pytest.approx(parts[9]["words"].item(), rel=1e-5)


def test_lambda_beta_and_words_weigh_their_parts(task, small):
    def parts(**weights):
        stage = stages.ready(task("joint", Plan(reward=True), small(reward_warm_up=0, **weights)))
        told = stage.losses(stage.model, stage.steps[0], 0)
        return np.array([told[name].item() for name in ("contrast", "dense", "named")])

    one = parts(reward=1.0)
    assert parts(reward=0.25) == pytest.approx(0.25 * one, rel=1e-4)
    assert parts(reward=1.0, dense=3.0, words=0.5) == pytest.approx(one * [1, 3, 0.5], rel=1e-4)
    assert parts(reward=0.0) == pytest.approx(0 * one)


def test_the_ratio_of_gradients_is_told_and_not_learnt_from(task, small):
    ratios = {}
    for reward in (0.5, 1.0):
        stage = stages.ready(task("joint", Plan(reward=True), small(reward=reward, reward_warm_up=0)))
        parts = stage.losses(stage.model, stage.steps[0], 0)
        ratios[reward] = parts["ratio"].item()
        learnt = sum(part.item() for name, part in parts.items() if name != "ratio")
        assert trainer.whole(parts).item() == pytest.approx(learnt, rel=1e-5)
        assert "ratio" not in stage.losses(stage.model, stage.steps[0], 1)
    assert ratios[1.0] == pytest.approx(2 * ratios[0.5], rel=1e-3)
    assert ratios[1.0] > 0


@pytest.mark.parametrize("stage", ["encoder", "joint"])
def test_controls_learn_from_other_targets_and_the_same_words(learnt, stage, task):
    told = {
        corrupt: learnt(stage, replace(PLANS[stage], corrupt=corrupt), out=task(stage).out / f"_{corrupt}", steps=1)[1][
            0
        ]
        for corrupt in ("", "random", "shuffled")
    }
    for corrupt in ("random", "shuffled"):
        assert abs(told[corrupt]["contrast"] - told[""]["contrast"]) > 1e-4
        assert abs(told[corrupt]["dense"] - told[""]["dense"]) > 1e-4
        if stage == "joint":
            assert told[corrupt]["words"] == pytest.approx(told[""]["words"], abs=1e-5)


def test_blind_steps_have_no_reward(learnt, small):
    _, figures = learnt("joint", Plan(reward=True), small(blind_every=2), 4)
    assert ["contrast" in parts for parts in figures] == [True, False, True, False]


def test_every_stage_learns(learnt, small):
    for stage, plan in (*PLANS.items(), ("encoder", Plan(first="self-supervised"))):
        out, figures = learnt(stage, plan, small(keep_every=500), 25)
        assert np.mean([p["loss"] for p in figures[-5:]]) < np.mean([p["loss"] for p in figures[1:6]])
        shutil.rmtree(out)


# ------------------------------------------------------------------------------------------------- stage 1 to stage 2


def test_stage_two_begins_with_the_encoder_of_stage_one_and_its_heads(learnt, task):
    first, _ = learnt("encoder", SEEING)
    stage = stages.ready(task("joint", SEEING, begun=first))
    assert alike(stage.model.model.vision_tower.state_dict(), weights(first), 0)
    assert alike(stage.model.perception.state_dict(), load_file(first / HEADS), 0)


def test_a_self_supervised_encoder_brings_no_heads(learnt, task):
    plan = Plan(first="self-supervised")
    first, figures = learnt("encoder", plan)
    assert set(figures[0]) == {"pixels", "loss"}
    stage = stages.ready(task("joint", plan, begun=first))
    assert alike(stage.model.model.vision_tower.state_dict(), weights(first), 0)
    assert not hasattr(stage.model, "perception")


@pytest.mark.parametrize("change", [{"hidden_size": 16}, {"num_hidden_layers": 2}, {"patch_size": 8}])
def test_an_encoder_that_does_not_fit_the_model_is_refused(learnt, task, small, change):
    other = small(vision=small().vision | change)
    first, _ = learnt("encoder", SEEING, other, 1)
    with pytest.raises(BadInput, match=r"does not fit.*and \d+ more"):
        stages.ready(task("joint", SEEING, begun=first))


def test_tools_tell_what_the_encoder_of_stage_one_sees(learnt, task, made):
    first, _ = learnt("encoder", SEEING)
    stage = stages.ready(task("joint", Plan(told="tools"), detector=first))
    words = modeling.tokenizer(made.words)
    assert all(words.decode(row).count("Seen: ") == 3 for row in stage.steps[0]["input_ids"])


# ----------------------------------------------------------------------------------------------------------- the rates


def rates(stage, recipe):
    """The optimizer's rate of every parameter, by name."""
    names = {id(parameter): name for name, parameter in stage.model.named_parameters()}
    trainer.freeze(stage.model, recipe.frozen)
    groups = trainer.groups(stage.model, stage.rates, recipe.weight_decay)
    return {names[id(parameter)]: group["lr"] for group in groups for parameter in group["params"]}


def test_separate_rates_reach_the_parameters(task, small):
    recipe = small(learning_rate=0.1, encoder_rate=0.2, head_rate=0.3, connector_rate=0.4)
    stage = stages.ready(task("joint", Plan(reward=True), recipe))
    told = rates(stage, recipe)
    wanted = {
        "perception.": 0.3,
        "model.vision_tower.": 0.2,
        "model.multi_modal_projector.": 0.4,
        "model.language_model.": 0.1,
    }
    for start, rate in wanted.items():
        assert {told[name] for name in told if name.startswith(start)} == {rate}
    assert set(told) == {name for name, _ in stage.model.named_parameters()}
    first = rates(stages.ready(task("encoder", SEEING, recipe)), recipe)
    assert {name.startswith("perception."): rate for name, rate in first.items()} == {True: 0.3, False: 0.2}


def test_matrices_decay_and_biases_and_norms_do_not(task, small):
    stage = stages.ready(task("joint", Plan(reward=True), small()))
    groups = trainer.groups(stage.model, stage.rates, 0.05)
    for group in groups:
        assert {parameter.ndim > 1 for parameter in group["params"]} == {group["weight_decay"] > 0}
    assert sum(len(group["params"]) for group in groups) == len(list(stage.model.parameters()))


def test_a_rate_of_nothing_leaves_the_encoder_as_it_was(learnt, small, begun):
    """The rates are those that the optimizer works with."""
    out, _ = learnt("joint", Plan(reward=True), small(encoder_rate=0.0))
    changed = moved(out, begun)
    assert changed
    assert not any("vision_tower" in name for name in changed)


def test_accumulated_batches_are_one_update(task, small):
    steps = []
    done = stages.learn(task("joint", Plan(reward=True), small(accumulate=2), 6), lambda step, _: steps.append(step))
    assert steps == [0, 1, 2, 3, 4, 5]
    assert done.steps == 6


# ------------------------------------------------------------------------------------------------------------ adapters


@pytest.fixture
def adapted(learnt, small):
    pytest.importorskip("peft")
    return lambda **changed: learnt("joint", Plan(reward=True), small(lora=2, **changed), 4)


@PEFT
def test_adapters_are_trained_and_merged_into_a_plain_model(adapted, begun):
    out, figures = adapted()
    assert set(loaded(out)) == set(begun)
    changed = moved(out, begun)
    assert any("self_attn.q_proj.weight" in name for name in changed)
    assert any("multi_modal_projector" in name for name in changed)
    assert {"words", "contrast", "dense", "named"} <= set(figures[0])
    assert not list(out.glob("adapter*"))


@PEFT
def test_beside_adapters_the_model_itself_is_not_trained(adapted, begun):
    out, _ = adapted()
    assert not any("mlp" in name or "embed" in name or "norm" in name for name in moved(out, begun))


@PEFT
def test_adapters_have_the_rates_and_the_frozen_names_of_what_they_adapt(task, small):
    pytest.importorskip("peft")
    recipe = small(lora=2, encoder_rate=0.2, learning_rate=0.1)
    told = rates(stages.ready(task("joint", Plan(reward=True), recipe)), recipe)
    assert {rate for name, rate in told.items() if "vision_tower" in name} == {0.2}
    frozen = small(lora=2, frozen=("model.vision_tower",))
    told = rates(stages.ready(task("joint", Plan(reward=True), frozen)), frozen)
    assert not any("vision_tower" in name for name in told)


# ------------------------------------------------------------------------------------------------- models of the user's


def test_a_llava_of_the_users_own_is_trained(learnt, small, tiny_llava):
    out, figures = learnt("joint", Plan(reward=True), small(model=str(tiny_llava), size=32), 2)
    assert set(weights(out)) == set(weights(tiny_llava))
    assert moved(out, loaded(tiny_llava))
    assert {"words", "contrast", "dense", "named"} <= set(figures[0])


def test_a_small_model_begins_with_the_language_model_that_is_named(small, tiny_llava, tmp_path):
    recipe = small(language=str(tiny_llava))
    modeling.save_tokenizer(recipe, (), tmp_path / "words")
    told = modeling.vlm(recipe, modeling.tokenizer(tmp_path / "words"), 0)
    other = transformers.AutoModelForImageTextToText.from_pretrained(tiny_llava).model.language_model.state_dict()
    assert alike(told.model.model.language_model.state_dict(), other, 0)
    assert told.words.get_vocab() == Model(str(tiny_llava), "cpu").tokenizer.get_vocab()


def test_names_are_the_tokens_of_the_words_for_things(made, course):
    """One thing and several: token ids of both, each once."""
    words, categories = modeling.tokenizer(made.words), course.lesson(0).scene.categories
    kinds, colours = modeling.names(words, categories)
    assert len(kinds) == len(categories)
    assert len(colours) == grid_targets.sizes(categories)["colour"]
    row = kinds[categories.index("dog")]
    told = {i for name in (" dog", " dogs") for i in words(name, add_special_tokens=False)["input_ids"]}
    assert sorted(row[row >= 0].tolist()) == sorted(told)
