"""Readers of documents, and others of a few folders."""

from . import chats
from .llava import chatml_words, pixtral_tower
from .parts import PATCH, SIDE, WIDTH, architecture, decoder, encoder, hf, number, square, vocabulary
from .qwen import ROPE


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
