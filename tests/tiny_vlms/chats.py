"""Chat templates of the shapes that real checkpoints have.

Jinja here drops a line break right behind a block, so a piece that begins with one says `{{ '\\n' }}`.
"""


def chat(image, before, after, answer, *, start="", trim=False):
    """start: before everything; before, after: around a message; answer: what opens the model's turn."""
    strip = " | trim" if trim else ""
    return (
        f"{start}{{% for message in messages %}}{before}"
        f"{{% if message['content'] is string %}}{{{{ message['content']{strip} }}}}{{% else %}}"
        "{% for part in message['content'] %}"
        f"{{% if part['type'] == 'image' %}}{image}{{% elif part['type'] == 'text' %}}{{{{ part['text']{strip} }}}}"
        f"{{% endif %}}{{% endfor %}}{{% endif %}}{after}{{% endfor %}}"
        f"{{% if add_generation_prompt %}}{answer}{{% endif %}}"
    )


def chatml(image, *, system="", gap="\n", start=""):
    """system: what stands there where the messages bring no system's message. gap: behind a role."""
    first = (
        f"{{% if loop.first and message['role'] != 'system' %}}<|im_start|>system\n{system}<|im_end|>\n{{% endif %}}"
    )
    return chat(
        image,
        (first if system else "") + "<|im_start|>{{ message['role'] }}{{ '" + gap.replace("\n", "\\n") + "' }}",
        "{{ '<|im_end|>\\n' }}",
        "<|im_start|>assistant" + gap,
        start=start,
    )


def thinking(template, without, opened=""):
    """The model's turn goes on with `without` where thinking is switched off, else with `opened`."""
    off = "enable_thinking is defined and enable_thinking is false"
    rest = f"{{% else %}}{{{{ '{opened}' }}}}" if opened else ""
    end = "{% endif %}"
    return template.removesuffix(end) + f"{{% if {off} %}}{{{{ '{without}' }}}}{rest}{end}" + end


THOUGHT = "<think>\\n\\n</think>\\n\\n", "<think>\\n"  # Qwen's: switched off, else opened
HELPFUL = "You are a helpful assistant."

VICUNA = (  # LLaVA 1.5: all images first, a space behind every text
    "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'] | upper }}: {% endif %}"
    "{% for part in message['content'] if part['type'] == 'image' %}{{ '<image>\\n' }}{% endfor %}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] + ' ' }}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)


def instruct(image, *, start="{{ bos_token }}", gap=""):
    """Mistral's: the model's turn has no header."""
    return chat(
        image,
        f"{{% if message['role'] == 'user' %}}[INST]{gap}{{% endif %}}",
        f"{{% if message['role'] == 'user' %}}{gap}[/INST]{{% else %}}{{{{ eos_token }}}}{{% endif %}}",
        "",
        start=start,
    )


def idefics(start=""):
    """Idefics 2 and 3, SmolVLM: a space behind the role only where a text comes first."""
    colon = "{% if message['content'][0]['type'] == 'image' %}:{% else %}: {% endif %}"
    role = "{{ message['role'] | capitalize }}"
    return chat("<image>", role + colon, "{{ '<end_of_utterance>\\n' }}", "Assistant:", start=start)


def gemma(image, *, opened="<start_of_turn>", closed="<end_of_turn>"):
    role = "{{ 'model' if message['role'] == 'assistant' else message['role'] }}"
    return chat(
        image,
        opened + role + "{{ '\\n' }}",
        f"{{{{ '{closed}\\n' }}}}",
        opened + "model\n",
        start="{{ bos_token }}",
        trim=True,
    )


def headers(image, opened, closed, end):
    """Llama 3's and 4's: a header and a blank line."""
    return chat(
        image,
        f"{opened}{{{{ message['role'] }}}}{closed}{{{{ '\\n\\n' }}}}",
        end,
        f"{opened}assistant{closed}{{{{ '\\n\\n' }}}}",
        start="{{ bos_token }}",
        trim=True,
    )
