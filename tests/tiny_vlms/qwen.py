"""Qwen and GLM, and what has Qwen's decoder: positions in three directions."""

from . import chats
from .llava import chatml_words
from .parts import SIDE, WIDTH, architecture, decoder, encoder, hf, number, vocabulary

ROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}


QWEN = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
}


QWEN_IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"


def qwen_of(config, model, processor, *, patch, vision, template=None, rope=ROPE, **more):
    """more: for the text config."""
    words = chatml_words(QWEN)
    side = 2 * patch
    size = {"shortest_edge": side * side, "longest_edge": 12 * side * side}
    eyes = processor(
        hf.Qwen2VLImageProcessor(patch_size=patch, size=size),
        words,
        (hf.Qwen3VLVideoProcessor if patch == 16 else hf.Qwen2VLVideoProcessor)(),
        chat_template=template or chats.chatml(QWEN_IMAGE, system=chats.HELPFUL),
    )
    built = config(
        vision_config=dict(vision),
        text_config=decoder(words, rope_parameters=rope, **more),
        image_token_id=number(words, "<|image_pad|>"),
        video_token_id=number(words, "<|video_pad|>"),
        vision_start_token_id=number(words, "<|vision_start|>"),
        vision_end_token_id=number(words, "<|vision_end|>"),
    )
    return model(built), eyes


@architecture
def qwen2_vl():
    vision = {"depth": 2, "patch_size": 14, "num_heads": 2, "embed_dim": 32, "hidden_size": WIDTH, "mlp_ratio": 2}
    return qwen_of(hf.Qwen2VLConfig, hf.Qwen2VLForConditionalGeneration, hf.Qwen2VLProcessor, patch=14, vision=vision)


WINDOWS = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": WIDTH}


@architecture
def qwen2_5_vl():
    vision = WINDOWS | {"patch_size": 14, "window_size": 56, "fullatt_block_indexes": [1]}
    return qwen_of(
        hf.Qwen2_5_VLConfig, hf.Qwen2_5_VLForConditionalGeneration, hf.Qwen2_5_VLProcessor, patch=14, vision=vision
    )


