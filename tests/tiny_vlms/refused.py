"""Folders that neither look and answer nor answer: each is to be refused in a line."""

import json

from . import early
from .parts import SIDE, WIDTH, decoder, encoder, hf, loud, square, vocabulary


def keep(folder, model, processor):
    loud(model).save_pretrained(folder)
    processor.save_pretrained(folder)


def clip(folder):
    """Compares a picture with a text; generates nothing."""
    words = vocabulary(bos="<|startoftext|>", eos="<|endoftext|>", frame="<|startoftext|> $A <|endoftext|>")
    text = decoder(words, max_position_embeddings=77)
    del text["num_key_value_heads"]
    config = hf.CLIPConfig(
        text_config=text | {"projection_dim": 32}, vision_config=encoder(projection_dim=32), projection_dim=32
    )
    picture = hf.CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=square())
    keep(folder, hf.CLIPModel(config), hf.CLIPProcessor(picture, words))


def custom_code(folder):
    """Of a type that Transformers does not know: its code lies in the folder."""
    words = vocabulary()
    keep(folder, hf.LlamaForCausalLM(hf.LlamaConfig(**decoder(words))), words)
    file = folder / "config.json"
    config = json.loads(file.read_text())
    own = {"AutoConfig": "configuration_own.OwnConfig", "AutoModel": "modeling_own.OwnForCausalLM"}
    config |= {"model_type": "own_vlm", "architectures": ["OwnForCausalLM"], "auto_map": own}
    file.write_text(json.dumps(config, indent=2))
    (folder / "configuration_own.py").write_text("raise SystemExit('code of a folder was run')\n")
    (folder / "modeling_own.py").write_text("raise SystemExit('code of a folder was run')\n")


def t5(folder):
    """An encoder and a decoder of text."""
    words = vocabulary(frame="$A </s>")
    keep(folder, hf.T5ForConditionalGeneration(early.t5(words)), words)


def blip2_t5(folder):
    """As blip2-flan-t5: a picture and a question, but the answer is a decoder's of its own."""
    words = vocabulary(more=("<image>",), style="gemma", frame="$A </s>")
    keep(folder, *early.blip2_of(words, early.t5(words)))


def vision_encoder_decoder(folder):
    """Writes captions; takes no question."""
    end = "<|endoftext|>"
    words = vocabulary(bos=end, eos=end, unk=end, pad=end)
    config = hf.VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        hf.ViTConfig(**encoder()),
        hf.GPT2Config(
            vocab_size=len(words),
            n_positions=128,
            n_embd=WIDTH,
            n_layer=2,
            n_head=4,
            bos_token_id=words.bos_token_id,
            eos_token_id=words.eos_token_id,
        ),
    )
    config.decoder_start_token_id = words.bos_token_id
    config.pad_token_id = words.pad_token_id
    keep(folder, hf.VisionEncoderDecoderModel(config), words)
    hf.ViTImageProcessor(size=square()).save_pretrained(folder)
