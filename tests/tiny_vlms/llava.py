"""LLaVA and what is laid out as it is, Mistral's among them."""

from . import chats
from .parts import GRID, PATCH, SIDE, architecture, decoder, encoder, hf, number, square, vocabulary

IMAGE = {"image_token": "<image>"}


PINPOINTS = [[32, 64], [64, 32], [64, 64], [96, 32], [32, 96]]


def clip():
    return hf.CLIPVisionConfig(**encoder(num_hidden_layers=3, projection_dim=32))


def siglip(**more):
    return hf.SiglipVisionConfig(**encoder(vision_use_head=False, **more))


def chatml_words(named, more=()):
    frame = {"bos": "<|im_start|>", "eos": "<|im_end|>", "pad": "<|endoftext|>", "unk": None}
    return vocabulary(named, ("<|im_start|>", "<|im_end|>", *more), style="qwen", **frame)


def llava_of(words, *, tower, text, template, picture, strategy="default", layer=-2):
    """strategy: "default" leaves the class token away, "full" is for towers without one."""
    processor = hf.LlavaProcessor(
        picture,
        words,
        patch_size=PATCH,
        vision_feature_select_strategy=strategy,
        num_additional_image_tokens=1 if strategy == "default" else 0,
        chat_template=template,
        image_token="<image>",
    )
    config = hf.LlavaConfig(
        vision_config=tower,
        text_config=text,
        image_token_id=number(words, "<image>"),
        vision_feature_layer=layer,
        vision_feature_select_strategy=strategy,
        image_seq_length=GRID,
    )
    return hf.LlavaForConditionalGeneration(config), processor


@architecture
def llava(style="gpt2"):
    words = vocabulary(IMAGE, style=style, frame="<s> $A")
    return llava_of(
        words,
        tower=clip(),
        text=hf.LlamaConfig(**decoder(words)),
        template=chats.VICUNA,
        picture=hf.CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=square()),
    )


@architecture
def llava_sp():
    """With Llama 2's tokenizer, that puts a space before every piece of text."""
    return llava("llama2")


@architecture
def llava_siglip():
    """As llava-interleave-qwen: no class token, Qwen2."""
    words = chatml_words(IMAGE)
    return llava_of(
        words,
        tower=siglip(),
        text=hf.Qwen2Config(**decoder(words)),
        template=chats.chatml("<image>"),
        picture=hf.SiglipImageProcessor(size=square()),
        strategy="full",
        layer=-1,
    )


@architecture
def llava_next():
    """As llava-v1.6-mistral; the picture is cut into tiles."""
    words = vocabulary(IMAGE, style="llama2", frame="<s> $A")
    picture = hf.LlavaNextImageProcessor(
        size={"shortest_edge": SIDE}, crop_size=square(), image_grid_pinpoints=PINPOINTS
    )
    processor = hf.LlavaNextProcessor(
        picture,
        words,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=chats.instruct("{{ '<image>\\n' }}", start="", gap=" "),
        image_token="<image>",
    )
    config = hf.LlavaNextConfig(
        vision_config=clip(),
        text_config=hf.MistralConfig(**decoder(words, sliding_window=None)),
        image_token_id=number(words, "<image>"),
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        image_grid_pinpoints=PINPOINTS,
        image_seq_length=GRID,
    )
    return hf.LlavaNextForConditionalGeneration(config), processor


