"""Attackers that bring a model: they learn a planted leak, repeat themselves, and are given no image of their own."""

import random

import numpy as np
import pytest

from pstgen.core import resources
from pstgen.core.config import VerifyConfig
from pstgen.core.records import BadInput, Unavailable
from pstgen.models.huggingface import Model
from pstgen.verification import attack, finetune
from pstgen.verification.attackers import other_scene
from pstgen.verification.samples import Case

THINGS = ("cup", "dog", "car", "bus")


def leaking(n):
    """The thing tells the answer, against what is usual in the world."""
    rng = random.Random(0)
    things = [rng.randrange(len(THINGS)) for _ in range(n)]
    return [
        Case(f"{k:03}", f"p{k}", f"s{k}", f"Is there a {THINGS[thing]}?", ("yes", "no"), thing % 2)
        for k, thing in enumerate(things)
    ]


def paired(n):
    """Twins share their words."""
    rng = random.Random(1)
    things = [rng.choice(THINGS) for _ in range(n)]
    return [
        Case(f"{k}{a}", f"p{k}", f"s{k}{a}", f"Is there a {thing}?", ("yes", "no"), a, 0, ("control", "stress")[a])
        for k, thing in enumerate(things)
        for a in (0, 1)
    ]


@pytest.fixture(scope="module")
def settings(tiny_llava):
    return VerifyConfig(folds=2, attacker_lm="ours", attacker_vlm=str(tiny_llava), device="cpu")


@pytest.fixture(scope="module")
def others():
    """Images of three scenes, told apart by their one colour."""
    return {f"s{k}{a}": np.full((32, 32, 3), 40 * k + a, np.uint8) for k in range(3) for a in (0, 1)}


@pytest.mark.parametrize("name", ["transformer", "blinded_tuned"])
def test_a_model_that_is_tuned_finds_what_the_words_give_away(name, settings):
    assert attack.attack(leaking(240), name, settings).items.share > 0.9


def test_the_same_model_untuned_does_not(settings):
    assert attack.attack(leaking(240), "blinded", settings).items.share < 0.7


@pytest.mark.parametrize("name", ["transformer", "blinded", "blinded_tuned", "other_scene"])
def test_no_model_wins_a_pair_whose_twins_share_their_words(name, settings, others):
    reached = attack.attack(paired(40), name, settings, others)
    assert reached.pairs.share == 0
    assert reached.items.share == 0.5


def test_tuning_twice_gives_the_same_model_and_changes_no_other_draw(tiny_llava):
    import torch

    torch.manual_seed(3)
    told, before = leaking(64), torch.random.get_rng_state()
    scores = []
    for seed in (0, 0, 1):
        model = Model(str(tiny_llava), "cpu")
        finetune.tune(model, told, seed)
        scores.append(finetune.scores(model, told[:5]))
    assert scores[0] == scores[1] != scores[2]
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_model_on_disk_stays_as_it_is(tiny_llava):
    before = Model(str(tiny_llava), "cpu").revision
    model = Model(str(tiny_llava), "cpu")
    finetune.tune(model, leaking(32), 0)
    assert Model(str(tiny_llava), "cpu").revision == before


def test_steps_are_bounded_however_many_cases_there_are():
    few, many = list(finetune._batches(40, 0)), list(finetune._batches(100_000, 0))
    assert len(few) == finetune.EPOCHS * 2
    assert len(many) == finetune.STEPS
    assert sorted(few[0] + few[1]) == list(range(40))


def test_twins_are_shown_one_image_and_never_their_own(others):
    told = paired(40)
    images = other_scene.elsewhere(told, others)
    for one, other in zip(told[::2], told[1::2], strict=True):
        shown = [image for case, image in zip(told, images, strict=True) if case.pair == one.pair]
        assert shown[0] is shown[1]
        assert not any(shown[0] is others.get(case.scene) for case in (one, other))
    assert len({id(image) for image in images}) == len(others)


def test_a_set_without_another_scene_says_so(others):
    own = {name: image for name, image in others.items() if name.startswith("s0")}
    with pytest.raises(BadInput, match="no other scene"):
        other_scene.elsewhere(paired(1), own)


def test_an_image_changes_what_a_model_says(others, tiny_llava):
    """Else showing it another scene's would be no attack of its own."""
    told = paired(6)
    model = Model(str(tiny_llava), "cpu")
    assert finetune.scores(model, told) != finetune.scores(model, told, other_scene.elsewhere(told, others))


@pytest.mark.parametrize(
    ("named", "with_images", "asked"),
    [
        ({}, True, set()),
        ({"attacker_lm": "ours"}, False, {"transformer"}),
        ({"attacker_vlm": "ours"}, False, {"blinded", "blinded_tuned"}),
        ({"attacker_vlm": "ours"}, True, {"blinded", "blinded_tuned", "other_scene"}),
    ],
)
def test_a_model_is_asked_only_where_it_is_named(named, with_images, asked, others, monkeypatch):
    monkeypatch.setattr(
        attack, "attack", lambda told, name, *_: attack.reach(name, told, [0] * len(told), VerifyConfig())
    )
    run = attack.run(paired(4), VerifyConfig(**named), others if with_images else None)
    models = {"transformer", "blinded", "blinded_tuned", "other_scene"}
    assert {reached.attacker for reached in run} & models == asked


def test_ours_are_the_models_that_come_with_pstgen():
    means = attack._means(VerifyConfig(attacker_lm="ours", attacker_vlm="ours"), None)
    assert (means.lm, means.vlm) == (str(resources.model("words")), str(resources.model("eye")))


def test_a_model_that_does_not_load_is_said(tmp_path):
    settings = VerifyConfig(attacker_lm=str(tmp_path / "nowhere"))
    with pytest.raises(Unavailable, match="nowhere"):
        list(attack.run(paired(4), settings))
