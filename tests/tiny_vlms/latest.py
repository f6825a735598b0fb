"""Later architectures: experts, attention of several kinds, an ear beside the eye."""

from . import chats
from .gemma import MIXED
from .llava import chatml_words, pixtral_tower, tekken
from .parts import WIDTH, architecture, decoder, encoder, encoder_of, hf, number, vocabulary
from .qwen import DEEPSTACK, LINEAR, QWEN, QWEN_IMAGE, ROPE, WINDOWS, glm_chat, glm_ids, glm_words, qwen_of

EAR = {
    "d_model": 32,
    "encoder_layers": 1,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "num_mel_bins": 16,
    "output_dim": WIDTH,
}
LATENT = {  # attention over keys and values of a low rank
    "num_key_value_heads": 4,
    "kv_lora_rank": 16,
    "q_lora_rank": 16,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 16,
}
ROUTED = {"moe_intermediate_size": 32, "n_routed_experts": 4, "num_experts_per_tok": 2, "n_group": 1, "topk_group": 1}
INDEXED = {"index_topk": 2048, "index_head_dim": 16, "index_n_heads": 2}


def omni_of(config, model, processor, *, patch, vision, ear, films, **more):
    """Qwen's, of three senses: what thinks is a model of its own. more: for the text config."""
    named = QWEN | {
        "audio_token": "<|audio_pad|>",
        "audio_bos_token": "<|audio_start|>",
        "audio_eos_token": "<|audio_end|>",
    }
    words = chatml_words(named)
    side = 2 * patch
    size = {"shortest_edge": side * side, "longest_edge": 12 * side * side}
    eyes = processor(
        hf.Qwen2VLImageProcessor(patch_size=patch, size=size),
        films,
        hf.WhisperFeatureExtractor(feature_size=16),
        words,
        chat_template=chats.chatml(QWEN_IMAGE, system=chats.HELPFUL),
    )
    built = config(
        vision_config=vision,
        audio_config=ear,
        text_config=decoder(words, rope_parameters=ROPE, **more),
        audio_start_token_id=number(words, "<|audio_start|>"),
        vision_start_token_id=number(words, "<|vision_start|>"),
        vision_end_token_id=number(words, "<|vision_end|>"),
        user_token_id=number(words, "user"),
        **{f"{kind}_token_id": number(words, f"<|{kind}_pad|>") for kind in ("image", "video", "audio")},
    )
    return model(built), eyes


@architecture
def qwen2_5_omni_thinker():
    vision = WINDOWS | {"patch_size": 14, "window_size": 56, "fullatt_block_indexes": [1]}
    return omni_of(
        hf.Qwen2_5OmniThinkerConfig,
        hf.Qwen2_5OmniThinkerForConditionalGeneration,
        hf.Qwen2_5OmniProcessor,
        patch=14,
        vision=vision,
        ear=EAR,
        films=hf.Qwen2VLVideoProcessor(),
    )


@architecture
def qwen3_omni_moe_thinker():
    return omni_of(
        hf.Qwen3OmniMoeThinkerConfig,
        hf.Qwen3OmniMoeThinkerForConditionalGeneration,
        hf.Qwen3OmniMoeProcessor,
        patch=16,
        vision=DEEPSTACK,
        ear=EAR | {"downsample_hidden_size": 8},
        films=hf.Qwen2VLVideoProcessor(patch_size=16),
        head_dim=16,
        moe_intermediate_size=32,
        num_experts=4,
        num_experts_per_tok=2,
    )