DEEPSTACK = WINDOWS | {"patch_size": 16, "num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1]}


@architecture
def qwen3_vl():
    return qwen_of(
        hf.Qwen3VLConfig,
        hf.Qwen3VLForConditionalGeneration,
        hf.Qwen3VLProcessor,
        patch=16,
        vision=DEEPSTACK,
        template=chats.chatml(QWEN_IMAGE),
        head_dim=16,
    )


@architecture
def qwen3_vl_moe():
    return qwen_of(
        hf.Qwen3VLMoeConfig,
        hf.Qwen3VLMoeForConditionalGeneration,
        hf.Qwen3VLProcessor,
        patch=16,
        vision=DEEPSTACK,
        template=chats.chatml(QWEN_IMAGE),
        head_dim=16,
        moe_intermediate_size=32,
        num_experts=4,
        num_experts_per_tok=2,
    )


LINEAR = {
    "head_dim": 16,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "layer_types": ["linear_attention", "full_attention"],
}


@architecture
def qwen3_5(config="Qwen3_5", **more):
    """Linear attention with a state, and attention; thinks, unless told not to."""
    template = chats.thinking(chats.chatml(QWEN_IMAGE), "<think>\\n\\n</think>\\n\\n", "<think>\\n")
    return qwen_of(
        getattr(hf, config + "Config"),
        getattr(hf, config + "ForConditionalGeneration"),
        hf.Qwen3VLProcessor,
        patch=16,
        vision=WINDOWS | {"patch_size": 16, "num_position_embeddings": 64},
        template=template,
        **LINEAR,
        **more,
    )


@architecture
def qwen3_5_moe():
    experts = {"num_experts": 4, "num_experts_per_tok": 2}
    return qwen3_5("Qwen3_5Moe", moe_intermediate_size=32, shared_expert_intermediate_size=32, **experts)


def glm_words():
    named = {"image_token": "<|image|>", "video_token": "<|video|>"}
    pairs = [f"<|{edge}_of_{kind}|>" for kind in ("image", "video") for edge in ("begin", "end")]
    roles = ["[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<think>", "</think>", *pairs]
    frame = {"bos": None, "eos": "<|endoftext|>", "pad": "<|endoftext|>", "unk": None}
    return vocabulary(named, roles, style="llama3", **frame)


def glm_ids(words):
    ids = {"image_token_id": number(words, "<|image|>"), "video_token_id": number(words, "<|video|>")}
    for kind in ("image", "video"):
        ids[f"{kind}_start_token_id"] = number(words, f"<|begin_of_{kind}|>")
        ids[f"{kind}_end_token_id"] = number(words, f"<|end_of_{kind}|>")
    return ids


def glm_chat(answer):
    image = "<|begin_of_image|><|image|><|end_of_image|>"
    return chats.chat(image, "<|{{ message['role'] }}|>{{ '\\n' }}", "", answer, start="[gMASK]<sop>{{ '\\n' }}")


HEADER = "<|assistant|>{{ '\\n' }}"


def glm_of(config, model, *, template="", name="Glm4v", eye="", **more):
    """name: what the processor's class begins with; eye: those of its parts. more: for the text config."""
    words = glm_words()
    size = {"shortest_edge": 28 * 28, "longest_edge": 24 * 28 * 28}
    picture, films = (getattr(hf, (eye or name) + kind) for kind in ("ImageProcessor", "VideoProcessor"))
    eyes = getattr(hf, name + "Processor")(
        picture(size=size), words, films(), chat_template=template or glm_chat(HEADER)
    )
    vision = WINDOWS | {"image_size": 56, "patch_size": 14}
    text = decoder(words, **{"rope_parameters": ROPE} | more)
    return model(config(vision_config=vision, text_config=text, **glm_ids(words))), eyes


@architecture
def glm4v():
    """As GLM-4.1V-Thinking."""
    return glm_of(hf.Glm4vConfig, hf.Glm4vForConditionalGeneration)


@architecture
def glm46v():
    return glm_of(
        hf.Glm46VConfig,
        hf.Glm46VForConditionalGeneration,
        template=chats.thinking(glm_chat(HEADER), "<think></think>\\n"),
        name="Glm46V",
    )


@architecture
def glmga():
    template = chats.thinking(glm_chat(HEADER), "<think></think>\\n")
    return glm_of(hf.GlmgaConfig, hf.Glm46VForConditionalGeneration, template=template, name="Glm46V", eye="Glmga")


@architecture
def glm_ocr():
    return glm_of(hf.GlmOcrConfig, hf.GlmOcrForConditionalGeneration, name="Glm46V")


@architecture
def glm4v_moe():
    return glm_of(
        hf.Glm4vMoeConfig,
        hf.Glm4vMoeForConditionalGeneration,
        rope_parameters=ROPE | {"mrope_section": [1, 1, 2]},
        moe_intermediate_size=32,
        num_experts_per_tok=2,
        n_routed_experts=4,
    )


@architecture
def minicpmv4_6(version="MiniCPMV4_6"):
    """Qwen3.5's decoder; a picture is numbered."""
    named = {
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "image_start_token": "<image>",
        "image_end_token": "</image>",
        "slice_start_token": "<slice>",
        "slice_end_token": "</slice>",
        "image_id_start_token": "<image_id>",
        "image_id_end_token": "</image_id>",
    }
    words = chatml_words(named)
    template = chats.thinking(chats.chatml("<|image_pad|>"), "<think>\\n\\n</think>\\n\\n", "<think>\\n")
    films = hf.MiniCPMV4_6VideoProcessor(scale_resolution=32, patch_size=4)
    processor = getattr(hf, version + "Processor")(
        image_processor=hf.MiniCPMV4_6ImageProcessor(scale_resolution=32, patch_size=4, max_slice_nums=4),
        video_processor=films,
        tokenizer=words,
        chat_template=template,
    )
    config = getattr(hf, version + "Config")(
        vision_config=encoder(image_size=SIDE, patch_size=4),
        text_config=hf.Qwen3_5TextConfig(**decoder(words, rope_parameters=ROPE, **LINEAR)),
        insert_layer_id=0,
        image_size=SIDE,
        image_token_id=number(words, "<|image_pad|>"),
        video_token_id=number(words, "<|video_pad|>"),
    )
    return getattr(hf, version + "ForConditionalGeneration")(config), processor


@architecture
def minicpmv4_7():
    return minicpmv4_6("MiniCPMV4_7")


@architecture
def video_llama_3():
    words = chatml_words(QWEN)
    size = {"shortest_edge": 28 * 28, "longest_edge": 12 * 28 * 28}
    processor = hf.VideoLlama3Processor(
        hf.VideoLlama3ImageProcessor(size=size, merge_size=2),
        words,
        hf.VideoLlama3VideoProcessor(),
        chat_template=chats.chatml("{{ '<|image_pad|>\\n' }}", system=chats.HELPFUL),
    )
    tower = encoder(patch_size=14)
    del tower["image_size"]
    config = hf.VideoLlama3Config(
        vision_config=tower,
        text_config=hf.Qwen2Config(**decoder(words)),
        image_token_id=number(words, "<|image_pad|>"),
        video_token_id=number(words, "<|video_pad|>"),
    )
    return hf.VideoLlama3ForConditionalGeneration(config), processor
