"""Scores the options of samples with a causal model by their words, and fine-tunes it on the answers of others."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pstgen.core.records import Unavailable
from pstgen.models.asking import prompt
from pstgen.models.chat import Image
from pstgen.models.huggingface import Model
from pstgen.verification.samples import Sample

BATCH_SIZE = 32
MAX_STEPS = 500
MAX_EPOCHS = 10
LEARNING_RATE = 1e-3  # of a model of width WIDTH; wider ones learn at less, in proportion (Yang et al. 2022, for Adam)
WIDTH = 128
WARM_UP = 0.1  # of the steps; from there the rate falls linearly to zero
CLIP = 1.0  # largest norm of the gradient


def scores(model: Model, samples: Sequence[Sample], images: Sequence[Image | None] = ()) -> list[tuple[float, ...]]:
    """Log-probability of every option of every sample, with an image each or without.

    What twins share is scored once, so that no rounding tells them apart.
    """
    shown = images or [None] * len(samples)
    keys = [(sample.question, sample.options, id(image)) for sample, image in zip(samples, shown, strict=True)]
    first = list({key: n for n, key in reversed(list(enumerate(keys)))}.values())
    logprobs: dict[tuple[str, tuple[str, ...], int], tuple[float, ...]] = {}
    for start in range(0, len(first), BATCH_SIZE):
        indices = first[start : start + BATCH_SIZE]
        batch = [samples[n] for n in indices]
        scored = model.score(_prompts(batch), [sample.options for sample in batch], [shown[n] for n in indices])
        logprobs |= {keys[n]: row for n, row in zip(indices, scored, strict=True)}
    return [logprobs[key] for key in keys]


def tune(model: Model, train: Sequence[Sample], seed: int) -> None:
    """Train the model, in place, to follow the words with the answer: cross-entropy of the answer's tokens, all weights.

    At most MAX_STEPS batches and MAX_EPOCHS times every sample, in an order drawn by the seed; nothing else is drawn,
    since dropout stays off. Raises Unavailable where the device has too little memory for it.
    """
    import torch

    model.model.float()
    weights = list(model.model.parameters())
    width = int(model.model.config.get_text_config().hidden_size)
    optimizer = torch.optim.AdamW(weights, lr=0.0, betas=(0.9, 0.98), weight_decay=0.01)
    batches = list(_batches(len(train), seed))
    for step, indices in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * WIDTH / width * _share_of_rate(step / len(batches))
        try:
            optimizer.zero_grad(set_to_none=True)
            _loss(model, [train[n] for n in indices]).backward()
            torch.nn.utils.clip_grad_norm_(weights, CLIP)
            optimizer.step()
        except torch.OutOfMemoryError as error:
            raise Unavailable(f"{model.name}: too large to be fine-tuned on {model.device}: {error}") from None


def _batches(samples: int, seed: int) -> Iterator[list[int]]:
    rng = np.random.default_rng(seed)
    left = min(MAX_STEPS, MAX_EPOCHS * -(-samples // BATCH_SIZE))
    while left:
        order = rng.permutation(samples).tolist()
        for start in range(0, min(samples, left * BATCH_SIZE), BATCH_SIZE):
            yield order[start : start + BATCH_SIZE]
            left -= 1


def _share_of_rate(done: float) -> float:
    """The learning rate after this share of the steps, as a share of its peak."""
    return min(1.0, (done + 1e-2) / WARM_UP, (1 - done) / (1 - WARM_UP))


def _loss(model: Model, samples: Sequence[Sample]) -> Any:
    """Mean negative log-probability of the answers' tokens."""
    prompts = _prompts(samples)
    answers = [model.tokens(sample.correct_option, text) for sample, text in zip(samples, prompts, strict=True)]
    prefixes = [(n, tuple(ids[:-1])) for n, ids in enumerate(answers)]
    logprobs = model.next_token_logprobs(prefixes, prompts, [None] * len(samples))
    places = [(n, k, token) for n, ids in enumerate(answers) for k, token in enumerate(ids)]
    return -logprobs[tuple(zip(*places, strict=True))].mean()


def _prompts(samples: Sequence[Sample]) -> list[str]:
    return [prompt(sample.question, sample.options) for sample in samples]
