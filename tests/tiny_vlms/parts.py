"""What the tiny models share: a vocabulary, the size of decoder and encoder, weights that matter."""

from copy import deepcopy

SIDE, PATCH = 32, 8
GRID = (SIDE // PATCH) ** 2
WIDTH = 64
ARCHITECTURES = {}
TEXTS = (
    "USER: ASSISTANT: User: Assistant: user assistant model system You are a helpful assistant.",
    "Is there a dog in the picture? Answer with one of: no, yes. Yes No",
    "How many cups are on the table? 0 1 2 3 4 10 12",
    "What colour is the car? blue green red yellow",
    "Where is the chair? left right above below nearer farther Question: Answer:",
)
SPLITS = {  # as GPT-4's, with digits one by one (Qwen) or by three (Llama 3)
    "qwen": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+",
    "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+",
}


class _Transformers:
    """Imported when first asked for: pytest reads this file in every run."""

    def __getattr__(self, name):
        import transformers

        return getattr(transformers, name)


hf = _Transformers()


def architecture(build=None, *, name=""):
    """Enter a builder of (model, processor) under its name."""
    if build is None:
        return lambda function: architecture(function, name=name)
    ARCHITECTURES[name or build.__name__] = build
    return build


def merges(space):
    """Every word grows letter by letter from its left end; words behind a space come first, so that they win."""
    words = dict.fromkeys(word for text in TEXTS for word in text.split())
    grown = {}
    for word in [*(space + word for word in words), *words]:
        for end in range(1, len(word)):
            grown.setdefault((word[:end], word[end]))
    return list(grown)


def vocabulary(
    named=None, more=(), *, style="gpt2", bos="<s>", eos="</s>", pad="<pad>", unk="<unk>", frame="", last=(), form=None
):
    """A fast tokenizer. named: special tokens with an attribute each, such as image_token; more: those without.

    style: gpt2, qwen or llama3 (byte-level), llama2 (a text gets a leading space), gemma (it does not).
    frame: what is put around a text, such as "<s> $A". last: special tokens with the highest ids. form: the class.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    named = named or {}
    special = list(dict.fromkeys(token for token in (pad, bos, eos, unk, *named.values(), *more) if token))
    special = [*(token for token in special if token not in last), *last]
    pieces = style in ("llama2", "gemma")
    space = "\u2581" if pieces else "\u0120"
    if pieces:
        letters = [f"<0x{byte:02X}>" for byte in range(256)] + [space, *map(chr, range(33, 127))]
    else:
        letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pairs = merges(space)
    first = [token for token in special if token not in last]
    entries = dict.fromkeys([*first, *letters, *(left + right for left, right in pairs), *last])
    core = Tokenizer(
        models.BPE(
            {entry: number for number, entry in enumerate(entries)},
            pairs,
            byte_fallback=pieces,
            fuse_unk=pieces,
            unk_token=unk if pieces else None,
        )
    )
    if pieces:
        replace = normalizers.Replace(" ", space)
        core.normalizer = replace if style == "gemma" else normalizers.Sequence([normalizers.Prepend(space), replace])
        stripped = [decoders.Strip(" ", 1, 0)] if style == "llama2" else []
        back = [decoders.Replace(space, " "), decoders.ByteFallback(), decoders.Fuse()]
        core.decoder = decoders.Sequence(back + stripped)
    else:
        level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=style == "gpt2")
        split = [pre_tokenizers.Split(Regex(SPLITS[style]), "isolated")] if style in SPLITS else []
        core.pre_tokenizer = pre_tokenizers.Sequence([*split, level])
        core.decoder = decoders.ByteLevel()
    core.add_special_tokens(special)
    if frame:
        around = [(token, core.token_to_id(token)) for token in special if token in frame]
        core.post_processor = processors.TemplateProcessing(single=frame, special_tokens=around)
    return (form or hf.PreTrainedTokenizerFast)(
        tokenizer_object=core,
        bos_token=bos,
        eos_token=eos,
        pad_token=pad,
        unk_token=unk,
        extra_special_tokens=named,
    )


def number(words, token):
    """A token's id; one that is not there would quietly become another."""
    found = words.get_vocab()[token]
    assert words.convert_tokens_to_ids(token) == found
    return found


def decoder(words, **more):
    """A text config of Llama's fields."""
    return {
        "vocab_size": len(words),
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 2048,
        "bos_token_id": words.bos_token_id,
        "eos_token_id": words.eos_token_id,
        "pad_token_id": words.pad_token_id,
    } | deepcopy(more)  # a config writes into what it is given


def encoder(**more):
    """A vision config of CLIP's fields."""
    return {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": SIDE,
        "patch_size": PATCH,
    } | more


def encoder_of(**more):
    """A vision config of a picture of any size."""
    tower = encoder(**more)
    del tower["image_size"]
    return tower


def sharp_eye(**more):
    """SAM's encoder."""
    return {
        "hidden_size": 32,
        "output_channels": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "window_size": 4,
        "global_attn_indexes": [1],
        "mlp_dim": 64,
    } | more


def square(side=SIDE):
    return {"height": side, "width": side}


def loud(model):
    """Weights so large that every answer depends on the image and on every word; gates are opened."""
    import torch

    chance = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                inputs = weight.shape[-1] if weight.ndim == 3 else weight[0].numel()  # 3: experts, one behind another
                weight.copy_(torch.randn(weight.shape, generator=chance) * 1.4 / inputs**0.5)
            elif not name.endswith("bias") and not weight.any():
                weight.fill_(0.6)
    return model.eval()
