"""A vision-language model that is watched while it looks, or is shown other pixels: of LLaVA's kind, one tensor an image."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from pstgen.core.records import Unavailable
from pstgen.models.huggingface import Image, Model


def seen(model: Model, images: Sequence[Image]) -> torch.Tensor:
    """(N, 3, S, S) float32, 0 to 255: the images as the model's processor resizes and crops them.

    Raises Unavailable where the model does not look at one square of pixels an image.
    """
    eyes = getattr(model.processor, "image_processor", None)
    pixels = None
    if eyes is not None and eyes.do_rescale and eyes.do_normalize:
        pixels = eyes(images=list(images), do_normalize=False, do_rescale=False, return_tensors="pt")["pixel_values"]
    if pixels is None or pixels.ndim != 4 or len(pixels) != len(images) or pixels.shape[2] != pixels.shape[3]:
        raise Unavailable(f"{model.name}: does not look at one square of pixels an image, as LLaVA does")
    return torch.as_tensor(pixels, dtype=torch.float32)


def normalized(model: Model, pixels: torch.Tensor) -> torch.Tensor:
    """What `seen` gives → what the model takes."""
    eyes = model.processor.image_processor
    mean, deviation = (torch.tensor(one).view(3, 1, 1) for one in (eyes.image_mean, eyes.image_std))
    return (pixels * eyes.rescale_factor - mean) / deviation


def logprobs(model: Model, questions: Sequence[str], answers: Sequence[str], images: Sequence[Image]) -> torch.Tensor:
    """(N,) log-probability of each answer after its question; gradients flow through it."""
    tokens = [model.tokens(answer) for answer in answers]
    lines = model.following([(n, tuple(ids[:-1])) for n, ids in enumerate(tokens)], questions, images)
    return torch.stack([line[np.arange(len(ids)), ids].sum() for line, ids in zip(lines, tokens, strict=True)])


@contextmanager
def instead(model: Model, change: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
    """As long as this lasts, the model sees `change` of the pixels (B, 3, S, S) that it is given."""

    def before(_: Any, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        pixels = named["pixel_values"]
        return given, named | {"pixel_values": change(pixels).to(pixels)}

    hook = model.model.register_forward_pre_hook(before, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def watched(model: Model) -> Iterator[list[tuple[torch.Tensor, tuple[torch.Tensor, ...]]]]:
    """Yield a list to which every pass adds its tokens (B, L) and, layer by layer, its attention (B, heads, L, L).

    Raises Unavailable where the model does not hand its attention out.
    """
    passes: list[tuple[torch.Tensor, tuple[torch.Tensor, ...]]] = []

    def before(_: Any, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return given, named | {"output_attentions": True}

    def after(_: Any, __: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        layers = output.attentions or ()
        if len(layers) != model.model.config.get_text_config().num_hidden_layers:
            raise Unavailable(f"{model.name}: hands out the attention of {len(layers)} layers")
        passes.append((named["input_ids"], layers))

    kernel = model.model.config._attn_implementation  # noqa: SLF001 (nothing public tells)
    model.model.set_attn_implementation("eager")  # the others hand out an empty tuple
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