@architecture
def qwen4_exp():
    """Several streams, an attention that picks its blocks, and words that come in with those before them."""
    template = chats.thinking(chats.chatml(QWEN_IMAGE), *chats.THOUGHT)
    return qwen_of(
        hf.Qwen4ExpConfig,
        hf.Qwen4ExpForConditionalGeneration,
        hf.Qwen3VLProcessor,
        patch=16,
        vision=WINDOWS | {"patch_size": 16, "num_position_embeddings": 64},
        template=template,
        rope=ROPE | {"mrope_interleaved": True},
        **LINEAR | {"layer_types": ["linear_attention", "indexed_attention"]},
        moe_intermediate_size=32,
        shared_expert_intermediate_size=32,
        num_experts=4,
        num_experts_per_tok=2,
        hc_count=2,
        hc_lowrank=8,
        ple_layer_ids=[1],
        heads_per_ngram=2,
        ngram_vocab_size_base=100,
        make_ngram_vocab_size_divisible_by=8,
        split_ngram_parts=1,
        indexer_n_heads=2,
        indexer_kv_heads=1,
        indexer_head_dim=16,
        indexer_budget=2048,
        indexer_compress_ratio=4,
    )


@architecture
def exaone4_5():
    roles = ("[|system|]", "[|user|]", "[|assistant|]")
    words = vocabulary(QWEN, roles, style="qwen", bos="[BOS]", eos="[|endofturn|]", pad="[PAD]", unk=None)
    role = "[|{{ message['role'] }}|]{{ '\\n' }}"
    template = chats.chat(
        "<|vision_start|><|image_pad|><|vision_end|>", role, "{{ '[|endofturn|]\\n' }}", "[|assistant|]{{ '\\n' }}"
    )
    size = {"shortest_edge": 28 * 28, "longest_edge": 12 * 28 * 28}
    processor = hf.Exaone4_5_Processor(
        hf.Qwen2VLImageProcessor(patch_size=14, size=size),
        words,
        hf.Qwen2VLVideoProcessor(),
        chat_template=chats.thinking(template, *chats.THOUGHT),
    )
    vision = WINDOWS | {
        "patch_size": 14,
        "window_size": 56,
        "fullatt_block_indexes": [1],
        "num_key_value_heads": 1,
    }
    config = hf.Exaone4_5_Config(
        vision_config=vision,
        text_config=hf.Exaone4Config(**decoder(words, sliding_window=64, **MIXED)),
        image_token_id=number(words, "<|image_pad|>"),
        video_token_id=number(words, "<|video_pad|>"),
    )
    return hf.Exaone4_5_ForConditionalGeneration(config), processor


@architecture
def hyperclovax_vision_v2():
    words = chatml_words(QWEN)
    size = {"shortest_edge": 28 * 28, "longest_edge": 12 * 28 * 28}
    template = chats.chatml(QWEN_IMAGE)
    processor = hf.HyperCLOVAXVisionV2Processor(
        hf.Qwen2VLImageProcessor(patch_size=14, size=size),
        words,
        hf.Qwen2VLVideoProcessor(),
        chat_template=chats.thinking(template, *chats.THOUGHT),
    )
    vision = WINDOWS | {"patch_size": 14, "window_size": 56, "fullatt_block_indexes": [1]}
    config = hf.HyperCLOVAXVisionV2Config(
        vision_config=vision,
        text_config=hf.HyperCLOVAXConfig(**decoder(words)),
        image_token_id=number(words, "<|image_pad|>"),
        video_token_id=number(words, "<|video_pad|>"),
    )
    return hf.HyperCLOVAXVisionV2ForConditionalGeneration(config), processor


