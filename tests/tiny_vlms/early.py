"""Architectures that know no chat, or see in a way of their own."""

from . import chats
from .llava import IMAGE
from .parts import GRID, SIDE, WIDTH, architecture, decoder, encoder, hf, number, square, vocabulary


def queries(words):
    """The config of a Q-Former."""
    return {
        "vocab_size": len(words),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "encoder_hidden_size": 32,
        "cross_attention_frequency": 1,
        "pad_token_id": words.pad_token_id,
    }


@architecture
def blip2():
    """As blip2-opt: no chat template, one token for beginning and end."""
    words = vocabulary(more=("<image>",), bos="</s>", eos="</s>", frame="</s> $A")
    return blip2_of(words, opt(words))


def opt(words):
    return hf.OPTConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        word_embed_proj_dim=WIDTH,
        ffn_dim=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=512,
        pad_token_id=words.pad_token_id,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    )


def t5(words):
    return hf.T5Config(
        vocab_size=len(words),
        d_model=WIDTH,
        d_kv=16,
        d_ff=2 * WIDTH,
        num_layers=2,
        num_heads=4,
        pad_token_id=words.pad_token_id,
        eos_token_id=words.eos_token_id,
        decoder_start_token_id=words.pad_token_id,
    )


def blip2_of(words, text):
    config = hf.Blip2Config(
        vision_config=encoder(),
        qformer_config=queries(words),
        text_config=text,
        num_query_tokens=4,
        image_token_index=number(words, "<image>"),
    )
    processor = hf.Blip2Processor(hf.BlipImageProcessor(size=square()), words, num_query_tokens=4)
    return hf.Blip2ForConditionalGeneration(config), processor


@architecture
def instructblip():
    """As instructblip-vicuna: its Q-Former reads the question too, with a tokenizer of its own."""
    words = vocabulary(more=("<image>",), style="llama2", frame="<s> $A")
    asked = vocabulary(bos="[CLS]", eos="[SEP]", frame="[CLS] $A [SEP]")
    config = hf.InstructBlipConfig(
        vision_config=encoder(),
        qformer_config=queries(asked),
        text_config=hf.LlamaConfig(**decoder(words)),
        num_query_tokens=4,
        image_token_index=number(words, "<image>"),
    )
    processor = hf.InstructBlipProcessor(hf.BlipImageProcessor(size=square()), words, asked, num_query_tokens=4)
    return hf.InstructBlipForConditionalGeneration(config), processor


@architecture
def florence2():
    """An encoder and a decoder."""
    words = vocabulary(IMAGE, frame="<s> $A </s>")
    picture = hf.CLIPImageProcessor(size=square(), do_center_crop=False)
    picture.image_seq_length = 2
    vision = {
        "embed_dim": [8, 16, 32, 32],
        "num_heads": [1, 2, 2, 2],
        "num_groups": [1, 2, 2, 2],
        "depths": [1, 1, 1, 1],
        "projection_dim": WIDTH,
        "window_size": 4,
    }
    text = hf.BartConfig(
        vocab_size=len(words),
        d_model=WIDTH,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=512,
        pad_token_id=words.pad_token_id,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        decoder_start_token_id=words.eos_token_id,
    )
    config = hf.Florence2Config(
        vision_config=vision, text_config=text, image_token_id=number(words, "<image>"), is_encoder_decoder=True
    )
    return hf.Florence2ForConditionalGeneration(config), hf.Florence2Processor(picture, words)


@architecture
def chameleon():
    """Sees a picture as words of its own; no chat template, the processor ends a prompt with a separator."""
    codes = ["IMGIMG" + "".join("ABCDEFGHIJ"[int(digit)] for digit in str(code)) + "Z" for code in range(32)]
    named = IMAGE | {"boi_token": "<racm3:break>", "eoi_token": "<eoss>", "sep_token": "<reserved08706>"}
    words = vocabulary(named, codes, style="llama3", frame="<s> $A")
    picture = hf.ChameleonImageProcessor(size={"shortest_edge": SIDE}, crop_size=square())
    painter = {
        "embed_dim": 8,
        "num_embeddings": len(codes),
        "latent_channels": 32,
        "resolution": SIDE,
        "base_channels": 32,
        "channel_multiplier": [1, 1, 1, 1],
        "num_res_blocks": 1,
    }
    config = hf.ChameleonConfig(
        **decoder(words),
        vq_config=painter,
        vocabulary_map={
            token: place for token, place in words.get_vocab().items() if token in (*named.values(), *codes)
        },
    )
    return hf.ChameleonForConditionalGeneration(config), hf.ChameleonProcessor(picture, words, image_seq_length=GRID)


