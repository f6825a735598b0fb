"""Stage 3: what is rewarded, what that does to the probabilities, what holds it near its start, and what is left of it."""

import pickle
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from pstgen.core.records import BadInput
from pstgen.training import pair_stage, recipe, stages
from pstgen.training.examples import Question
from pstgen.training.pair_batches import Twin
from pstgen.training.systems import Plan

GATED = Plan(after="perceptual_reward", gate="pair")
CHAIN = "red cup at (10, 20, 30, 40)"

KILLED = """
import os, pickle, signal, sys
import torch
from pstgen.training import stages
torch.set_num_threads(1)
task, last = pickle.load(open(sys.argv[1], "rb"))
stages.train(task, lambda step, _: step == last and os.kill(os.getpid(), signal.SIGKILL))
"""

ALONE = """
import sys
import numpy, torch, transformers
model, info = transformers.AutoModelForImageTextToText.from_pretrained(sys.argv[1], output_loading_info=True)
processor = transformers.AutoProcessor.from_pretrained(sys.argv[1])
assert not info["missing_keys"] and not info["unexpected_keys"], info
chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Is there a dog?"}]}]
prompt = processor.apply_chat_template(chat, add_generation_prompt=True)
inputs = processor(images=[numpy.full((64, 64, 3), 200, numpy.uint8)], text=[prompt], return_tensors="pt")
ids = model.generate(**inputs, max_new_tokens=4, do_sample=False)
assert not any(name.split(".")[0] in ("pstgen", "peft") for name in sys.modules)
print(ids.shape[1] - inputs["input_ids"].shape[1])
"""


def weights(folder):
    return load_file(folder / "model.safetensors")


def alike(a, b, tolerance=1e-5):
    return set(a) == set(b) and all(torch.allclose(a[name], b[name], atol=tolerance) for name in a)


def twins(*answers, options=("yes", "no"), chain=""):
    return [
        Twin("p", (n, 0), Question("existence", "Is it?", options, answer, chain)) for n, answer in enumerate(answers)
    ]


# ------------------------------------------------------------------------------------------------------- what is rewarded


def test_an_answer_is_worth_nothing_where_the_other_twins_is_wrong():
    """The n-th answer about a twin is held against the n-th about the other."""
    texts = [["yes", "yes", "no", "no"], ["no", "yes", "no", "yes"]]
    assert pair_stage.reward_answers(twins("yes", "no"), texts, "pair") == [[1, 0, 0, 0], [1, 0, 0, 0]]
    assert pair_stage.reward_answers(twins("yes", "no"), texts, "item") == [[1, 1, 0, 0], [1, 0, 1, 0]]


@pytest.mark.parametrize("text", ["yes", "no", "", "a dog", "yes or no"])
def test_whoever_says_the_same_of_both_twins_is_never_rewarded(text):
    assert pair_stage.reward_answers(twins("yes", "no"), [[text] * 3] * 2, "pair") == [[0] * 3] * 2


def test_pairs_do_not_mix():
    other = [replace(twin, pair_id="q") for twin in twins("no", "yes")]
    texts = [["yes"], ["no"], ["no"], ["no"]]
    assert pair_stage.reward_answers(twins("yes", "no") + other, texts, "pair") == [[1], [1], [0], [0]]


def test_half_of_the_reward_of_a_chain_is_for_what_it_names_and_where():
    pair = twins("red", "blue", options=("red", "blue"), chain=CHAIN)
    texts = [
        [
            f"{CHAIN}; so red",
            "red cup at (60, 70, 30, 40); so red",
            "blue dog at (60, 70, 3, 4); so red",
            "red",
            f"{CHAIN}; so red",
        ],
        [f"{CHAIN}; so blue"] * 4 + [f"{CHAIN}; so red"],
    ]
    first, second = pair_stage.reward_answers(pair, texts, "pair", has_chain=True)
    assert first == pytest.approx([1, 0.75, 0.5, 0.5, 0])
    assert second == pytest.approx([1, 1, 1, 1, 0])


def test_within_a_group_the_better_is_above_and_the_worse_below_and_all_alike_are_nothing():
    values = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0.5, 0.5], [1, 1, 0, 0]])
    made = pair_stage.advantages(values)
    assert made[0, 0] > 0 > made[0, 1]
    assert made[1].tolist() == [0, 0, 0, 0]
    assert made.mean(dim=1).tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert made[2].std(correction=0).item() == pytest.approx(1, rel=1e-3)


# ------------------------------------------------------------------------------------------- what that does to the model


@pytest.fixture(scope="module")
def start(paths, small, tmp_path_factory):
    """A folder of stage 2."""
    out = tmp_path_factory.mktemp("start") / "model"
    stages.train(stages.Task(small(), Plan(), paths.examples, paths.tokenizer, out, "joint", 0, 2), lambda *_: None)
    return out


@pytest.fixture
def gated(task, paired, small, start):
    """The task of stage 3 of a plan."""

    def of(plan=GATED, steps=4, **settings):
        recipe = small(**{"gated_pairs": 1, "samples": 4, **settings})
        return task("gated", plan, recipe, steps, examples=paired.examples, start=start)

    return of


