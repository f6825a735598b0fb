"""Small models from random weights: a tokenizer of byte-level BPE, and a LLaVA or a Llama of any size."""

from collections.abc import Iterable, Mapping
from math import isqrt
from typing import Any

import torch
import transformers

CHAT = (
    "{% for m in messages %}{{ m['role'] | upper }}: {% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}<image>\n{% else %}{{ c['text'] }}{% endif %}{% endfor %} {% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
ASK = "options"  # as these models learn it: by the options' words, not by letters
SPECIAL = ("<unk>", "<s>", "</s>", "<pad>", "<image>")


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """Train byte-level BPE on `texts`; any text can be written with it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator(texts, trainer)
    names = dict(zip(("unk_token", "bos_token", "eos_token", "pad_token"), SPECIAL, strict=False))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, **names, extra_special_tokens={"image_token": "<image>"}
    )


def llama(tokenizer: Any, text: Mapping[str, Any], seed: int) -> Any:
    """A causal language model of random weights. text: settings of a LlamaConfig."""
    torch.manual_seed(seed)
    return transformers.LlamaForCausalLM(_text_config(tokenizer, text))


def llava(tokenizer: Any, vision: Mapping[str, Any], text: Mapping[str, Any], size: int, seed: int) -> tuple[Any, Any]:
    """A LLaVA of random weights: (model, processor).

    vision, text: settings of a CLIPVisionConfig and of a LlamaConfig; size: side of an image, pixels.
    """
    torch.manual_seed(seed)
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(image_size=size, **vision).to_dict(),
        text_config=_text_config(tokenizer, text).to_dict(),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        image_seq_length=(size // vision["patch_size"]) ** 2,
        tie_word_embeddings=True,
        ask=ASK,
        **_special_ids(tokenizer),
    )
    model = transformers.LlavaForConditionalGeneration(config)
    for layer in model.model.language_model.layers:
        # A word looks for patches like itself from the start (mimetic initialization, Trockman and Kolter 2023).
        keys = layer.self_attn.k_proj.weight.data
        keys.copy_(layer.self_attn.q_proj.weight.data[: len(keys)])
    return model, _llava_processor(tokenizer, vision["patch_size"], size)


def add_position_codes(encoder: Any, strength: float) -> None:
    """Add fixed sine codes of column and row to the position embeddings of a CLIP encoder; the class token's stays as it is.

    Of themselves, learned embeddings come to hold the row, which ground and sky give away, and no column.
    """
    embeddings = encoder.embeddings.position_embedding.weight
    grid = isqrt(len(embeddings) - 1)
    with torch.no_grad():
        embeddings[1:] += strength * position_codes(grid, embeddings.shape[1])


def position_codes(grid: int, width: int) -> torch.Tensor:
    """(grid * grid, width), patches row by row: sine and cosine of column and row at width / 4 frequencies, 1.5 to 0.075."""
    places = torch.arange(grid, dtype=torch.float32)
    rows, columns = torch.meshgrid(places, places, indexing="ij")
    rates = 1.5 / 20 ** (torch.arange(width // 4) / (width // 4))
    angles = [axis.flatten()[:, None] * rates for axis in (columns, rows)]
    return torch.cat([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)], dim=1)


def _llava_processor(tokenizer: Any, patch: int, size: int) -> Any:
    image_processor = transformers.CLIPImageProcessor(
        size={"height": size, "width": size},
        do_center_crop=False,
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
        resample=3,
    )
    return transformers.LlavaProcessor(
        image_processor=image_processor,
        tokenizer=tokenizer,
        patch_size=patch,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT,
        image_token="<image>",  # noqa: S106 (a token of text)
    )


def _special_ids(tokenizer: Any) -> dict[str, int]:
    return {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("pad", "eos", "bos")}


def _text_config(tokenizer: Any, text: Mapping[str, Any]) -> Any:
    defaults = {"vocab_size": len(tokenizer), "max_position_embeddings": 1024, "tie_word_embeddings": True, "ask": ASK}
    return transformers.LlamaConfig(**defaults | _special_ids(tokenizer) | dict(text))
