"""Scores the options of samples with a causal model by their words, and fine-tunes it on the answers of others."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pstgen.core.records import TooLarge, Unavailable
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
SMALL = 3e8  # weights of a model all of which are tuned
RANK = 16  # of a larger one's adapter
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
    """Train the model, in place, to follow the words with the answer: cross-entropy of the answer's tokens.

    All weights of a small one; of a large or quantised one an adapter of low rank (LoRA, Hu et al. 2021), in the type that it
    was loaded in. At most MAX_STEPS batches and MAX_EPOCHS times every sample, in an order drawn by the seed. Raises TooLarge
    where the device has too little memory for it.
    """
    import torch

    from pstgen.models.scoring import is_out_of_memory

    weights = _trained_weights(model, seed)
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
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise TooLarge(f"{model.name} is too large to be fine-tuned on {model.device}") from None
    if hasattr(model.model, "merge_and_unload"):
        model.model = model.model.merge_and_unload()


def _trained_weights(model: Model, seed: int) -> list[Any]:
    """All weights, in float32; or those of an adapter, which is put into the model."""
    import torch

    quantised = getattr(model.model.config, "quantization_config", None) is not None
    if not quantised and sum(weight.numel() for weight in model.model.parameters()) <= SMALL:
        model.model.float()
        return list(model.model.parameters())
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise Unavailable(
            f"{model.name}: so large a model is fine-tuned with peft: pip install 'pstgen[train]'"
        ) from None
    adapter = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear", task_type="CAUSAL_LM")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model.model = get_peft_model(model.model, adapter)
    return [weight for weight in model.model.parameters() if weight.requires_grad]


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
