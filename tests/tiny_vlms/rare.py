"""Later architectures of a few folders."""

from . import chats
from .begun import cohere_words
from .gemma import MIXED
from .latest import INDEXED, LATENT, ROUTED
from .llava import chatml_words
from .parts import PATCH, SIDE, WIDTH, architecture, decoder, encoder, encoder_of, hf, number, square, vocabulary
from .qwen import DEEPSTACK, ROPE


@architecture
def cohere_compass():
    named = {"image_token": "<|IMAGE_PAD|>", "video_token": "<|VIDEO_PAD|>"}
    words = cohere_words(named, ("<|VISION_START|>", "<|VISION_END|>"))
    role = "{{ {'user': '<|USER_TOKEN|>', 'system': '<|SYSTEM_TOKEN|>'}.get(message['role'], '<|CHATBOT_TOKEN|>') }}"
    start = "<|START_OF_TURN_TOKEN|>"
    image = "<|VISION_START|><|IMAGE_PAD|><|VISION_END|>"
    answer = start + "<|CHATBOT_TOKEN|>"
    template = chats.chat(image, start + role, "<|END_OF_TURN_TOKEN|>", answer, start="{{ bos_token }}")
    processor = hf.CohereCompassProcessor(
        hf.CohereCompassImageProcessor(patch_size=16, size={"shortest_edge": 32 * 32, "longest_edge": 12 * 32 * 32}),
        words,
        hf.CohereCompassVideoProcessor(patch_size=16),
        chat_template=template,
    )
    ids = {"image_token_id": "<|IMAGE_PAD|>", "video_token_id": "<|VIDEO_PAD|>"}
    ids |= {"vision_start_token_id": "<|VISION_START|>", "vision_end_token_id": "<|VISION_END|>"}
    text = decoder(words, sliding_window=64, logit_scale=1.0, **MIXED)
    text["rope_parameters"] = {kind: dict(ROPE) for kind in MIXED["layer_types"]}
    config = hf.CohereCompassConfig(
        vision_config=DEEPSTACK, text_config=text, **{name: number(words, token) for name, token in ids.items()}
    )
    return hf.CohereCompassForConditionalGeneration(config), processor


@architecture
def dots3_note():
    pieces = ["<|imgpad|>", "<|video_pad|>", "<|audio_comp_pad|>", "<|img|>", "<|endofimg|>"]
    roles = [f"<|{mark}{role}|>" for role in ("userprompt", "response") for mark in ("", "endof")]
    words = vocabulary({}, (*pieces, *roles), style="qwen", bos="<|begin|>", eos="<|endofresponse|>", unk=None)
    role = "<|{{ 'userprompt' if message['role'] == 'user' else 'response' }}|>"
    after = "<|endof{{ 'userprompt' if message['role'] == 'user' else 'response' }}|>"
    processor = hf.Dots3NoteProcessor(
        hf.Qwen2VLImageProcessor(
            patch_size=14, temporal_patch_size=1, size={"shortest_edge": 28 * 28, "longest_edge": 12 * 28 * 28}
        ),
        words,
        hf.Qwen2VLVideoProcessor(),
        hf.Dots3NoteFeatureExtractor(),
        chat_template=chats.chat("<|img|><|imgpad|><|endofimg|>", role, after, "<|response|>"),
    )
    eye = encoder_of(
        moe_intermediate_size=16,
        num_local_experts=4,
        num_experts_per_tok=2,
        mlp_layer_types=["dense", "sparse"],
        adapter_in_dim=32,
        adapter_out_dim=WIDTH,
        patch_size=14,
    )
    ear = {
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "feature_size": 16,
        "downsample_hidden_size": 8,
        "adapter_input_size": 32,
        "adapter_out_dim": WIDTH,
    }
    sliding = {"num_attention_heads": 4, "num_key_value_heads": 4, "q_lora_rank": 16, "kv_lora_rank": 16}
    sliding |= {"head_dim": 16, "qk_nope_head_dim": 8, "v_head_dim": 16}
    config = hf.Dots3NoteConfig(
        vision_config=eye,
        audio_config=ear,
        text_config=decoder(
            words,
            **LATENT,
            **ROUTED,
            **INDEXED,
            **{f"swa_{name}": value for name, value in sliding.items()},
            head_dim=16,
            sliding_window=64,
            layer_types=["indexed_attention", "sliding_attention"],
            shared_experts_intermediate_size=32,
        ),
        image_token_id=number(words, "<|imgpad|>"),
        video_token_id=number(words, "<|video_pad|>"),
        audio_token_id=number(words, "<|audio_comp_pad|>"),
    )
    return hf.Dots3NoteForConditionalGeneration(config), processor


