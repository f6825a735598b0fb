"""A causal model asked for the answers of cases, and taught those of others, by their words."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pstgen.core.records import Unavailable
from pstgen.models.huggingface import Image, Model, prompt
from pstgen.verification.samples import Case

BATCH = 32  # cases at once
STEPS = 500  # at most
EPOCHS = 10  # at most
RATE = 1e-3  # of a model 128 wide; wider ones learn at less, in proportion (Yang et al. 2022, for Adam)
WIDTH = 128
WARM_UP = 0.1  # of the steps; from there the rate goes down to nothing in a line
CLIP = 1.0  # largest norm of the gradient


def scores(model: Model, asked: Sequence[Case], images: Sequence[Image | None] = ()) -> list[tuple[float, ...]]:
    """Log-probability of every option of every case, with an image each or without.

    What twins share is asked once, so that no rounding tells them apart.
    """
    shown = images or [None] * len(asked)
    keys = [(case.question, case.options, id(image)) for case, image in zip(asked, shown, strict=True)]
    rows = list({key: n for n, key in reversed(list(enumerate(keys)))}.values())
    told: dict[tuple[str, tuple[str, ...], int], tuple[float, ...]] = {}
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        some = [asked[n] for n in batch]
        lines = model.score(_prompts(some), [case.options for case in some], [shown[n] for n in batch])
        told |= {keys[n]: line for n, line in zip(batch, lines, strict=True)}
    return [told[key] for key in keys]


def tune(model: Model, learnt: Sequence[Case], seed: int) -> None:
    """Teach the model, in place, to follow the words with the answer: cross-entropy of the answer's tokens, all weights.

    At most STEPS batches and at most EPOCHS times every case, in an order drawn by the seed; nothing else is drawn, since
    dropout stays off. Raises Unavailable where the device has too little memory for it.
    """
    import torch

    model.model.float()
    weights = list(model.model.parameters())
    width = int(model.model.config.get_text_config().hidden_size)
    optimizer = torch.optim.AdamW(weights, lr=0.0, betas=(0.9, 0.98), weight_decay=0.01)
    batches = list(_batches(len(learnt), seed))
    for step, rows in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = RATE * WIDTH / width * _share_of_rate(step / len(batches))
        try:
            optimizer.zero_grad(set_to_none=True)
            _loss(model, [learnt[n] for n in rows]).backward()
            torch.nn.utils.clip_grad_norm_(weights, CLIP)
            optimizer.step()
        except torch.OutOfMemoryError as error:
            raise Unavailable(f"{model.name}: too large to be tuned on {model.device}: {error}") from None


def _batches(cases: int, seed: int) -> Iterator[list[int]]:
    draw = np.random.default_rng(seed)
    left = min(STEPS, EPOCHS * -(-cases // BATCH))
    while left:
        order = draw.permutation(cases).tolist()
        for start in range(0, min(cases, left * BATCH), BATCH):
            yield order[start : start + BATCH]
            left -= 1


def _share_of_rate(done: float) -> float:
    return min(1.0, (done + 1e-2) / WARM_UP, (1 - done) / (1 - WARM_UP))


def _loss(model: Model, cases: Sequence[Case]) -> Any:
    """Mean negative log-probability of the answers' tokens."""
    answers = [model.tokens(case.options[case.answer]) for case in cases]
    rows = [(n, tuple(ids[:-1])) for n, ids in enumerate(answers)]
    lines = model.following(rows, _prompts(cases), [None] * len(cases))
    places = [(n, k, token) for n, ids in enumerate(answers) for k, token in enumerate(ids)]
    return -lines[tuple(zip(*places, strict=True))].mean()


def _prompts(cases: Sequence[Case]) -> list[str]:
    return [prompt(case.question, case.options) for case in cases]
