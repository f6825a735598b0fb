"""A picture in tiles, with words between them."""

from . import chats
from .early import queries
from .llava import IMAGE, PINPOINTS, chatml_words, siglip
from .parts import GRID, PATCH, SIDE, WIDTH, architecture, decoder, encoder, hf, number, square, vocabulary

MERGED = GRID // 4  # tokens of a picture, where two by two patches become one


@architecture
def internvl():
    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    words = chatml_words(named)
    processor = hf.InternVLProcessor(
        hf.GotOcr2ImageProcessor(size=square(), crop_to_patches=True, min_patches=1, max_patches=4),
        words,
        hf.InternVLVideoProcessor(size=square()),
        image_seq_length=GRID // 4,
        chat_template=chats.chatml("{{ '<IMG_CONTEXT>\\n' }}"),
    )
    config = hf.InternVLConfig(
        vision_config=encoder(image_size=[SIDE, SIDE], patch_size=[PATCH, PATCH]),
        text_config=hf.Qwen2Config(**decoder(words)),
        image_token_id=number(words, "<IMG_CONTEXT>"),
        image_seq_length=GRID // 4,
        downsample_ratio=0.5,
    )
    return hf.InternVLForConditionalGeneration(config), processor


def smol_words(**named):
    frame = {"bos": "<|im_start|>", "eos": "<end_of_utterance>", "pad": "<|im_end|>"}
    named = {
        "image_token": "<image>",
        "fake_image_token": "<fake_token_around_image>",
        "end_of_utterance_token": "<end_of_utterance>",
        "global_image_token": "<global-img>",
    } | named
    return vocabulary(named, [f"<row_{r}_col_{c}>" for r in range(1, 7) for c in range(1, 7)], **frame)


