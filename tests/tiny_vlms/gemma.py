"""PaliGemma and Gemma: tokens of a picture see each other."""

from . import chats
from .llava import IMAGE, siglip
from .parts import GRID, SIDE, WIDTH, architecture, decoder, hf, number, square, vocabulary

MIXED = {"layer_types": ["sliding_attention", "full_attention"]}


def gemma_words(named, more=()):
    return vocabulary(named, more, style="gemma", bos="<bos>", eos="<eos>", unk="<unk>", frame="<bos> $A")


GEMMA = {"head_dim": 16}


SLIDING = GEMMA | {"sliding_window": 64, "query_pre_attn_scalar": 16}


def paligemma_of(text):
    """The real ones have no chat template: the prompt is "answer en", the question and a line break."""
    words = gemma_words(IMAGE)
    picture = hf.SiglipImageProcessor(size=square())
    picture.image_seq_length = GRID
    processor = hf.PaliGemmaProcessor(picture, words)  # adds the words for places, which the decoder then has too
    config = hf.PaliGemmaConfig(
        vision_config=siglip(),
        text_config=text(words),
        image_token_id=number(words, "<image>"),
        projection_dim=WIDTH,
        hidden_size=WIDTH,
    )
    return hf.PaliGemmaForConditionalGeneration(config), processor


@architecture
def paligemma():
    return paligemma_of(lambda words: hf.GemmaConfig(**decoder(words, **GEMMA)))


@architecture
def paligemma2():
    return paligemma_of(lambda words: hf.Gemma2Config(**decoder(words, **SLIDING)))


def gemma3_of(config, model, processor):
    named = {"image_token": "<image_soft_token>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>"}
    words = gemma_words(named, ("<start_of_turn>", "<end_of_turn>"))
    eyes = processor(
        hf.Gemma3ImageProcessor(size=square()),
        words,
        chat_template=chats.gemma("<start_of_image>"),
        image_seq_length=GRID // 4,
    )
    built = config(
        vision_config=siglip(),
        text_config=hf.Gemma3TextConfig(**decoder(words, **SLIDING, **MIXED)),
        mm_tokens_per_image=GRID // 4,
        image_token_index=number(words, "<image_soft_token>"),
        boi_token_index=number(words, "<start_of_image>"),
        eoi_token_index=number(words, "<end_of_image>"),
    )
    return model(built), eyes


@architecture
def gemma3():
    return gemma3_of(hf.Gemma3Config, hf.Gemma3ForConditionalGeneration, hf.Gemma3Processor)


@architecture
def shieldgemma2():
    """Says whether a picture keeps to a policy; whatever it is asked, its processor writes the policy."""
    return gemma3_of(hf.ShieldGemma2Config, hf.ShieldGemma2ForImageClassification, hf.ShieldGemma2Processor)


EMPTY_THOUGHT = "{% if not enable_thinking | default(false) %}{{ '<|channel>thought\\n<channel|>' }}{% endif %}"


def gemma4_words():
    """Words and chat template."""
    named = {
        "image_token": "<|image|>",
        "boi_token": "<|image>",
        "eoi_token": "<image|>",
        "audio_token": "<|audio|>",
        "boa_token": "<|audio>",
        "eoa_token": "<audio|>",
    }
    words = gemma_words(named, ("<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|video|>"))
    template = chats.gemma("{{ '\\n\\n<|image|>\\n\\n' }}", opened="<|turn>", closed="<turn|>")
    template = template.removesuffix("{% endif %}") + EMPTY_THOUGHT + "{% endif %}"
    return words, template


def gemma4_ids(words):
    """Of its special tokens, as its config names them."""
    tokens = {
        "image_token_id": "<|image|>",
        "video_token_id": "<|video|>",
        "audio_token_id": "<|audio|>",
        "boi_token_id": "<|image>",
        "eoi_token_id": "<image|>",
        "boa_token_id": "<|audio>",
        "eoa_token_index": "<audio|>",
    }
    return {name: number(words, token) for name, token in tokens.items()}


