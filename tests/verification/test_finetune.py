"""A model that is fine-tuned on samples repeats itself, stays as it is on disk, and sees the image that it is shown."""

import numpy as np
import torch

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
