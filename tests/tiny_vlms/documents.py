"""Readers of documents, and others of a few folders."""

from . import chats
from .begun import tiles
from .llava import chatml_words, pixtral_tower
from .parts import GRID, PATCH, SIDE, WIDTH, architecture, decoder, encoder, hf, number, sharp_eye, square, vocabulary
from .qwen import ROPE
from .tiled import smol_words


@architecture
def lighton_ocr():
    named = {"image_token": "<|image_pad|>", "image_break_token": "<|vision_pad|>", "image_end_token": "<|vision_end|>"}
    words = chatml_words(named)
    processor = hf.LightOnOcrProcessor(
        hf.PixtralImageProcessor(size={"longest_edge": 2 * SIDE}, patch_size=square(2 * PATCH)),
        words,
        patch_size=PATCH,
        spatial_merge_size=2,
        chat_template=chats.chatml("<|image_pad|>", system="{{ '' }}"),
    )
    config = hf.LightOnOcrConfig(
        vision_config=pixtral_tower(),
        text_config=hf.Qwen3Config(**decoder(words, head_dim=16)),
        image_token_id=number(words, "<|image_pad|>"),
    )
    return hf.LightOnOcrForConditionalGeneration(config), processor


@architecture
def paddleocr_vl():
    named = {"image_token": "<|IMAGE_PLACEHOLDER|>", "video_token": "<|video_pad|>"}
    special = ("<|IMAGE_START|>", "<|IMAGE_END|>", "<|begin_of_sentence|>")
    words = vocabulary(named, special, style="gemma", eos="</s>")
    image = "<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>"
    role = "{{ 'User' if message['role'] == 'user' else 'Assistant' }}: "
    picture = hf.PaddleOCRVLImageProcessor(size={"shortest_edge": 28 * 28, "longest_edge": 24 * 28 * 28})
    processor = hf.PaddleOCRVLProcessor(
        picture,
        words,
        chat_template=chats.chat(image, role, "{{ '\\n' }}", "Assistant:{{ '\\n' }}", start="<|begin_of_sentence|>"),
    )
    config = hf.PaddleOCRVLConfig(
        vision_config=encoder(image_size=56, patch_size=14),
        text_config=decoder(words, head_dim=16, rope_parameters=ROPE),
        image_token_id=number(words, "<|IMAGE_PLACEHOLDER|>"),
        video_token_id=number(words, "<|video_pad|>"),
        vision_start_token_id=number(words, "<|IMAGE_START|>"),
        vision_end_token_id=number(words, "<|IMAGE_END|>"),
    )
    return hf.PaddleOCRVLForConditionalGeneration(config), processor