@architecture(name="kosmos-2")
def kosmos2():
    """No chat template; a mask says where the picture stands, and the positions are embedded by the padding."""
    words = vocabulary(style="llama2")
    picture = hf.CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=square())
    processor = hf.Kosmos2Processor(picture, words, num_patch_index_tokens=4)
    config = hf.Kosmos2Config(
        vision_config=encoder(),
        text_config={
            "vocab_size": len(processor.tokenizer),
            "embed_dim": WIDTH,
            "layers": 2,
            "ffn_dim": 2 * WIDTH,
            "attention_heads": 4,
            "dropout": 0.0,
            "attention_dropout": 0.0,
            "pad_token_id": words.pad_token_id,
            "bos_token_id": words.bos_token_id,
            "eos_token_id": words.eos_token_id,
        },
        latent_query_num=64,
    )
    return hf.Kosmos2ForConditionalGeneration(config), processor


@architecture
def emu3():
    """Sees a picture as words of its own; a square of 8 x 8 pixels each."""
    codes = [f"<|visual token {code:06d}|>" for code in range(32)]
    named = {
        "image_token": "<image>",
        "boi_token": "<|image start|>",
        "eoi_token": "<|image end|>",
        "image_wrapper_token": "<|image token|>",
        "eof_token": "<|extra_201|>",
    }
    frame = {"bos": "<|extra_203|>", "eos": "<|extra_204|>", "pad": "<|endoftext|>", "unk": None}
    words = vocabulary(named, ("<|extra_200|>", *codes), style="qwen", **frame)
    processor = hf.Emu3Processor(
        hf.Emu3ImageProcessor(min_pixels=SIDE * SIDE, max_pixels=4 * SIDE * SIDE),
        words,
        chat_template=chats.chat(
            "<image>", "{{ message['role'] | upper }}: ", " ", "ASSISTANT:", start="You are a helpful assistant. "
        ),
    )
    painter = {
        "codebook_size": len(codes),
        "base_channels": 32,
        "channel_multiplier": [1, 1, 1, 1],
        "num_res_blocks": 1,
        "hidden_size": 32,
        "attn_resolutions": [],
        "temporal_downsample_factor": 1,
    }
    known = words.get_vocab()
    config = hf.Emu3Config(
        vq_config=painter,
        text_config=decoder(words, attention_dropout=0.0),
        vocabulary_map={token: known[token] for token in (*codes, "<image>", "<|extra_200|>")},
    )
    return hf.Emu3ForConditionalGeneration(config), processor


@architecture
def git():
    """The picture stands before the text, in no token."""
    words = vocabulary(bos="[CLS]", eos="[SEP]", frame="[CLS] $A [SEP]")
    config = hf.GitConfig(
        vision_config=encoder(),
        vocab_size=len(words),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        pad_token_id=words.pad_token_id,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    )
    picture = hf.CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=square())
    return hf.GitForCausalLM(config), hf.GitProcessor(picture, words)


@architecture
def blip():
    """Writes captions: the text attends to the picture from outside."""
    words = vocabulary(bos="[CLS]", eos="[SEP]", frame="[CLS] $A [SEP]")
    text = {
        "vocab_size": len(words),
        "hidden_size": WIDTH,
        "encoder_hidden_size": 32,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "pad_token_id": words.pad_token_id,
        "bos_token_id": words.bos_token_id,
        "eos_token_id": words.eos_token_id,
        "sep_token_id": words.eos_token_id,
    }
    config = hf.BlipConfig(vision_config=encoder(), text_config=text, projection_dim=32, image_text_hidden_size=32)
    return hf.BlipForConditionalGeneration(config), hf.BlipProcessor(hf.BlipImageProcessor(size=square()), words)


@architecture
def instructblipvideo():
    """As InstructBLIP, of four frames."""
    words = vocabulary(more=("<video>", "<image>"), style="llama2", frame="<s> $A")
    asked = vocabulary(bos="[CLS]", eos="[SEP]", frame="[CLS] $A [SEP]")
    config = hf.InstructBlipVideoConfig(
        vision_config=encoder(),
        qformer_config=queries(asked),
        text_config=hf.LlamaConfig(**decoder(words)),
        num_query_tokens=4,
        video_token_index=number(words, "<video>"),
    )
    films = hf.InstructBlipVideoVideoProcessor(size=square())
    processor = hf.InstructBlipVideoProcessor(films, words, asked, num_query_tokens=4)
    return hf.InstructBlipVideoForConditionalGeneration(config), processor
