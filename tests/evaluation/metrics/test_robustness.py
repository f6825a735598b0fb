"""Robustness: what every system is shown alike, and attacks that stay where they may."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pstgen.core.records import BadInput
from pstgen.evaluation.metrics import robustness
from pstgen.models import hooks
from pstgen.models.answerer import Answerer
from pstgen.scenes import pixels


@pytest.fixture(scope="module")
def rows(painted, pairs):
    return [painted(item) for item in pairs(4)]


def answering(answer):
    """A system that is a function of one query."""
    return SimpleNamespace(answer=lambda _, queries: [answer(query) for query in queries])


def test_a_constant_answerer_gets_no_pair_in_any_weather(llava, rows):
    scores = robustness.score(answering(lambda _: "red"), Answerer(llava), rows)
    assert set(scores.figures) == {"clean", *robustness.CORRUPTIONS, *robustness.ATTACKS}
    assert set(scores.figures.values()) == {0}
    assert list(scores.per_question.values()) == [0, 1] * 4


def test_one_who_sees_gets_the_clean_pairs_and_every_system_is_shown_the_same(llava, rows):
    shown = []

    def look(query):
        shown.append(query.image)
        red, _, blue = query.image[8:16, 8:16].mean((0, 1))
        return "Red." if red > blue else "blue"

    scores = robustness.score(answering(look), Answerer(llava), rows)
    assert scores.figures["clean"] == scores.figures["seen"] == scores.figures["fgsm/2"] == 100
    first, shown[:] = list(shown), []
    robustness.score(answering(look), Answerer(llava), rows)
    assert all(np.array_equal(before, now) for before, now in zip(first, shown, strict=True))
    assert all(image.dtype == np.uint8 and image.shape == (32, 32, 3) for image in first)


def logprobs(model, items, images):
    """Log-probability of the right options, shown these images as any others."""
    questions = [item.question for item in items]
    with torch.inference_mode():
        return hooks.logprobs(model, questions, [item.answer for item in items], images).numpy()


def test_attacks_lower_the_right_options_log_probability_and_stay_within_epsilon(llava, rows):
    items, images = [row.item for row in rows], [pixels.decode(row.image) for row in rows]
    changed = dict(robustness.attacks(Answerer(llava), items, images))
    assert list(changed) == list(robustness.ATTACKS)
    assert all(np.array_equal(now, image) for now, image in zip(changed.pop("seen"), images, strict=True))
    clean = logprobs(llava, items, images).mean()
    fallen = {name: clean - logprobs(llava, items, attacked).mean() for name, attacked in changed.items()}
    for name, attacked in changed.items():
        epsilon = int(name.partition("/")[2])
        assert (
            max(np.abs(now.astype(int) - image).max() for now, image in zip(attacked, images, strict=True)) == epsilon
        )
    assert all(fall > 0 for fall in fallen.values())
    assert fallen["fgsm/2"] < fallen["fgsm/4"] < fallen["fgsm/8"]
    assert fallen["pgd/8"] > 0.9 * fallen["fgsm/8"]


def test_signs_of_chance_lower_it_less_than_an_attack(llava, rows):
    items, images = [row.item for row in rows], [pixels.decode(row.image) for row in rows]
    clean = logprobs(llava, items, images).mean()
    rng = np.random.default_rng(0)
    noisy = [(image + 8.0 * rng.choice([-1, 1], image.shape)).clip(0, 255).astype(np.uint8) for image in images]
    attacked = dict(robustness.attacks(Answerer(llava), items, images))["fgsm/8"]
    assert clean - logprobs(llava, items, attacked).mean() > 3 * abs(clean - logprobs(llava, items, noisy).mean())


def test_a_model_of_another_kind_has_weather_and_no_attacks_which_are_absent_with_the_reason(llava, rows):
    other = copy.copy(llava)
    other.processor = llava.tokenizer
    scores = robustness.score(answering(lambda _: "red"), Answerer(other), rows)
    assert set(scores.figures) == {"clean", *robustness.CORRUPTIONS}
    assert set(scores.absent) == set(robustness.ATTACKS)
    assert all("as LLaVA does" in why for why in scores.absent.values())


def test_no_rows_are_refused(llava):
    with pytest.raises(BadInput, match="no items"):
        robustness.score(answering(lambda _: "red"), Answerer(llava), [])