@architecture
def llava_onevision():
    words = chatml_words(IMAGE | {"video_token": "<video>"})
    processor = hf.LlavaOnevisionProcessor(
        hf.LlavaOnevisionImageProcessor(size=square(), image_grid_pinpoints=PINPOINTS),
        words,
        hf.LlavaOnevisionVideoProcessor(size=square()),
        num_image_tokens=GRID,
        vision_feature_select_strategy="full",
        vision_aspect_ratio="anyres_max_9",
        chat_template=chats.chatml("{{ '<image>\\n' }}", gap=" ").replace("assistant ", "assistant{{ '\\n' }}"),
    )
    config = hf.LlavaOnevisionConfig(
        vision_config=siglip(),
        text_config=hf.Qwen2Config(**decoder(words)),
        image_token_id=number(words, "<image>"),
        video_token_id=number(words, "<video>"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        image_grid_pinpoints=PINPOINTS,
        vision_aspect_ratio="anyres_max_9",
    )
    return hf.LlavaOnevisionForConditionalGeneration(config), processor


def pixtral_tower():
    return hf.PixtralVisionConfig(**encoder(image_size=2 * SIDE, head_dim=16))


def tekken(merge):
    named = {"image_token": "[IMG]", "image_break_token": "[IMG_BREAK]", "image_end_token": "[IMG_END]"}
    words = vocabulary(named, ("[INST]", "[/INST]"), style="llama3", frame="<s> $A")
    processor = hf.PixtralProcessor(
        hf.PixtralImageProcessor(size={"longest_edge": 2 * SIDE}, patch_size=square(PATCH)),
        words,
        patch_size=PATCH,
        spatial_merge_size=merge,
        chat_template=chats.instruct("[IMG]"),
    )
    return words, processor


@architecture
def pixtral():
    """A config of LLaVA's type; the count of image tokens follows the picture's shape."""
    words, processor = tekken(1)
    config = hf.LlavaConfig(
        vision_config=pixtral_tower(),
        text_config=hf.MistralConfig(**decoder(words, head_dim=16, sliding_window=None)),
        image_token_id=number(words, "[IMG]"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        image_seq_length=1,
    )
    return hf.LlavaForConditionalGeneration(config), processor


@architecture
def mistral3():
    words, processor = tekken(2)
    config = hf.Mistral3Config(
        vision_config=pixtral_tower(),
        text_config=hf.MistralConfig(**decoder(words, head_dim=16, sliding_window=None)),
        image_token_id=number(words, "[IMG]"),
        spatial_merge_size=2,
        vision_feature_layer=-1,
    )
    return hf.Mistral3ForConditionalGeneration(config), processor


@architecture
def llava_next_video():
    """As LLaVA-NeXT-Video-7B."""
    words = vocabulary(IMAGE | {"video_token": "<video>"}, style="llama2", frame="<s> $A")
    sizes = {"size": {"shortest_edge": SIDE}, "crop_size": square()}
    processor = hf.LlavaNextVideoProcessor(
        hf.LlavaNextVideoVideoProcessor(**sizes),
        hf.LlavaNextImageProcessor(**sizes, image_grid_pinpoints=PINPOINTS),
        words,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=chats.VICUNA,
    )
    config = hf.LlavaNextVideoConfig(
        vision_config=clip(),
        text_config=hf.LlamaConfig(**decoder(words)),
        image_token_index=number(words, "<image>"),
        video_token_index=number(words, "<video>"),
        image_grid_pinpoints=PINPOINTS,
        image_seq_length=GRID,
        video_seq_length=GRID // 4,
    )
    return hf.LlavaNextVideoForConditionalGeneration(config), processor


@architecture
def vipllava():
    """Reads several layers of its eye."""
    words = vocabulary(IMAGE, style="llama2", frame="<s> $A")
    processor = hf.LlavaProcessor(
        hf.CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=square()),
        words,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=chats.chat(
            "{{ '<image>\\n' }}",
            "###{{ {'user': 'Human', 'assistant': 'Assistant'}.get(message['role'], 'System') }}: ",
            "",
            "###Assistant:",
        ),
        image_token="<image>",
    )
    config = hf.VipLlavaConfig(
        vision_config=clip(),
        text_config=hf.LlamaConfig(**decoder(words)),
        image_token_id=number(words, "<image>"),
        vision_feature_layers=[-2, -1, 1],
        image_seq_length=GRID,
    )
    return hf.VipLlavaForConditionalGeneration(config), processor


@architecture
def video_llava():
    """A tower for pictures and a tower for films; pictures have a name of their own among the inputs."""
    words = vocabulary(IMAGE | {"video_token": "<video>"}, style="llama2", frame="<s> $A")
    sizes = {"size": {"shortest_edge": SIDE}, "crop_size": square()}
    processor = hf.VideoLlavaProcessor(
        hf.VideoLlavaImageProcessor(**sizes),
        hf.VideoLlavaVideoProcessor(**sizes),
        words,
        patch_size=PATCH,
        chat_template=chats.VICUNA,
    )
    config = hf.VideoLlavaConfig(
        vision_config=clip(),
        text_config=hf.LlamaConfig(**decoder(words)),
        image_token_index=number(words, "<image>"),
        video_token_index=number(words, "<video>"),
        image_seq_length=GRID,
    )
    return hf.VideoLlavaForConditionalGeneration(config), processor


@architecture
def fast_vlm():
    """The eye is of timm, a pixel of its last layer for 32 x 32 of the picture."""
    words = chatml_words(IMAGE)
    side = 2 * SIDE
    processor = hf.LlavaProcessor(
        hf.CLIPImageProcessor(size={"shortest_edge": side}, crop_size=square(side)),
        words,
        patch_size=32,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=chats.chatml("{{ '<image>\\n' }}", system=chats.HELPFUL),
        image_token="<image>",
    )
    tower = hf.TimmWrapperConfig(
        architecture="fastvit_t8",
        do_pooling=True,
        hidden_size=64,
        model_args={"layers": [1, 1, 1, 1], "embed_dims": [8, 16, 32, 32]},
    )
    config = hf.FastVlmConfig(
        vision_config=tower,
        text_config=hf.Qwen2Config(**decoder(words)),
        image_token_id=number(words, "<image>"),
        image_seq_length=4,
    )
    return hf.FastVlmForConditionalGeneration(config), processor