@architecture
def kimi_k25():
    """DeepSeek's decoder. Its template opens a thought unless `thinking`, not `enable_thinking`, is false."""
    named = {"image_token": "<|media_pad|>", "video_token": "<|kimi_k25_video_placeholder|>"}
    marks = [f"<|{name}|>" for name in ("media_begin", "media_content", "media_end", "im_user", "im_assistant")]
    marks += ["<|im_system|>", "<|im_middle|>", "<think>", "</think>"]
    frame = {"bos": "[BOS]", "eos": "<|im_end|>", "pad": "[PAD]", "unk": None}
    words = vocabulary(named, marks, style="qwen", **frame)
    image = "{{ '<|media_begin|>image<|media_content|><|media_pad|><|media_end|>\\n' }}"
    role = "<|im_{{ message['role'] }}|>{{ message['role'] }}<|im_middle|>"
    template = chats.chat(image, role, "<|im_end|>", "<|im_assistant|>assistant<|im_middle|>")
    processor = hf.Kimi_K25Processor(
        hf.Kimi_K25ImageProcessor(size={"max_height": 140, "max_width": 140}, max_patches=64),
        words,
        hf.Kimi_K25VideoProcessor(),
        chat_template=chats.thinking(template, "<think></think>", "<think>").replace("enable_thinking", "thinking"),
    )
    config = hf.Kimi_K25Config(
        vision_config=encoder_of(pos_emb_height=8, pos_emb_width=8, patch_size=14),
        text_config=hf.DeepseekV3Config(
            **decoder(words, **LATENT, **ROUTED, n_shared_experts=1, first_k_dense_replace=1, num_mtp_layers=0)
        ),
        projection_hidden_size=32,
        image_token_id=number(words, "<|media_pad|>"),
        video_token_id=number(words, "<|kimi_k25_video_placeholder|>"),
        vision_start_token_id=number(words, "<|media_begin|>"),
        vision_end_token_id=number(words, "<|media_end|>"),
        tie_word_embeddings=False,
    )
    return hf.Kimi_K25ForConditionalGeneration(config), processor


@architecture
def lfm3_vl():
    words = chatml_words(QWEN)
    size = {"shortest_edge": 32 * 32, "longest_edge": 12 * 32 * 32}
    processor = hf.Lfm3VlProcessor(
        hf.Qwen2VLImageProcessor(patch_size=16, size=size),
        words,
        hf.Qwen3VLVideoProcessor(),
        chat_template=chats.chatml(QWEN_IMAGE),
    )
    layers = ["conv", "full_attention"]
    text = decoder(words, head_dim=16, sliding_window=64, num_hidden_layers=3)
    config = hf.Lfm3VlConfig(
        vision_config=encoder_of(num_key_value_heads=1, layer_types=layers, patch_size=16),
        text_config=hf.Lfm3Config(**text, layer_types=[*layers, "sliding_attention"]),
        projector_hidden_size=WIDTH,
        image_token_id=number(words, "<|image_pad|>"),
        video_token_id=number(words, "<|video_pad|>"),
        vision_start_token_id=number(words, "<|vision_start|>"),
        vision_end_token_id=number(words, "<|vision_end|>"),
    )
    return hf.Lfm3VlForConditionalGeneration(config), processor


@architecture
def glm5_next():
    words = glm_words()
    thought = chats.thinking(glm_chat("<|assistant|>"), "<think></think>", "<think>")
    processor = hf.Glm5NextProcessor(
        hf.Glm5NextImageProcessor(min_image_tokens=1, max_image_tokens=12),
        words,
        hf.Glm5NextVideoProcessor(),
        chat_template=thought,
    )
    vision = WINDOWS | {"image_size": 56, "patch_size": 14, "projection_intermediate_size": 64}
    text = decoder(
        words,
        **LATENT | {"qk_rope_head_dim": 0, "qk_nope_head_dim": 16},
        **ROUTED,
        **INDEXED,
        layer_types=["linear_attention", "indexed_attention"],
        mlp_layer_types=["dense", "sparse"],
        indexer_types=["full", "full"],
        linear_head_dim=16,
        linear_num_heads=4,
        hc_mult=2,
        index_kpool=4,
    )
    config = hf.Glm5NextConfig(vision_config=vision, text_config=text, **glm_ids(words))
    return hf.Glm5NextForConditionalGeneration(config), processor