@architecture
def step3p7():
    pieces = ["<im_patch>", "<im_start>", "<im_end>", "<patch_start>", "<patch_end>", "<patch_newline>"]
    words = chatml_words({}, pieces)
    picture = hf.Step3p7ImageProcessor(
        size=square(2 * SIDE), patch_size=SIDE, vision_patch_size=4, downsampler_stride=4, max_image_size=256
    )
    processor = hf.Step3p7Processor(
        picture, words, chat_template=chats.thinking(chats.chatml("<im_patch>"), *chats.THOUGHT)
    )
    tower = encoder(image_size=2 * SIDE, patch_size=4, mlp_ratio=2.0, max_position_embeddings=256)
    config = hf.Step3p7Config(
        vision_config=tower,
        text_config=decoder(
            words,
            head_dim=16,
            num_hidden_layers=3,
            layer_types=["full_attention", "sliding_attention", "full_attention"],
            mlp_layer_types=["dense", "sparse", "sparse"],
            sliding_window=64,
            moe_intermediate_size=32,
            n_routed_experts=4,
            num_experts_per_tok=2,
            share_expert_dim=32,
        ),
        image_token_id=number(words, "<im_patch>"),
    )
    return hf.Step3p7ForConditionalGeneration(config), processor


@architecture
def nemotron_h_omni():
    """Mamba, attention and experts."""
    named = {"image_token": "<image>", "video_token": "<video>", "image_start_token": "<img>"}
    named |= {"image_end_token": "</img>", "audio_token": "<so_embedding>"}
    words = chatml_words(named, ("<so_start>", "<so_end>", "<think>", "</think>"))
    picture = hf.NemotronH_Omni_Reasoning_V3ImageProcessor(
        patch_size=PATCH, min_num_patches=16, max_num_patches=48, max_model_len=1024
    )
    films = hf.NemotronH_Omni_Reasoning_V3VideoProcessor()
    processor = hf.NemotronH_Omni_Reasoning_V3Processor(
        picture,
        films,
        words,
        hf.ParakeetFeatureExtractor(feature_size=16),
        chat_template=chats.thinking(
            chats.chatml("{{ '<image>\\n' }}", system="{{ '' }}"), "<think></think>", chats.THOUGHT[1]
        ),
    )
    tower = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_ratio": 2.0, "patch_size": PATCH}
    tower |= {"image_size": SIDE, "max_img_size": 4 * SIDE, "num_cls_tokens": 2, "num_registers": 2}
    text = decoder(
        words,
        head_dim=16,
        layers_block_type=["linear_attention", "moe", "full_attention", "mlp"],
        ssm_state_size=8,
        mamba_num_heads=4,
        mamba_head_dim=16,
        n_groups=2,
        chunk_size=16,
        n_routed_experts=4,
        moe_intermediate_size=32,
        moe_shared_expert_intermediate_size=32,
    )
    del text["num_hidden_layers"]
    config = hf.NemotronH_Omni_Reasoning_V3_Config(
        vision_config=hf.RadioConfig(**tower, video_temporal_patch_size=2),
        text_config=hf.NemotronHConfig(**text),
        audio_config=None,
        projector_hidden_size=WIDTH,
        vision_hidden_size=32,
        image_token_id=number(words, "<image>"),
        video_token_id=number(words, "<video>"),
        audio_token_id=number(words, "<so_embedding>"),
    )
    return hf.NemotronH_Omni_Reasoning_V3(config), processor


def meta_words():
    pieces = ["<|patch|>", "<|image_start|>", "<|image_end|>", "<|video|>", "<|vid_frame_separator|>", "<|vid_start|>"]
    pieces += ["<|vid_end|>", "<|audio|>", "<|soft_audio_start|>", "<|soft_audio_end|>"]
    headers = ["<|header_start|>", "<|header_end|>"]
    frame = {"bos": "<|begin_of_text|>", "eos": "<|eot|>", "pad": "<|finetune_right_pad|>", "unk": None}
    return vocabulary({}, (*headers, *pieces), style="llama3", frame="<|begin_of_text|> $A", **frame)


MUSE_EYE = {
    "patch_size": 14,
    "pos_emb_height": 8,
    "pos_emb_width": 8,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "hidden_size": 32,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "layer_types": ["window_attention", "full_attention"],
}


