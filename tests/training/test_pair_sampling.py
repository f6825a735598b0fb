"""Answers that are drawn from a model: as likely as it says, and weighed as it would weigh each alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pstgen.training import modeling
from pstgen.training.batches import Packer
from pstgen.training.pair_sampling import Sampler

QUESTIONS = ("Is there a dog?", "How many cups can you see in this picture?")
IMAGES = [np.random.default_rng(n).integers(0, 256, (64, 64, 3), np.uint8) for n in (0, 1)]


@pytest.fixture(scope="module")
def model(vlm):
    return vlm.model


@pytest.fixture(scope="module")
def output(vlm, model):
    with torch.no_grad():
        return modeling.encode_images(model, vlm.image_inputs(IMAGES), vlm.cells)[2]


@pytest.fixture
def sampler(vlm):
    return lambda samples=5, most=4: Sampler(Packer(vlm), samples, most)


def whole(vlm, question, image, tokens):
    """(tokens, vocabulary): log-probabilities at each of them, in a plain pass of the whole prompt."""
    inputs = vlm.processor(images=[image], text=[vlm.prompt(question, with_image=True)], return_tensors="pt")
    ids = torch.cat([inputs["input_ids"], torch.tensor([tokens])], dim=1)
    with torch.no_grad():
        logits = vlm.model(input_ids=ids, pixel_values=inputs["pixel_values"]).logits[0]
    return logits[-len(tokens) - 1 : -1].log_softmax(-1)


def test_answers_are_weighed_as_in_a_plain_pass_of_the_whole_prompt(vlm, model, output, sampler):
    drawer = sampler()
    prompts = [drawer.prompt(question) for question in QUESTIONS]
    answers = [[(60, 61, 2), (70, 2), (60, 61, 2)], [(80, 81, 82, 83), (2,), (2,)]]
    with torch.no_grad():
        made = drawer.logprobs(model, prompts, answers, output)
    assert list(made.lengths) == [3, 2, 1, 4]
    assert list(made.places) == [0, 1, 0, 3, 2, 2]
    expected = [
        whole(vlm, question, image, list(answer))
        for question, image, group in zip(QUESTIONS, IMAGES, answers, strict=True)
        for answer in sorted(set(group))
    ]
    assert torch.allclose(made.logprobs, torch.cat(expected), atol=1e-4)
    assert made.tokens.tolist() == [60, 61, 2, 70, 2, 2, 80, 81, 82, 83]


def test_answers_are_drawn_as_often_as_they_are_likely(vlm, model, output, sampler):
    drawer, many = sampler(20_000, 1), 20_000
    prompts = [drawer.prompt(question) for question in QUESTIONS]
    for n, group in enumerate(drawer.draw(model, prompts, output, (0, 0))):
        chances = whole(vlm, QUESTIONS[n], IMAGES[n], [0])[0].exp()
        shares = torch.bincount(torch.tensor([answer[0] for answer in group]), minlength=len(chances)) / many
        assert (shares - chances).abs().sum() / 2 < 0.1


def test_a_draw_depends_on_its_seed_alone(model, output, sampler):
    drawer = sampler()
    prompts = [drawer.prompt(question) for question in QUESTIONS]
    first = drawer.draw(model, prompts, output, (3, 7))
    torch.rand(100)
    assert drawer.draw(model, prompts, output, (3, 7)) == first
    assert drawer.draw(model, prompts, output, (3, 8)) != first
    assert drawer.draw(model, prompts, output, (4, 7)) != first


def test_an_answer_ends_at_its_end_and_never_says_what_stands_for_pixels(vlm, model, output, sampler):
    drawer = sampler(300, 3)
    prompts = [drawer.prompt(question) for question in QUESTIONS]
    answers = [answer for group in drawer.draw(model, prompts, output, (0, 0)) for answer in group]
    end = vlm.tokenizer.eos_token_id
    assert {len(answer) for answer in answers} > {3}
    assert all(answer[-1] == end or len(answer) == 3 for answer in answers)
    assert not any(end in answer[:-1] for answer in answers)
    assert not any(model.config.image_token_id in answer for answer in answers)


def test_ratios_are_one_and_pull_at_the_log_probability(model, output, sampler):
    drawer = sampler()
    prompts = [drawer.prompt(question) for question in QUESTIONS]
    made = drawer.logprobs(model, prompts, [[(60, 2)], [(70, 71, 2)]], output)
    logprobs = made.logprobs.detach().requires_grad_()
    ratios = replace(made, logprobs=logprobs).ratios()
    assert ratios.tolist() == [1.0, 1.0]
    (gradient,) = torch.autograd.grad(ratios[1], logprobs)
    assert gradient[torch.arange(5), made.tokens].tolist() == pytest.approx([0, 0, 1 / 3, 1 / 3, 1 / 3])
    assert gradient.sum().item() == pytest.approx(1)


def test_a_divergence_is_nothing_from_itself_and_that_of_the_textbook_from_another(model, output, sampler):
    drawer = sampler()
    prompts = [drawer.prompt(question) for question in QUESTIONS]
    with torch.no_grad():
        made = drawer.logprobs(model, prompts, [[(60, 2), (60, 2)], [(70, 2)]], output)
    other = replace(made, logprobs=torch.randn(made.logprobs.shape).log_softmax(-1))
    assert made.divergence(made).tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    p, q = (torch.distributions.Categorical(logits=each.logprobs) for each in (made, other))
    textbook = torch.distributions.kl_divergence(p, q)
    expected = [textbook[:2].mean()] * 2 + [textbook[2:].mean()]
    assert made.divergence(other).tolist() == pytest.approx([value.item() for value in expected], rel=1e-4)