@architecture
def gemma4():
    """An empty thought stands before the answer, unless thinking is asked for; 70 tokens of a picture at least."""
    words, template = gemma4_words()
    processor = hf.Gemma4Processor(
        hf.Gemma4AudioFeatureExtractor(),
        hf.Gemma4ImageProcessor(patch_size=4, max_soft_tokens=70),
        words,
        hf.Gemma4VideoProcessor(patch_size=4, max_soft_tokens=70),
        chat_template=template,
        image_seq_length=70,
    )
    config = hf.Gemma4Config(
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "patch_size": 4,
            "position_embedding_size": 256,
        },
        text_config=decoder(
            words,
            head_dim=16,
            global_head_dim=32,
            sliding_window=64,
            vocab_size_per_layer_input=len(words),
            hidden_size_per_layer_input=16,
            use_bidirectional_attention="vision",
            **MIXED,
        ),
        audio_config=None,
        **gemma4_ids(words),
    )
    return hf.Gemma4ForConditionalGeneration(config), processor


@architecture
def gemma4_unified():
    """Without an encoder: squares of the picture go into the decoder as they are."""
    words, template = gemma4_words()
    sizes = {"patch_size": 4, "max_soft_tokens": 70, "pooling_kernel_size": 3}
    processor = hf.Gemma4UnifiedProcessor(
        hf.Gemma4UnifiedAudioFeatureExtractor(),
        hf.Gemma4UnifiedImageProcessor(**sizes),
        words,
        hf.Gemma4UnifiedVideoProcessor(**sizes),
        chat_template=template,
        image_seq_length=70,
    )
    config = hf.Gemma4UnifiedConfig(
        vision_config={
            "patch_size": 4,
            "pooling_kernel_size": 3,
            "mm_embed_dim": 32,
            "mm_posemb_size": 128,
            "output_proj_dims": 32,
        },
        text_config=decoder(words, head_dim=16, global_head_dim=32, sliding_window=64, **MIXED),
        audio_config=None,
        **gemma4_ids(words),
    )
    return hf.Gemma4UnifiedForConditionalGeneration(config), processor


@architecture
def gemma3n():
    """Its eye is of timm, and its vocabulary holds the embeddings of pictures and sounds behind those of words."""
    named = {
        "image_token": "<image_soft_token>",
        "boi_token": "<start_of_image>",
        "eoi_token": "<end_of_image>",
        "audio_token": "<audio_soft_token>",
        "boa_token": "<start_of_audio>",
        "eoa_token": "<end_of_audio>",
    }
    words = gemma_words(named, ("<start_of_turn>", "<end_of_turn>"))
    picture = hf.SiglipImageProcessor(size=square(2 * SIDE), do_normalize=False)
    processor = hf.Gemma3nProcessor(
        hf.Gemma3nAudioFeatureExtractor(),
        picture,
        words,
        chat_template=chats.gemma("<image_soft_token>"),
        audio_seq_length=4,
        image_seq_length=4,
    )
    size = len(words)
    config = hf.Gemma3nConfig(
        text_config=decoder(
            words,
            head_dim=16,
            num_hidden_layers=4,
            num_kv_shared_layers=2,
            sliding_window=64,
            vocab_size_per_layer_input=size,
            hidden_size_per_layer_input=8,
            laurel_rank=8,
            layer_types=[*MIXED["layer_types"]] * 2,
        ),
        vision_config={
            "architecture": "test_efficientnet",
            "hidden_size": 256,
            "vocab_size": 4,
            "vocab_offset": size,
            "model_args": {},
        },
        audio_config={
            "hidden_size": 32,
            "vocab_size": 4,
            "vocab_offset": size + 4,
            "conf_num_attention_heads": 2,
            "conf_num_hidden_layers": 1,
            "sscp_conv_channel_size": [4, 4],
        },
        vision_soft_tokens_per_image=4,
        audio_soft_tokens_per_image=4,
        image_token_id=number(words, "<image_soft_token>"),
        boi_token_id=number(words, "<start_of_image>"),
        eoi_token_id=number(words, "<end_of_image>"),
        audio_token_id=number(words, "<audio_soft_token>"),
        boa_token_id=number(words, "<start_of_audio>"),
        eoa_token_id=number(words, "<end_of_audio>"),
    )
    return hf.Gemma3nForConditionalGeneration(config), processor
