"""Access to a vision-language model at work: its pixels replaced, its attention recorded. For models that take one tensor an image, as LLaVA does."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from pstgen.core.records import Unavailable
from pstgen.models.chat import Image
from pstgen.models.huggingface import Model


def preprocess(model: Model, images: Sequence[Image]) -> torch.Tensor:
    """(N, 3, S, S) float32, 0 to 255: the images as the model's image processor resizes and crops them.

    Raises Unavailable where the model does not take one square of pixels an image.
    """
    processor = getattr(model.processor, "image_processor", None)
    pixels = None
    if processor is not None and processor.do_rescale and processor.do_normalize:
        options = {"do_normalize": False, "do_rescale": False, "return_tensors": "pt"}
        pixels = processor(images=[np.array(image) for image in images], **options)["pixel_values"]
    if pixels is None or pixels.ndim != 4 or len(pixels) != len(images) or pixels.shape[2] != pixels.shape[3]:
        raise Unavailable(f"{model.name}: does not take one square of pixels an image, as LLaVA does")
    return torch.as_tensor(pixels, dtype=torch.float32)


def normalize(model: Model, pixels: torch.Tensor) -> torch.Tensor:
    """What `preprocess` gives, as the model takes it."""
    processor = model.processor.image_processor
    mean, deviation = (torch.tensor(channels).view(3, 1, 1) for channels in (processor.image_mean, processor.image_std))
    return (pixels * processor.rescale_factor - mean) / deviation


def logprobs(model: Model, questions: Sequence[str], answers: Sequence[str], images: Sequence[Image]) -> torch.Tensor:
    """(N,) log-probability of each answer after its question; gradients flow through it."""
    asked = zip(questions, answers, strict=True)
    tokens = [model.tokens(answer, question, with_image=True) for question, answer in asked]
    prefixes = [(n, tuple(ids[:-1])) for n, ids in enumerate(tokens)]
    rows = model.next_token_logprobs(prefixes, questions, images)
    return torch.stack([row[np.arange(len(ids)), ids].sum() for row, ids in zip(rows, tokens, strict=True)])


@contextmanager
def replace_pixels(model: Model, change: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
    """Inside the block, the model sees `change(pixels)` instead of the pixels (B, 3, S, S) that it is given."""

    def before(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        pixels = kwargs["pixel_values"]
        return args, kwargs | {"pixel_values": change(pixels).to(pixels)}

    hook = model.model.register_forward_pre_hook(before, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def record_attention(model: Model) -> Iterator[list[tuple[torch.Tensor, tuple[torch.Tensor, ...]]]]:
    """Yield a list to which every forward pass adds its tokens (B, L) and each layer's attention (B, heads, L, L).

    Raises Unavailable where the model does not return its attention.
    """
    passes: list[tuple[torch.Tensor, tuple[torch.Tensor, ...]]] = []

    def before(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return args, kwargs | {"output_attentions": True}

    def after(_: Any, __: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        layers = output.attentions or ()
        if len(layers) != model.model.config.get_text_config().num_hidden_layers:
            raise Unavailable(f"{model.name}: returns the attention of {len(layers)} layers only")
        passes.append((kwargs["input_ids"], layers))

    kernel = model.model.config._attn_implementation  # noqa: SLF001 (there is no public way to ask)
    model.model.set_attn_implementation("eager")  # the other kernels return an empty tuple
    hooks = (
        model.model.register_forward_pre_hook(before, with_kwargs=True),
        model.model.register_forward_hook(after, with_kwargs=True),
    )
    try:
        yield passes
    finally:
        for hook in hooks:
            hook.remove()
        model.model.set_attn_implementation(kernel)