@architecture
def minimax_m3_vl():
    edges = ["]<]start of image[>[", "]<]end of image[>["]
    pieces = ["]<]image[>[", "]<]video[>[", *edges, "]~b]", "]~!b["]
    frame = {"bos": "]~!b[", "eos": "[e~[", "pad": "]!p~[", "unk": None}
    words = vocabulary({}, pieces, style="llama3", **frame)
    image = "]<]image[>["
    role = "]~b]{{ {'user': 'user', 'system': 'system'}.get(message['role'], 'ai') }}{{ '\\n' }}"
    template = chats.chat(image, role, "{{ '[e~[\\n' }}", "]~b]ai{{ '\\n' }}", start="{{ bos_token }}")
    processor = hf.MiniMaxM3VLProcessor(
        hf.MiniMaxM3VLImageProcessor(size={"shortest_edge": 28 * 28, "longest_edge": 12 * 28 * 28}),
        words,
        hf.MiniMaxM3VLVideoProcessor(),
        chat_template=template,
    )
    config = hf.MiniMaxM3VLConfig(
        vision_config=encoder(image_size=112, patch_size=14),
        text_config=decoder(
            words,
            head_dim=16,
            rotary_dim=8,
            num_local_experts=4,
            num_experts_per_tok=2,
            dense_intermediate_size=64,
            shared_intermediate_size=32,
            layer_types=["full_attention", "minimax_m3_sparse"],
            mlp_layer_types=["dense", "sparse"],
            index_n_heads=2,
            index_head_dim=16,
            index_block_size=16,
        ),
        projector_hidden_size=WIDTH,
        image_token_index=number(words, "]<]image[>["),
        video_token_index=number(words, "]<]video[>["),
    )
    return hf.MiniMaxM3SparseForConditionalGeneration(config), processor


@architecture
def mistral_large4():
    words, processor = tekken(2)
    text = decoder(
        words,
        **{key: value for key, value in LATENT.items() if key != "q_lora_rank"},
        **ROUTED,
        **INDEXED,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
    )
    config = hf.MistralLarge4Config(
        vision_config=pixtral_tower(),
        text_config=text,
        image_token_index=number(words, "[IMG]"),
        spatial_merge_size=2,
    )
    return hf.MistralLarge4ForConditionalGeneration(config), processor


@architecture
def mistral3_of_4():
    """As Mistral Small 4: experts and attention of a low rank behind Mistral 3's eye."""
    words, processor = tekken(2)
    config = hf.Mistral3Config(
        vision_config=pixtral_tower(),
        text_config=hf.Mistral4Config(**decoder(words, **LATENT, **ROUTED, n_shared_experts=1)),
        image_token_id=number(words, "[IMG]"),
        spatial_merge_size=2,
        vision_feature_layer=-1,
    )
    return hf.Mistral3ForConditionalGeneration(config), processor


@architecture
def cosmos3_omni():
    return qwen_of(
        hf.Cosmos3OmniConfig,
        hf.Cosmos3OmniForConditionalGeneration,
        hf.Qwen3VLProcessor,
        patch=16,
        vision=DEEPSTACK,
        template=chats.chatml(QWEN_IMAGE),
        head_dim=16,
    )


@architecture
def cosmos3_edge():
    words = chatml_words(QWEN)
    size = {"shortest_edge": 32 * 32, "longest_edge": 12 * 32 * 32}
    processor = hf.Cosmos3EdgeProcessor(
        hf.Cosmos3EdgeImageProcessor(size=size),
        words,
        hf.Cosmos3EdgeVideoProcessor(),
        chat_template=chats.chatml(QWEN_IMAGE),
    )
    config = hf.Cosmos3EdgeConfig(
        vision_config=encoder_of(num_patches=64, patch_size=16),
        text_config=decoder(words, head_dim=16, rope_parameters=ROPE),
        projector_hidden_size=WIDTH,
        image_token_id=number(words, "<|image_pad|>"),
        video_token_id=number(words, "<|video_pad|>"),
        vision_start_token_id=number(words, "<|vision_start|>"),
        vision_end_token_id=number(words, "<|vision_end|>"),
    )
    return hf.Cosmos3EdgeForConditionalGeneration(config), processor