@pytest.fixture
def favour(gated, monkeypatch):
    """Reward answers of one token that begin with a letter up to m, about one batch again and again: the parts of the loss, step by step."""
    monkeypatch.setattr(pair_stage, "MAX_TOKENS", 1)
    monkeypatch.setattr(
        pair_stage,
        "reward_answers",
        lambda _twins, texts, *_, **__: [
            [float(text[:1] in set("abcdefghijklm")) for text in group] for group in texts
        ],
    )

    def of(weight):
        stage, seen = stages.prepare(gated(kl=weight, samples=16, gated_pairs=1)), []
        optimizer, batch = torch.optim.Adam(stage.model.parameters(), lr=1e-2), stage.batches[0]
        for step in range(20):
            parts = stage.losses(stage.model, batch | {"step": step}, step)
            (parts["policy"] + parts["kl"]).backward()
            optimizer.step()
            optimizer.zero_grad()
            seen.append({name: part.item() for name, part in parts.items()})
        return seen

    return of


def test_what_is_rewarded_becomes_likelier_and_a_heavy_divergence_holds_it_back(favour):
    free, held = favour(1e-6), favour(100.0)
    early, late = (sum(parts["rewarded"] for parts in some) / 5 for some in (free[:5], free[-5:]))
    assert late > early + 0.3
    assert sum(parts["rewarded"] for parts in held[-5:]) / 5 < early + 0.1
    far, near = free[-1]["kl"] / 1e-6, held[-1]["kl"] / 100.0
    assert far > 0.3
    assert near < far / 20


def test_at_the_start_nothing_diverges(gated):
    stage = stages.prepare(gated())
    assert stage.losses(stage.model, stage.batches[0], 0)["kl"].item() == pytest.approx(0, abs=1e-7)


def test_the_share_of_rewarded_answers_is_logged_and_is_no_loss(gated):
    figures = []
    stages.train(gated(blind_every=2), lambda _, parts: figures.append(parts))
    assert [set(parts) for parts in figures] == [{"policy", "kl", "rewarded", "loss"}, {"words", "loss"}] * 2
    assert figures[0]["loss"] == pytest.approx(figures[0]["policy"] + figures[0]["kl"], abs=1e-6)


def test_without_a_reward_nothing_changes(gated, monkeypatch, start):
    monkeypatch.setattr(
        pair_stage, "reward_answers", lambda _, texts, *__, **___: [[0.0] * len(group) for group in texts]
    )
    task = gated(kl=0.0, weight_decay=0.0, gated_rate=1e-2)
    stages.train(task, lambda *_: None)
    assert alike(weights(task.out), weights(start), 0)


# -------------------------------------------------------------------------------------------------- equal, killed, saved


def test_every_control_has_the_same_steps_and_samples_and_flops(gated):
    plans = (
        GATED,
        replace(GATED, gate="item"),
        replace(GATED, corruption="random"),
        replace(GATED, sees=False),
    )
    costs = [stages.estimate_cost(stages.prepare(gated(plan, gated_steps=4))) for plan in plans]
    assert len({(cost.steps, cost.parameters) for cost in costs}) == 1
    assert [cost.flops for cost in costs] == pytest.approx([costs[0].flops] * 4, rel=0.15)
    assert costs[0].flops > 0


def test_more_samples_cost_more(gated):
    few, many = (stages.estimate_cost(stages.prepare(gated(samples=samples))).flops for samples in (2, 16))
    assert many > 1.2 * few


def test_a_killed_stage_goes_on_to_where_it_would_have_got(gated, tmp_path):
    task = gated(steps=7, blind_every=3, samples=3)
    (tmp_path / "tasks").write_bytes(pickle.dumps((task, 5)))
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "tasks")], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert [folder.name for folder in task.out.glob("checkpoint-*")] == ["checkpoint-4"]
    steps, figures, uncut = [], [], []
    stages.train(task, lambda step, parts: (steps.append(step), figures.append(parts)))
    whole = replace(task, out=tmp_path / "whole")
    stages.train(whole, lambda _, parts: uncut.append(parts))
    assert steps == [4, 5, 6]
    for cut, through in zip(figures, uncut[4:], strict=True):
        assert cut == pytest.approx(through, abs=1e-5)
    assert alike(weights(task.out), weights(whole.out))


def test_what_is_saved_loads_with_transformers_alone_and_has_learnt(gated, start):
    task = gated(gated_rate=1e-2, steps=6)
    stages.train(task, lambda *_: None)
    done = subprocess.run([sys.executable, "-c", ALONE, str(task.out)], check=True, capture_output=True, text=True)
    assert 1 <= int(done.stdout.split()[-1]) <= 4
    assert not alike(weights(task.out), weights(start), 1e-3)


def test_examples_without_pairs_are_refused_and_still_tell_what_a_step_costs(gated, tmp_path, paths):
    line = (paths.examples / "lessons.jsonl").read_bytes().splitlines()[0]
    (tmp_path / "lessons.jsonl").write_bytes(line + b"\n")
    task = replace(gated(), examples=tmp_path)
    with pytest.raises(BadInput, match="no training pairs"):
        stages.prepare(task)
    assert stages.estimate_cost(stages.prepare(replace(task, start=None))).flops > 0


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_adapters_are_trained_and_merged(gated, start):
    pytest.importorskip("peft")
    task = gated(lora=2, gated_rate=1e-2, steps=5)
    stages.train(task, lambda *_: None)
    assert set(weights(task.out)) == set(weights(start))
    assert not list(task.out.glob("adapter*"))


def test_more_batches_an_update_than_steps_are_refused(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("accumulate: 4\ngated_steps: 3\n")
    with pytest.raises(BadInput, match="gated_steps"):
        recipe.read(str(file))
    with pytest.raises(BadInput, match="samples"):
        file.write_text("samples: 1\n")
        recipe.read(str(file))
