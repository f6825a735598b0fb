"""Language models without sight, to answer blind."""

from . import chats
from .llava import chatml_words
from .parts import WIDTH, architecture, decoder, hf, vocabulary


@architecture
def lm_llama_base():
    """Without a chat template."""
    words = vocabulary(style="llama2", frame="<s> $A", pad=None)
    return hf.LlamaForCausalLM(hf.LlamaConfig(**decoder(words))), words


@architecture
def lm_gpt2():
    """No token to pad with, no chat template, positions of its own."""
    end = "<|endoftext|>"
    words = vocabulary(bos=end, eos=end, unk=end, pad=None)
    config = hf.GPT2Config(
        vocab_size=len(words),
        n_positions=512,
        n_embd=WIDTH,
        n_layer=2,
        n_head=4,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    )
    return hf.GPT2LMHeadModel(config), words


def qwen(template, config, model, **more):
    words = chatml_words({})
    words.chat_template = template
    return model(config(**decoder(words, **more))), words


TURN = "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
TURNS = "{% for message in messages %}" + TURN + "{% endfor %}"
FIRST = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\n" + chats.HELPFUL + "<|im_end|>\\n' }}{% endif %}"
)
HEADER = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
THOUGHTLESS = (
    "{% if add_generation_prompt and enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}"
)


@architecture
def lm_chatml():
    """As Qwen2: the template wants a string, and fails with a list of parts."""
    return qwen(FIRST + TURNS + HEADER, hf.Qwen2Config, hf.Qwen2ForCausalLM)


@architecture
def lm_qwen3_thinking():
    """Thinks first, unless told not to."""
    return qwen(TURNS + HEADER + THOUGHTLESS, hf.Qwen3Config, hf.Qwen3ForCausalLM, head_dim=16)


@architecture
def lm_llama3():
    """The template writes the first token, and the tokenizer would add it again; text alone, as a string."""
    frame = {"bos": "<|begin_of_text|>", "eos": "<|eot_id|>", "pad": None, "unk": None}
    special = ("<|start_header_id|>", "<|end_header_id|>")
    words = vocabulary(more=special, style="llama3", frame="<|begin_of_text|> $A", **frame)
    header = "<|start_header_id|>{{ message['role'] }}<|end_header_id|>{{ '\\n\\n' }}"
    words.chat_template = (
        "{% for message in messages %}{% if loop.first %}{{ bos_token }}{% endif %}"
        + header
        + "{{ message['content'] | trim }}<|eot_id|>{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
    )
    return hf.LlamaForCausalLM(hf.LlamaConfig(**decoder(words))), words