@architecture
def ernie4_5_vl_moe():
    """Experts for words and experts for pictures, chosen by one more input."""
    named = {"image_token": "<|IMAGE_PLACEHOLDER|>", "video_token": "<|VIDEO_PLACEHOLDER|>"}
    named |= {
        f"{kind}_{edge}_token": f"<|{kind.upper()}_{edge.upper()}|>"
        for kind in ("image", "video")
        for edge in ("start", "end")
    }
    words = vocabulary(named, ("<|begin_of_sentence|>",), style="gemma", eos="</s>")
    image = "Picture 1:<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>"
    role = "{{ 'User' if message['role'] == 'user' else 'Assistant' }}: "
    off = "{{ '\\n<think>\\n\\n</think>\\n\\n' }}"
    films = hf.Ernie4_5_VLMoeVideoProcessor(draw_on_frames=False)
    processor = hf.Ernie4_5_VLMoeProcessor(
        hf.Ernie4_5_VLMoeImageProcessor(size={"shortest_edge": 28 * 28, "longest_edge": 12 * 28 * 28}),
        words,
        films,
        chat_template=chats.chat(image, role, "{{ '\\n' }}", "Assistant: " + off, start="<|begin_of_sentence|>"),
    )
    ids = {f"{name}_id": number(words, token) for name, token in named.items()}
    config = hf.Ernie4_5_VLMoeConfig(
        vision_config={"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "patch_size": 14},
        text_config=decoder(
            words,
            rope_parameters=ROPE | {"mrope_section": [3, 3, 2]},
            moe_intermediate_size=[32, 16],
            moe_k=2,
            moe_num_experts=4,
            moe_num_shared_experts=1,
        ),
        **ids,
    )
    return hf.Ernie4_5_VLMoeForConditionalGeneration(config), processor


@architecture
def hunyuan_vl():
    named = {
        "image_token": "<|hy_image|>",
        "image_start_token": "<|hy_image_start|>",
        "image_end_token": "<|hy_image_end|>",
    }
    special = ("<|hy_User|>", "<|hy_Assistant|>", "<|hy_newline|>")
    words = vocabulary(named, special, style="llama3", bos="<|hy_begin|>", eos="<|hy_end|>", unk=None)
    image = "<|hy_image_start|><|hy_image|><|hy_image_end|>"
    after = "{% if message['role'] == 'user' %}<|hy_User|>{% else %}<|hy_Assistant|>{% endif %}"
    processor = hf.HunYuanVLProcessor(
        hf.HunYuanVLImageProcessor(patch_size=PATCH, size={"shortest_edge": 256, "longest_edge": 4096}),
        words,
        chat_template=chats.chat(image, "", after, "", start="{{ bos_token }}"),
    )
    tower = encoder(
        out_hidden_size=WIDTH,
        text_hidden_size=WIDTH,
        max_image_size=2 * SIDE,
        img_max_token_num=64,
        min_image_size=SIDE,
    )
    del tower["image_size"]
    config = hf.HunYuanVLConfig(
        vision_config=tower,
        text_config=decoder(words, rope_parameters=ROPE | {"mrope_section": [2, 2, 2, 2]}, head_dim=16),
        image_token_id=number(words, "<|hy_image|>"),
        im_start_id=number(words, "<|hy_image_start|>"),
        im_end_id=number(words, "<|hy_image_end|>"),
        im_newline_id=number(words, "<|hy_newline|>"),
    )
    return hf.HunYuanVLForConditionalGeneration(config), processor


def reader_words():
    begin, end = "<\uff5cbegin\u2581of\u2581sentence\uff5c>", "<\uff5cend\u2581of\u2581sentence\uff5c>"
    named = {"image_token": "<image>"}
    return vocabulary(named, style="llama3", bos=begin, eos=end, pad="<\uff5cpad\uff5c>", unk=None)


EXPERTS = {
    "moe_intermediate_size": 32,
    "n_routed_experts": 4,
    "n_shared_experts": 1,
    "num_experts_per_tok": 2,
    "mlp_layer_types": ["dense", "sparse"],
}
PAGE = chats.chat("{{ '<image>\\n' }}", "", "", "", start="{{ bos_token }}")


@architecture
def deepseek_ocr2():
    """256 tokens of the whole picture and 144 of each tile, whatever their size."""
    words = reader_words()
    processor = hf.DeepseekOcr2Processor(
        hf.DeepseekOcr2ImageProcessor(size=square(4 * SIDE), tile_size=3 * SIDE, max_patches=2),
        words,
        chat_template=PAGE,
        patch_size=2,
    )
    queries = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    eye = sharp_eye(image_size=4 * SIDE, patch_size=2, downsample_channels=[16, 32], global_attn_indexes=[])
    config = hf.DeepseekOcr2Config(
        vision_config={"sam_config": eye, "encoder_config": queries | {"num_key_value_heads": 2, "vocab_size": 8}},
        text_config=decoder(words, **EXPERTS),
        image_token_id=number(words, "<image>"),
    )
    return hf.DeepseekOcr2ForConditionalGeneration(config), processor


@architecture
def got_ocr2():
    words = chatml_words({}, ("<img>", "</img>", "<imgpad>"))
    processor = hf.GotOcr2Processor(
        hf.GotOcr2ImageProcessor(size=square(4 * SIDE)),
        words,
        chat_template=chats.chatml("{{ '<img><imgpad></img>\\n' }}", system="You follow instructions."),
    )
    config = hf.GotOcr2Config(
        vision_config=sharp_eye(image_size=4 * SIDE, patch_size=2),
        text_config=hf.Qwen2Config(**decoder(words)),
        image_token_index=number(words, "<imgpad>"),
        image_seq_length=256,
    )
    return hf.GotOcr2ForConditionalGeneration(config), processor


@architecture
def qianfan_ocr():
    named = {"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>"}
    words = chatml_words(named)
    template = chats.thinking(chats.chatml("{{ '<image>\\n' }}"), chats.THOUGHT[0])
    processor = hf.QianfanOCRProcessor(tiles(), words, image_seq_length=GRID // 4, chat_template=template)
    config = hf.QianfanOCRConfig(
        vision_config=encoder(image_size=[SIDE, SIDE], patch_size=[PATCH, PATCH], drop_path_rate=0.0),
        text_config=hf.Qwen3Config(**decoder(words, head_dim=16)),
        image_token_id=number(words, "<IMG_CONTEXT>"),
        image_seq_length=GRID // 4,
    )
    return hf.QianfanOCRForConditionalGeneration(config), processor


@architecture
def granite_docling():
    words = smol_words()
    picture = hf.GraniteDoclingImageProcessor(size=square(), max_patches=4)
    processor = hf.GraniteDoclingProcessor(
        picture,
        words,
        image_seq_len=GRID // 4,
        chat_template=chats.chat(
            "<image>",
            "<|im_start|>{{ message['role'] }}{{ '\\n' }}",
            "{{ '<end_of_utterance>\\n' }}",
            "<|im_start|>assistant{{ '\\n' }}",
        ),
    )
    config = hf.GraniteDoclingConfig(
        vision_config=encoder(out_hidden_size=WIDTH, scale_factor=2, deepstack_visual_indexes=[0]),
        text_config=decoder(words, embedding_multiplier=1.0, attention_multiplier=0.25),
        image_token_id=number(words, "<image>"),
        pad_token_id=words.pad_token_id,
    )
    return hf.GraniteDoclingForConditionalGeneration(config), processor


@architecture
def unlimited_ocr():
    """A window that slides over what is said, never over the picture and the question."""
    words = reader_words()
    processor = hf.UnlimitedOcrProcessor(
        hf.UnlimitedOcrImageProcessor(size=square(2 * SIDE), tile_size=SIDE, max_patches=4, maximum_pad_value=SIDE),
        words,
        chat_template=PAGE,
        patch_size=2,
    )
    eye = sharp_eye(image_size=2 * SIDE, patch_size=2, downsample_channels=[16, 32])
    config = hf.UnlimitedOcrConfig(
        vision_config={"sam_config": eye, "encoder_config": encoder(image_size=2 * SIDE, patch_size=8)},
        text_config=decoder(words, **EXPERTS, sliding_window=16),
        image_token_id=number(words, "<image>"),
    )
    return hf.UnlimitedOcrForConditionalGeneration(config), processor
