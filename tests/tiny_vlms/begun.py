"""Templates that write the first token, which the tokenizer would add again."""

from . import chats
from .gemma import MIXED
from .llava import IMAGE, siglip
from .parts import GRID, PATCH, SIDE, WIDTH, architecture, decoder, encoder, hf, number, sharp_eye, square, vocabulary


@architecture
def mllama():
    special = ("<|start_header_id|>", "<|end_header_id|>", "<|python_tag|>")
    frame = {"bos": "<|begin_of_text|>", "eos": "<|eot_id|>", "pad": "<|finetune_right_pad_id|>", "unk": None}
    words = vocabulary(
        {"image_token": "<|image|>"},
        special,
        style="llama3",
        frame="<|begin_of_text|> $A",
        last=("<|image|>",),
        **frame,
    )
    processor = hf.MllamaProcessor(
        hf.MllamaImageProcessor(size=square(), max_image_tiles=4),
        words,
        chat_template=chats.headers("<|image|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    )
    shapes = [[1, 1], [1, 2], [1, 3], [1, 4], [2, 1], [2, 2], [3, 1], [4, 1]]
    vision = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_global_layers": 1,
        "attention_heads": 2,
        "vision_output_dim": 64,
        "image_size": SIDE,
        "patch_size": PATCH,
        "max_num_tiles": 4,
        "intermediate_layers_indices": [0],
        "supported_aspect_ratios": shapes,
    }
    # the image token has an embedding, but lies beyond the logits
    text = decoder(words, vocab_size=len(words) - 1, num_hidden_layers=4, cross_attention_layers=[1, 3])
    config = hf.MllamaConfig(vision_config=vision, text_config=text, image_token_index=number(words, "<|image|>"))
    return hf.MllamaForConditionalGeneration(config), processor


@architecture
def llama4():
    pieces = ["<|image_start|>", "<|image_end|>", "<|patch|>", "<|tile_x_separator|>", "<|tile_y_separator|>"]
    special = ["<|header_start|>", "<|header_end|>", *pieces]
    frame = {"bos": "<|begin_of_text|>", "eos": "<|eot|>", "pad": "<|finetune_right_pad|>", "unk": None}
    words = vocabulary({"image_token": "<|image|>"}, special, style="llama3", frame="<|begin_of_text|> $A", **frame)
    processor = hf.Llama4Processor(
        hf.Llama4ImageProcessor(size=square(), max_patches=4, resize_to_max_canvas=False),
        words,
        patch_size=PATCH,
        chat_template=chats.headers("<|image|>", "<|header_start|>", "<|header_end|>", "<|eot|>"),
    )
    sizes = {"projector_input_dim": WIDTH, "projector_output_dim": WIDTH, "vision_output_dim": WIDTH}
    config = hf.Llama4Config(
        vision_config=encoder(intermediate_size=4 * 32, **sizes),
        text_config=decoder(
            words,
            head_dim=16,
            intermediate_size_mlp=2 * WIDTH,
            num_local_experts=2,
            interleave_moe_layer_step=2,
            no_rope_layer_interval=2,
        ),
        image_token_index=number(words, "<|patch|>"),
        boi_token_index=number(words, "<|image_start|>"),
        eoi_token_index=number(words, "<|image_end|>"),
    )
    return hf.Llama4ForConditionalGeneration(config), processor


@architecture
def perception_lm():
    named = {"image_token": "<|image|>", "video_token": "<|video|>"}
    special = ("<|start_header_id|>", "<|end_header_id|>")
    frame = {"bos": "<|begin_of_text|>", "eos": "<|eot_id|>", "pad": "<|end_of_text|>", "unk": None}
    words = vocabulary(named, special, style="llama3", frame="<|begin_of_text|> $A", **frame)
    picture = hf.PerceptionLMImageProcessor(tile_size=SIDE, max_num_tiles=4, size=square())
    processor = hf.PerceptionLMProcessor(
        hf.PerceptionLMVideoProcessor(size=square()),
        picture,
        words,
        patch_size=PATCH,
        pooling_ratio=2,
        chat_template=chats.headers("<|image|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    )
    tower = hf.TimmWrapperConfig(
        architecture="vit_pe_core_large_patch14_336",
        do_pooling=False,
        hidden_size=32,
        model_args={"embed_dim": 32, "depth": 2, "num_heads": 2, "img_size": SIDE, "patch_size": PATCH},
    )
    config = hf.PerceptionLMConfig(
        vision_config=tower,
        text_config=hf.LlamaConfig(**decoder(words)),
        vision_use_cls_token=True,
        projector_pooling_ratio=2,
        image_token_id=number(words, "<|image|>"),
        video_token_id=number(words, "<|video|>"),
    )
    config.vision_config.num_classes = 0
    return hf.PerceptionLMForConditionalGeneration(config), processor


def cohere_words(named, more=()):
    special = ["<|START_OF_TURN_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>", "<|SYSTEM_TOKEN|>", *more]
    frame = {"bos": "<BOS_TOKEN>", "eos": "<|END_OF_TURN_TOKEN|>", "pad": "<PAD>", "unk": "<UNK>"}
    return vocabulary(named, special, style="llama3", frame="<BOS_TOKEN> $A", **frame)


def cohere_chat(image, opened=""):
    role = "{{ {'user': '<|USER_TOKEN|>', 'system': '<|SYSTEM_TOKEN|>'}.get(message['role'], '<|CHATBOT_TOKEN|>') }}"
    start = "<|START_OF_TURN_TOKEN|>"
    return chats.chat(
        image,
        start + role,
        "<|END_OF_TURN_TOKEN|>",
        start + "<|CHATBOT_TOKEN|>" + opened,
        start="{{ bos_token }}",
    )


def cohere(words):
    return hf.Cohere2Config(**decoder(words, sliding_window=64, logit_scale=1.0, **MIXED))


def tiles(**more):
    return hf.GotOcr2ImageProcessor(size=square(), crop_to_patches=True, min_patches=1, max_patches=4, **more)


@architecture
def aya_vision():
    pieces = ["<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "<|IMG_LINE_BREAK|>", "TILE", "TILE_GLOBAL"]
    words = cohere_words(IMAGE, pieces)
    processor = hf.AyaVisionProcessor(
        tiles(), words, patch_size=PATCH, img_size=SIDE, downsample_factor=2, chat_template=cohere_chat("<image>")
    )
    config = hf.AyaVisionConfig(
        vision_config=siglip(),
        text_config=cohere(words),
        image_token_index=number(words, "<|IMG_PATCH|>"),
        downsample_factor=2,
    )
    return hf.AyaVisionForConditionalGeneration(config), processor


@architecture
def cohere2_vision():
    named = {
        "image_token": "<|IMG_PATCH|>",
        "boi_token": "<|START_OF_IMG|>",
        "eoi_token": "<|END_OF_IMG|>",
        "img_line_break_token": "<|IMG_LINE_BREAK|>",
    }
    words = cohere_words(named, ["<|START_RESPONSE|>", "<|END_RESPONSE|>"])
    # what the image processor calls its patch size is the side of a tile in tokens
    picture = hf.Cohere2VisionImageProcessor(size=square(), patch_size=2, max_patches=4)
    config = hf.Cohere2VisionConfig(
        vision_config=siglip(),
        text_config=cohere(words),
        image_token_id=number(words, "<|IMG_PATCH|>"),
        downsample_factor=2,
        alignment_intermediate_size=WIDTH,
    )
    template = cohere_chat("<|IMG_PATCH|>", "<|START_RESPONSE|>")
    processor = hf.Cohere2VisionProcessor(picture, words, chat_template=template)
    return hf.Cohere2VisionForConditionalGeneration(config), processor


def deepseek_words():
    """Words and chat template."""
    named = {"image_token": "<image_placeholder>"}
    begin, end = "<\uff5cbegin\u2581of\u2581sentence\uff5c>", "<\uff5cend\u2581of\u2581sentence\uff5c>"
    words = vocabulary(named, style="llama3", bos=begin, eos=end, pad=end, unk=None, frame=begin + " $A")
    system = "{{ bos_token }}You are a helpful language and vision assistant.{{ '\\n\\n' }}"
    role = "{{ message['role'] | capitalize }}: "
    return words, chats.chat("<image_placeholder>", role, "{{ '\\n\\n' }}", "Assistant:", start=system)


@architecture
def deepseek_vl():
    words, template = deepseek_words()
    picture = hf.DeepseekVLImageProcessor(size=square())
    processor = hf.DeepseekVLProcessor(picture, words, chat_template=template, num_image_tokens=GRID)
    config = hf.DeepseekVLConfig(
        vision_config=siglip(),
        text_config=hf.LlamaConfig(**decoder(words)),
        image_token_id=number(words, "<image_placeholder>"),
    )
    return hf.DeepseekVLForConditionalGeneration(config), processor


@architecture
def deepseek_vl_hybrid():
    """A second eye of more pixels."""
    words, template = deepseek_words()
    picture = hf.DeepseekVLHybridImageProcessor(size=square(), high_res_size=square(2 * SIDE))
    processor = hf.DeepseekVLHybridProcessor(picture, words, chat_template=template, num_image_tokens=GRID)
    sharp = sharp_eye(image_size=2 * SIDE, patch_size=PATCH)
    config = hf.DeepseekVLHybridConfig(
        vision_config=siglip(),
        high_res_vision_config=hf.SamVisionConfig(**sharp),
        text_config=hf.LlamaConfig(**decoder(words)),
        image_token_id=number(words, "<image_placeholder>"),
    )
    return hf.DeepseekVLHybridForConditionalGeneration(config), processor


@architecture
def janus():
    """Also draws: half of its weights are no part of an answer."""
    named = IMAGE | {
        "image_token": "<image_placeholder>",
        "boi_token": "<begin_of_image>",
        "eoi_token": "<end_of_image>",
    }
    begin, end = "<\uff5cbegin\u2581of\u2581sentence\uff5c>", "<\uff5cend\u2581of\u2581sentence\uff5c>"
    words = vocabulary(named, style="llama3", bos=begin, eos=end, pad=end, unk=None, frame=begin + " $A")
    role = "<|{{ message['role'] | capitalize }}|>: "
    picture = hf.JanusImageProcessor(size=square(), image_mean=[0.5] * 3, image_std=[0.5] * 3)
    processor = hf.JanusProcessor(
        picture,
        words,
        chat_template=chats.chat("{{ '<image_placeholder>\\n' }}", role, "{{ '\\n\\n' }}", "<|Assistant|>:"),
        num_image_tokens=GRID,
    )
    tower = encoder(mlp_ratio=2.0, projection_dim=WIDTH, num_image_tokens=GRID)
    del tower["intermediate_size"]
    painter = {
        "embed_dim": 8,
        "num_embeddings": 16,
        "latent_channels": 8,
        "base_channels": 32,
        "channel_multiplier": [1, 1],
        "num_res_blocks": 1,
        "projection_dim": WIDTH,
        "image_token_embed_dim": WIDTH,
    }
    config = hf.JanusConfig(
        vision_config=tower,
        vq_config=painter,
        text_config=hf.LlamaConfig(**decoder(words)),
        image_token_id=number(words, "<image_placeholder>"),
    )
    return hf.JanusForConditionalGeneration(config), processor


@architecture
def aria():
    """A picture becomes 980 pixels wide, whatever is asked for."""
    words = vocabulary(
        {"image_token": "<|img|>"},
        ("<|im_start|>", "<|im_end|>", "<fim_prefix>", "<fim_suffix>"),
        style="llama2",
        frame="<s> $A",
    )
    picture = hf.AriaImageProcessor()
    processor = hf.AriaProcessor(
        picture,
        words,
        chat_template=chats.chatml("<fim_prefix><|img|><fim_suffix>"),
        size_conversion={980: 4},
    )
    config = hf.AriaConfig(
        vision_config=hf.Idefics3VisionConfig(**encoder(hidden_size=8, image_size=980, patch_size=140)),
        text_config=decoder(words, moe_num_experts=2, moe_topk=1, moe_num_shared_experts=1),
        projector_patch_to_query_dict={49: 4},
        image_token_index=number(words, "<|img|>"),
    )
    return hf.AriaForConditionalGeneration(config), processor
