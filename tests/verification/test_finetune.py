"""A model that is fine-tuned on samples repeats itself, stays as it is on disk, and sees the image that it is shown."""

import sys

import numpy as np
import pytest
import torch

from pstgen.core.records import TooLarge, Unavailable
from pstgen.models.huggingface import Model
from pstgen.verification import finetune
from pstgen.verification.samples import Sample


def samples(n):
    """The thing gives the answer away."""
    return [
        Sample(f"{k}", f"p{k}", f"s{k}", f"Is there a {('cup', 'dog', 'car')[k % 3]}?", ("yes", "no"), k % 3 % 2)
        for k in range(n)
    ]


def test_tuning_twice_gives_the_same_model_and_changes_no_other_draw(tiny_llava):
    torch.manual_seed(3)
    train, before = samples(64), torch.random.get_rng_state()
    scores = []
    for seed in (0, 0, 1):
        model = Model(str(tiny_llava), "cpu")
        finetune.tune(model, train, seed)
        scores.append(finetune.scores(model, train[:5]))
    assert scores[0] == scores[1] != scores[2]
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_model_on_disk_stays_as_it_is(tiny_llava):
    before = Model(str(tiny_llava), "cpu").revision
    finetune.tune(Model(str(tiny_llava), "cpu"), samples(32), 0)
    assert Model(str(tiny_llava), "cpu").revision == before


def test_steps_are_bounded_however_many_samples_there_are():
    few, many = list(finetune._batches(40, 0)), list(finetune._batches(100_000, 0))
    assert len(few) == finetune.MAX_EPOCHS * 2
    assert len(many) == finetune.MAX_STEPS
    assert sorted(few[0] + few[1]) == list(range(40))


def test_an_image_changes_what_a_model_says(tiny_llava):
    """Else showing it another scene's would be no attack of its own."""
    model, asked = Model(str(tiny_llava), "cpu"), samples(6)
    images = [np.full((32, 32, 3), 40 * k, np.uint8) for k in range(6)]
    assert finetune.scores(model, asked) != finetune.scores(model, asked, images)


def test_what_twins_share_is_scored_once(tiny_llava, monkeypatch):
    model, twins = Model(str(tiny_llava), "cpu"), samples(1) * 2
    scored = []
    monkeypatch.setattr(model, "score", lambda questions, options, images: scored.extend(questions) or [(0.0, 1.0)])  # noqa: ARG005
    assert finetune.scores(model, twins) == [(0.0, 1.0)] * 2
    assert len(scored) == 1


# ------------------------------------------------------------------------------------------------ large models

peft_asks = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture
def large(tiny_llava, monkeypatch):
    """A model of which not all weights are tuned."""
    monkeypatch.setattr(finetune, "SMALL", 1000)
    return Model(str(tiny_llava), "cpu")


def weights(model):
    return {name: weight.detach().clone() for name, weight in model.model.state_dict().items()}


@peft_asks
def test_a_large_model_is_tuned_by_an_adapter_and_scores_after_it(large, tiny_llava):
    train, before = samples(64), weights(large)
    untuned = finetune.scores(large, train[:3])
    finetune.tune(large, train, 0)
    tuned = finetune.scores(large, train[:3])
    assert [max(row) == row[sample.answer] for row, sample in zip(tuned, train[:3], strict=True)] == [True] * 3
    assert tuned != untuned
    after = weights(large)
    assert {name: weight.shape for name, weight in after.items()} == {n: w.shape for n, w in before.items()}
    changed = {name for name, weight in after.items() if not torch.equal(weight, before[name])}
    assert changed
    assert not any("embed" in name or "norm" in name for name in changed)
    for name in changed:
        difference = after[name] - before[name]
        assert torch.linalg.matrix_rank(difference, rtol=1e-4) <= finetune.RANK, name
    assert Model(str(tiny_llava), "cpu").score(["Q?"], [("yes", "no")], [None])


@peft_asks
def test_an_adapter_is_drawn_by_the_seed_and_trains_few_weights(tiny_llava, monkeypatch):
    monkeypatch.setattr(finetune, "SMALL", 1000)
    monkeypatch.setattr(finetune, "MAX_EPOCHS", 2)
    scores = []
    for seed in (0, 0, 1):
        model = Model(str(tiny_llava), "cpu")
        whole = sum(weight.numel() for weight in model.model.parameters())
        trained = finetune._trained_weights(model, seed)
        assert 0 < sum(weight.numel() for weight in trained) < whole
        fresh = Model(str(tiny_llava), "cpu")
        finetune.tune(fresh, samples(32), seed)
        scores.append(finetune.scores(fresh, samples(2)))
    assert scores[0] == scores[1] != scores[2]


@peft_asks
def test_an_adapter_changes_no_other_draw(large):
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    finetune._trained_weights(large, 0)
    assert torch.equal(before, torch.random.get_rng_state())


@peft_asks
@pytest.mark.parametrize("size", ["small", "large"])
def test_a_model_that_does_not_fit_the_memory_while_it_is_tuned_is_too_large(tiny_llava, monkeypatch, size):
    if size == "large":
        monkeypatch.setattr(finetune, "SMALL", 1000)
    model = Model(str(tiny_llava), "cpu")

    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(torch.optim.AdamW, "step", full)
    with pytest.raises(TooLarge, match="too large to be fine-tuned on cpu") as told:
        finetune.tune(model, samples(8), 0)
    assert "\n" not in str(told.value)


def test_another_error_while_a_model_is_tuned_is_passed_on(tiny_llava, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(torch.optim.AdamW, "step", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        finetune.tune(Model(str(tiny_llava), "cpu"), samples(8), 0)


def test_a_large_model_without_peft_is_said_with_the_command_that_brings_it(large, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(Unavailable, match=r"pip install 'pstgen\[train\]'"):
        finetune.tune(large, samples(8), 0)