def shuffled(config, model, picture, processor, *more):
    """Idefics 3 and SmolVLM: tiles, a shuffle of 2 x 2."""
    words = smol_words()
    built = config(
        vision_config=encoder(),
        text_config=hf.LlamaConfig(**decoder(words)),
        image_token_id=number(words, "<image>"),
        pad_token_id=words.pad_token_id,
        scale_factor=2,
    )
    eyes = picture(size={"longest_edge": 2 * SIDE}, max_image_size={"longest_edge": SIDE}, do_image_splitting=True)
    template = chats.idefics("<|im_start|>")
    return model(built), processor(eyes, words, *more, image_seq_len=GRID // 4, chat_template=template)


@architecture
def idefics3():
    return shuffled(
        hf.Idefics3Config, hf.Idefics3ForConditionalGeneration, hf.Idefics3ImageProcessor, hf.Idefics3Processor
    )


@architecture
def smolvlm():
    edge = {"longest_edge": SIDE}
    sampling = {"fps": 1, "max_frames": 4, "video_size": edge}
    films = hf.SmolVLMVideoProcessor(size=edge, max_image_size=edge, num_frames=4, fps=1, video_sampling=sampling)
    return shuffled(
        hf.SmolVLMConfig,
        hf.SmolVLMForConditionalGeneration,
        hf.SmolVLMImageProcessor,
        hf.SmolVLMProcessor,
        films,
    )


@architecture
def idefics2():
    named = IMAGE | {
        "image_boundary_token": "<fake_token_around_image>",
        "end_of_utterance_token": "<end_of_utterance>",
    }
    words = vocabulary(named, style="llama2", eos="<end_of_utterance>", frame="<s> $A")
    picture = hf.Idefics2ImageProcessor(
        size={"longest_edge": 2 * SIDE, "shortest_edge": SIDE}, do_image_splitting=False
    )
    resampler = {
        "hidden_size": WIDTH,
        "resampler_n_latents": 4,
        "resampler_depth": 1,
        "resampler_n_heads": 4,
        "resampler_head_dim": 16,
        "num_key_value_heads": 2,
    }
    config = hf.Idefics2Config(
        vision_config=encoder(image_size=2 * SIDE),
        perceiver_config=resampler,
        text_config=hf.MistralConfig(**decoder(words)),
        image_token_id=number(words, "<image>"),
    )
    processor = hf.Idefics2Processor(picture, words, image_seq_len=4, chat_template=chats.idefics())
    return hf.Idefics2ForConditionalGeneration(config), processor


@architecture
def ovis2():
    marks = ["<IMG_START>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>", "<IMG_END>"]
    words = chatml_words(IMAGE, ["<IMG_ATOM>", *marks])
    picture = hf.Ovis2ImageProcessor(size=square(), crop_to_patches=True, max_patches=4)
    template = chats.chatml("{{ '<image>\\n' }}", system=chats.HELPFUL)
    processor = hf.Ovis2Processor(picture, words, chat_template=template, image_seq_length=MERGED)
    config = hf.Ovis2Config(
        vision_config=encoder(vocab_size=40, hidden_stride=2),
        text_config=hf.Qwen2Config(**decoder(words)),
        image_token_id=number(words, "<IMG_ATOM>"),
        visual_indicator_token_ids=[number(words, mark) for mark in marks],
        vocab_size=len(words),
        hidden_size=WIDTH,
    )
    return hf.Ovis2ForConditionalGeneration(config), processor


@architecture
def lfm2_vl():
    """Convolutions with a state, and attention."""
    named = IMAGE | {
        "image_start_token": "<|image_start|>",
        "image_end_token": "<|image_end|>",
        "image_thumbnail_token": "<|img_thumbnail|>",
    }
    places = [f"<|img_row_{r}_col_{c}|>" for r in range(1, 4) for c in range(1, 4)]
    frame = {"bos": "<|startoftext|>", "eos": "<|im_end|>", "pad": "<|pad|>", "unk": None}
    words = vocabulary(named, ["<|im_start|>", *places], style="llama3", frame="<|startoftext|> $A", **frame)
    picture = hf.Lfm2VlImageProcessor(
        encoder_patch_size=PATCH,
        tile_size=SIDE,
        size=square(),
        min_image_tokens=2,
        max_image_tokens=6,
        min_tiles=2,
        max_tiles=4,
    )
    tower = encoder(num_patches=GRID, vision_use_head=False)
    del tower["image_size"]
    config = hf.Lfm2VlConfig(
        vision_config=hf.Siglip2VisionConfig(**tower),
        text_config=hf.Lfm2Config(
            **decoder(words, layer_types=["conv", "full_attention"], block_auto_adjust_ff_dim=False)
        ),
        image_token_id=number(words, "<image>"),
        projector_hidden_size=WIDTH,
    )
    template = chats.chatml("<image>", start="{{ bos_token }}")
    return hf.Lfm2VlForConditionalGeneration(config), hf.Lfm2VlProcessor(picture, words, chat_template=template)


@architecture
def molmo2():
    """Its tokens of pictures lie beyond the logits; the processor, not the tokenizer, writes the first token."""
    pieces = ("<im_patch>", "<im_col>", "<im_start>", "<low_res_im_start>", "<frame_start>")
    pieces = (*pieces, "<im_end>", "<frame_end>", "<im_low>", "<|image|>", "<|video|>")
    named = {"image_token": "<|image|>", "video_token": "<|video|>"}
    frame = {"bos": None, "eos": "<|im_end|>", "pad": "<|endoftext|>", "unk": None}
    words = vocabulary(named, ("<|im_start|>", *pieces), style="qwen", last=pieces, **frame)
    processor = hf.Molmo2Processor(
        hf.Molmo2ImageProcessor(size=square(), patch_size=PATCH, max_crops=4, overlap_margins=[1, 1]),
        hf.Molmo2VideoProcessor(size=square(), patch_size=PATCH),
        words,
        chat_template=chats.chatml("<|image|>"),
    )
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16}
    config = hf.Molmo2Config(
        vision_config=encoder(image_size=[SIDE, SIDE], **heads),
        adapter_config=heads
        | {"hidden_size": 32, "intermediate_size": 64, "text_hidden_size": WIDTH, "vision_feature_layer": [1, 0]},
        text_config=decoder(words, vocab_size=len(words) - len(pieces), additional_vocab_size=len(pieces), head_dim=16),
        image_start_token_id=number(words, "<im_start>"),
        low_res_image_start_token_id=number(words, "<low_res_im_start>"),
        image_end_token_id=number(words, "<im_end>"),
        image_patch_id=number(words, "<im_patch>"),
        frame_start_token_id=number(words, "<frame_start>"),
        frame_end_token_id=number(words, "<frame_end>"),
    )
    return hf.Molmo2ForConditionalGeneration(config), processor


@architecture
def granite4_vision():
    words = vocabulary(IMAGE, ("<|start_of_role|>", "<|end_of_role|>"), style="llama3", eos="<|end_of_text|>")
    picture = hf.LlavaNextImageProcessor(size=square(), crop_size=square(), image_grid_pinpoints=PINPOINTS)
    processor = hf.Granite4VisionProcessor(
        picture,
        words,
        patch_size=PATCH,
        vision_feature_select_strategy="full",
        downsample_rate="1/2",
        chat_template=chats.chat(
            "{{ '<image>\\n' }}",
            "<|start_of_role|>{{ message['role'] }}<|end_of_role|>",
            "{{ '<|end_of_text|>\\n' }}",
            "<|start_of_role|>assistant<|end_of_role|>",
        ),
    )
    config = hf.Granite4VisionConfig(
        vision_config=siglip(hidden_size=64),
        qformer_config=queries(words) | {"num_hidden_layers": 1, "use_qformer_text_input": False},
        text_config=decoder(words),
        image_token_index=number(words, "<image>"),
        vision_feature_select_strategy="full",
        image_grid_pinpoints=PINPOINTS,
        image_seq_length=GRID,
        downsample_rate="1/2",
        deepstack_layer_map=[(-1, 0)],
        spatial_target_layers=[1],
        projector_dropout=0.0,
    )
    return hf.Granite4VisionForConditionalGeneration(config), processor
