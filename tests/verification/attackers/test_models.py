"""Attackers that bring a model: they learn a planted leak, repeat themselves, and are given no image of their own."""

import random
from dataclasses import replace

import numpy as np
import pytest

from pstgen.core import resources
from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput, Unavailable
from pstgen.verification import attack
from pstgen.verification.attackers import likelihood, other_scene
from pstgen.verification.samples import Sample

THINGS = ("cup", "dog", "car", "bus")


def leaking(n):
    """The thing tells the answer, against what is usual in the world."""
    rng = random.Random(0)
    things = [rng.randrange(len(THINGS)) for _ in range(n)]
    return [
        Sample(f"{k:03}", f"p{k}", f"s{k}", f"Is there a {THINGS[thing]}?", ("yes", "no"), thing % 2)
        for k, thing in enumerate(things)
    ]


def paired(n):
    """Twins share their words."""
    rng = random.Random(1)
    things = [rng.choice(THINGS) for _ in range(n)]
    return [
        Sample(f"{k}{a}", f"p{k}", f"s{k}{a}", f"Is there a {thing}?", ("yes", "no"), a, 0, ("control", "stress")[a])
        for k, thing in enumerate(things)
        for a in (0, 1)
    ]


@pytest.fixture(scope="module")
def settings(tiny_llava):
    return VerifyConfig(folds=2, attacker_lm="ours", attacker_vlm=str(tiny_llava), device="cpu")


@pytest.fixture(scope="module")
def images():
    """Images of three scenes, each of one colour."""
    return {f"s{k}{a}": np.full((32, 32, 3), 40 * k + a, np.uint8) for k in range(3) for a in (0, 1)}


@pytest.mark.parametrize("name", ["transformer", "blinded_tuned"])
def test_a_model_that_is_tuned_finds_what_the_words_give_away(name, settings):
    assert attack.run(name, leaking(240), settings).result.items.share > 0.9


def test_the_same_model_untuned_does_not(settings):
    assert attack.run("blinded", leaking(240), settings).result.items.share < 0.7


def test_what_a_likelihood_tells_is_learnt(settings):
    rng = random.Random(2)
    options = [("a cup", f"a {rng.choice(THINGS)} that stands there") for _ in range(80)]
    samples = [Sample(f"{n:03}", f"p{n}", f"s{n}", "Which is it?", row, 1) for n, row in enumerate(options)]
    swapped = [replace(sample, options=sample.options[::-1], answer=0) if n % 2 else sample for n, sample in enumerate(samples)]  # fmt: skip
    assert attack.run("likelihood_tuned", swapped, settings).result.items.share > 0.95


def test_a_likelihood_is_that_beside_the_question_less_that_alone(settings):
    from pstgen.models.huggingface import open_checked

    sample = Sample("1", "1", "1", "Is there a dog beside the car?", ("yes", "no", "a red cup"), 0)
    resources = attack._resources(settings, None)
    (scores,) = likelihood.attack([], [sample], resources)
    model = open_checked(resources.lm, "text", resources.options)
    texts = ["Question: Is there a dog beside the car?\nAnswer:", "Answer:"]
    beside, alone = model.score_texts(texts, [[" yes", " no", " a red cup"]] * 2)
    assert scores == pytest.approx(tuple(a - b for a, b in zip(beside, alone, strict=True)))


MODELS = ["transformer", "likelihood", "likelihood_tuned", "blinded", "blinded_tuned", "other_scene"]


@pytest.mark.parametrize("name", MODELS)
def test_no_model_wins_a_pair_whose_twins_share_their_words(name, settings, images):
    result = attack.run(name, paired(40), settings, images).result
    assert result.pairs.share == 0
    assert result.items.share == 0.5


def test_twins_are_shown_one_image_and_never_their_own(images):
    samples = paired(40)
    shown = other_scene.images_of_others(samples, images)
    for stress, control, first, second in zip(samples[::2], samples[1::2], shown[::2], shown[1::2], strict=True):
        assert first is second
        assert not any(first is images.get(sample.scene) for sample in (stress, control))
    assert len({id(image) for image in shown}) == len(images)


def test_a_set_without_another_scene_says_so(images):
    own = {name: image for name, image in images.items() if name.startswith("s0")}
    with pytest.raises(BadInput, match="no other scene"):
        other_scene.images_of_others(paired(1), own)


@pytest.mark.parametrize(
    ("named", "with_images", "expected"),
    [
        ({}, True, set()),
        ({"attacker_lm": "ours"}, False, {"transformer", "likelihood", "likelihood_tuned"}),
        ({"attacker_vlm": "ours"}, False, {"blinded", "blinded_tuned"}),
        ({"attacker_vlm": "ours"}, True, {"blinded", "blinded_tuned", "other_scene"}),
    ],
)
def test_a_model_attacks_only_where_it_is_named(named, with_images, expected, images, monkeypatch):
    def guess(name, samples, config, _):
        result = attack.measure(name, samples, [0] * len(samples), config)
        return attack.AttackRun(result=result, correct=np.ones(len(samples), bool), seconds=0)

    monkeypatch.setattr(attack, "run", guess)
    runs = attack.run_all(paired(4), VerifyConfig(**named), images if with_images else None)
    assert {run.result.attacker for run in runs} & set(MODELS) == expected


def test_ours_are_the_models_that_come_with_pstgen():
    given = attack._resources(VerifyConfig(attacker_lm="ours", attacker_vlm="ours"), None)
    assert (given.lm, given.vlm) == (str(resources.model_folder("words")), str(resources.model_folder("eye")))


def test_a_model_that_does_not_load_is_said(tmp_path):
    settings = VerifyConfig(attacker_lm=str(tmp_path / "nowhere"))
    with pytest.raises(Unavailable, match="nowhere"):
        list(attack.run_all(paired(4), settings))