def muse_of(words, config, model, processor, *more, text, **parts):
    picture = hf.MuseGlimmerImageProcessor(max_image_tokens=16)
    template = chats.headers("<|patch|>", "<|header_start|>", "<|header_end|>", "<|eot|>")
    eyes = processor(picture, hf.MuseGlimmerVideoProcessor(), words, *more, chat_template=template)
    built = config(
        vision_config=MUSE_EYE,
        text_config=decoder(words, head_dim=16, sliding_window=64, **MIXED, **text),
        image_token_id=number(words, "<|patch|>"),
        video_token_id=number(words, "<|video|>"),
        out_hidden_size=4 * 32,
        projector_hidden_size=WIDTH,
        **parts,
    )
    return model(built), eyes


@architecture
def muse_glimmer():
    words = meta_words()
    classes = hf.MuseGlimmerConfig, hf.MuseGlimmerForConditionalGeneration, hf.MuseGlimmerProcessor
    return muse_of(words, *classes, text={})


@architecture
def muse_spark():
    words = meta_words()
    classes = hf.MuseSparkConfig, hf.MuseSparkForConditionalGeneration, hf.MuseSparkProcessor
    ear = {"patch_sizes": [16, 6, 5, 4], "hidden_sizes": [8, 8, 8, 8], "depths": [1] * 4, "out_hidden_size": WIDTH}
    experts = {"moe_intermediate_size": 32, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_hidden_size": 32}
    return muse_of(
        words,
        *classes,
        hf.MuseSparkFeatureExtractor(),
        text=experts | {"mlp_layer_types": ["dense", "sparse"]},
        audio_config=ear,
        audio_token_id=number(words, "<|audio|>"),
    )


INKLING = {
    "head_dim": 16,
    "swa_num_attention_heads": 4,
    "swa_num_key_value_heads": 2,
    "swa_head_dim": 16,
    "sliding_window_size": 64,
    "d_rel": 8,
    "rel_extent": 128,
    "layer_types": ["hybrid_sliding", "hybrid"],
    "moe_intermediate_size": 32,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "route_scale": 1.0,
}


def inkling_words():
    pieces = ["<|content_image|>", "<|content_audio_input|>", "<|content_text|>", "<|message_user|>"]
    pieces += ["<|message_model|>", "<|message_system|>", "<|unused_200054|>", "<|unused_200053|>"]
    return vocabulary({}, pieces, style="llama3", bos="<|begin|>", eos="<|end_message|>", pad="<|pad|>", unk=None)


def inkling_chat():
    role = "<|message_{{ 'model' if message['role'] == 'assistant' else message['role'] }}|><|content_text|>"
    return chats.chat(
        "<|content_image|><|unused_200054|><|content_text|>",
        role,
        "<|end_message|>",
        "<|message_model|><|content_text|>",
    )


@architecture(name="inkling_mm_model")
def inkling():
    words = inkling_words()
    processor = hf.InklingProcessor(
        hf.InklingFeatureExtractor(), hf.InklingImageProcessor(size=square(PATCH)), words, chat_template=inkling_chat()
    )
    config = hf.InklingConfig(
        vision_config={"patch_size": PATCH, "hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2},
        audio_config={"n_mel_bins": 16, "mel_vocab_size": 8},
        text_config=decoder(
            words, **INKLING, mlp_layer_types=["dense", "sparse"], logits_mup_width_multiplier=1.0, n_shared_experts=1
        ),
        image_token_id=number(words, "<|unused_200054|>"),
        audio_token_id=number(words, "<|unused_200053|>"),
        image_bos_token_id=number(words, "<|content_image|>"),
        audio_bos_token_id=number(words, "<|content_audio_input|>"),
    )
    return hf.InklingForConditionalGeneration(config), processor


@architecture
def inkling2():
    words = inkling_words()
    processor = hf.Inkling2Processor(hf.Inkling2ImageProcessor(), words, chat_template=inkling_chat())
    text = decoder(words, **INKLING, unpadded_vocab_size=len(words), n_layers_per_attn_res_block=1)
    del text["intermediate_size"]
    config = hf.Inkling2Config(
        vision_config=encoder_of(
            text_hidden_size=WIDTH, projection_hidden_dim=WIDTH, patch_size=20, posemb_grid_size=8
        ),
        text_config=text,
        image_token_id=number(words, "<|unused_200054|>"),
    )
    return hf.Inkling2ForConditionalGeneration(config), processor
