"""How many tokens a prompt has, counted of sample questions by a model's own tokenizer and processor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from pstgen.core.config import Way
from pstgen.models import asking
from pstgen.models.chat import Chat
from pstgen.models.looking import GREY

Questions = Sequence[tuple[str, tuple[str, ...]]]  # with their options
Size = tuple[int, int]  # width and height of a picture, pixels


@dataclass(frozen=True)
class Tokens:
    """Of one prompt, means over sample questions and pictures.

    before: tokens that stand before every question, without the picture's; own: the question's and its options', and longest:
    the most of any, to which rows of a pass are padded. image: tokens of the picture; grey: of the grey one. patches,
    grey_patches: that the encoder gets of either. 0 where there is no picture.
    """

    before: float
    own: float
    longest: float
    image: float = 0.0
    grey: float = 0.0
    patches: float = 0.0
    grey_patches: float = 0.0


def of(chat: Chat, config: Any, questions: Questions, way: Way, sizes: Sequence[Size]) -> Tokens:
    """Of the sample questions. sizes: of pictures; without any they are asked blind."""
    ask = asking.lettered if way == "letters" else asking.prompt
    texts = [chat.text(ask(question, options), with_image=bool(sizes)) for question, options in questions]
    rows = [chat.ids(text) for text in texts]
    before = next(n for n, column in enumerate(zip(*rows, strict=False)) if len(set(column)) > 1)
    lengths = [float(len(row) - before) for row in rows]
    if way != "letters":
        of_options = [chat.answer_ids(text, options) for text, (_, options) in zip(texts, questions, strict=True)]
        more = [sum(map(len, {tuple(answer[:-1]) for answer in answers})) for answers in of_options]
        lengths = [own + tree for own, tree in zip(lengths, more, strict=True)]
    own, longest = fmean(lengths), max(lengths)
    if not sizes:
        return Tokens(before, own, longest)
    placeholders = sum(token == chat.image_token_id for token in rows[0])
    before, words = before - placeholders, len(rows[0]) - placeholders
    pictures = [_picture(chat, config, texts[0], words, size) for size in sizes]
    grey, grey_patches = _picture(chat, config, texts[0], words, (GREY.shape[1], GREY.shape[0]))
    image, patches = (fmean(column) for column in zip(*pictures, strict=True))
    return Tokens(before, own, longest, image, grey, patches, grey_patches)


def _picture(chat: Chat, config: Any, text: str, words: int, size: Size) -> tuple[int, int]:
    """Tokens that a picture of that size adds to a prompt of so many, and patches that the encoder gets."""
    width, height = size
    encoded = chat.encode([text], [np.full((height, width, 3), 128, np.uint8)])
    tokens = int(encoded["input_ids"].shape[1]) - words
    return tokens, _patches(encoded, getattr(config, "vision_config", None)) or tokens


def _patches(encoded: Mapping[str, Any], vision: Any) -> int:
    """Of an encoded picture, tiles and all; 0 where the configuration does not say how large they are."""
    values, side = encoded.get("pixel_values"), getattr(vision, "patch_size", None)
    if values is None or not side:
        return 0
    across, down = (side, side) if isinstance(side, int) else (side[0], side[-1])
    frames = getattr(vision, "temporal_patch_size", None) or 1
    return int(values.numel()) // (3 * across * down * frames)
