"""A prompt is what the model's own template writes, its special tokens once; an answer goes on as the model itself would."""

import json
import shutil
from threading import Event

import numpy as np
import pytest

from pstgen.core.records import BadInput
from pstgen.models.chat import BLANK, Chat
from pstgen.models.huggingface import Model

QUESTION = "Is there a dog in the picture?"


def encoded(model, *, with_image=False):
    """The tokens of a whole prompt, by name."""
    text = model.chat.text(QUESTION, with_image=with_image)
    ids = model.inputs([text], [BLANK if with_image else None])["input_ids"][0]
    return model.tokenizer.convert_ids_to_tokens(ids.tolist())


def answer(model, option, *, with_image=False):
    return model.tokenizer.convert_ids_to_tokens(model.tokens(option, QUESTION, with_image=with_image))


@pytest.mark.parametrize("name", ["llava", "gemma3", "mllama", "paligemma", "lm_llama3", "lm_llama_base"])
def test_the_token_that_begins_a_text_is_there_once(tiny, name):
    """Templates write it, and tokenizers would add it again."""
    model = tiny(name)
    tokens = encoded(model, with_image=model.kind != "text")
    assert tokens.count(model.tokenizer.bos_token) == 1


def test_paligemma_without_an_image_keeps_its_beginning_and_the_new_line_that_its_answer_follows(tiny):
    tokens = encoded(tiny("paligemma"))
    assert tokens[0] == "<bos>"
    assert tokens[-1] == "<0x0A>"


def test_paligemma_is_given_the_bare_question_and_its_processor_the_rest(tiny):
    model = tiny("paligemma")
    text = model.chat.text(QUESTION, with_image=True)
    tokens = encoded(model, with_image=True)
    assert text == QUESTION
    assert tokens[0] == "<image>"
    assert tokens.count("<image>") == model.processor.image_seq_length
    assert tokens[-1] == "<0x0A>"
    assert answer(model, "yes", with_image=True) == ["yes"]


@pytest.mark.parametrize("with_image", [True, False])
@pytest.mark.parametrize("name", ["gemma3", "mllama", "qwen2_5_vl", "lm_llama3", "lm_chatml"])
def test_after_a_header_or_a_new_line_an_answer_has_no_space(tiny, name, with_image):
    model = tiny(name)
    seeing = with_image and model.kind != "text"
    assert model.chat.text(QUESTION, with_image=seeing).endswith("\n")
    assert answer(model, "yes", with_image=seeing) == ["yes"]


@pytest.mark.parametrize("name", ["cohere2_vision", "granite4_vision"])
def test_a_header_that_ends_in_a_special_token_is_followed_by_no_space_either(tiny, name):
    model = tiny(name)
    assert model.chat.text(QUESTION, with_image=True).endswith("|>")
    assert answer(model, "yes", with_image=True) == ["yes"]


@pytest.mark.parametrize("name", ["llava", "llava_sp", "smolvlm", "lm_gpt2", "lm_llama_base"])
def test_after_assistant_and_a_colon_an_answer_has_one(tiny, name):
    model = tiny(name)
    assert model.chat.text(QUESTION, with_image=False).upper().endswith("ASSISTANT:")
    assert answer(model, "yes") in (["\u0120yes"], ["\u2581yes"])


@pytest.mark.parametrize("name", ["llava", "llava_sp", "gemma3", "qwen2_5_vl", "lm_llama3", "lm_gpt2", "lm_llama_base"])
def test_a_prompt_with_an_answer_is_tokenized_as_one_text(tiny, name):
    """Whatever the tokenizer: the tokens of prompt and answer are those of the whole text, which reads as it was written."""
    model = tiny(name)
    chat, text = model.chat, model.chat.text(QUESTION, with_image=False)
    for option in ("yes", "no", "dark green", "10"):
        whole = chat.ids(text) + model.tokens(option, QUESTION)
        said = model.tokenizer.decode(whole, skip_special_tokens=True)
        assert said.endswith(option)
        assert whole in [chat.ids(text + space + option) for space in ("", " ")]


def test_llama_2s_tokenizer_writes_yes_as_the_one_token_that_the_model_says(tiny):
    """Tokenized by itself an answer begins with another space."""
    model = tiny("llava_sp")
    assert answer(model, "yes", with_image=True) == answer(model, "yes") == ["\u2581yes"]
    assert model.tokenizer.tokenize(" yes") != ["\u2581yes"]


def test_answers_are_tokenized_apart_where_they_would_change_the_prompt(tiny):
    """A tokenizer that joins the end of the prompt and the answer into one token must not eat the prompt's end."""
    model = tiny("llava")
    chat = Chat("fake", model.processor, model.model.config, sees=True)
    chat.__dict__ |= {"_space": "", "_tail": ""}  # "do" + "g" is one token
    prompt = "Is there a do"
    assert model.tokenizer(prompt + "g", add_special_tokens=False)["input_ids"][-1] not in chat.ids(prompt)
    assert chat.answer_ids(prompt, ["g"]) == [model.tokenizer("g", add_special_tokens=False)["input_ids"]]


@pytest.mark.parametrize("name", ["lm_qwen3_thinking", "qwen3_5", "minicpmv4_6", "glm46v"])
def test_a_thought_is_closed_before_the_answer(tiny, name):
    text = tiny(name).chat.text(QUESTION, with_image=False)
    assert text.count("<think>") == text.count("</think>") == 1
    assert text.rstrip().endswith("</think>")


def test_a_thought_is_closed_where_the_template_knows_no_other_way(tiny, tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder("qwen3_5"), tmp_path / "thinker")
    template = folder / "chat_template.jinja"
    always = template.read_text().replace("enable_thinking is defined and enable_thinking is false", "false")
    template.write_text(always)
    told, forced = tiny("qwen3_5"), Model(str(folder), "cpu")
    assert "<think>\n\n</think>" not in always.rpartition("{% else %}")[2]
    assert forced.chat.text(QUESTION, with_image=True) == told.chat.text(QUESTION, with_image=True)


def test_a_template_that_takes_a_string_is_given_one(tiny):
    text = tiny("lm_chatml").chat.text(QUESTION, with_image=False)
    assert f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n" in text


@pytest.fixture
def with_strings(tiny_folder, tmp_path):
    """A LLaVA whose template adds its messages' content to a string."""
    folder = shutil.copytree(tiny_folder("llava"), tmp_path / "strings")
    (folder / "chat_template.jinja").write_text(
        "{% for message in messages %}{{ message['role'] | upper + ': ' + message['content'] + ' ' }}{% endfor %}"
        "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
    )
    return Model(str(folder), "cpu")


def test_a_vision_models_template_that_takes_a_string_is_given_the_placeholder_in_it(with_strings, tiny):
    for with_image in (True, False):
        text = with_strings.chat.text(QUESTION, with_image=with_image)
        assert text == tiny("llava").chat.text(QUESTION, with_image=with_image)


def test_a_vision_model_whose_template_takes_a_string_can_be_asked(with_strings):
    assert with_strings.checked.seeing == "shared"


def test_a_template_that_lies_in_the_tokenizers_configuration_alone_is_used(tiny, tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder("qwen2_5_vl"), tmp_path / "older")
    file, template = folder / "tokenizer_config.json", folder / "chat_template.jinja"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"chat_template": template.read_text()}))
    template.unlink()
    model, whole = Model(str(folder), "cpu"), tiny("qwen2_5_vl")
    assert model.chats
    for with_image in (True, False):
        assert model.chat.text(QUESTION, with_image=with_image) == whole.chat.text(QUESTION, with_image=with_image)
    assert model.score([QUESTION], [("yes", "no")], [BLANK]) == whole.score([QUESTION], [("yes", "no")], [BLANK])


def test_a_model_without_a_template_is_asked_plainly(tiny):
    for name in ("lm_llama_base", "lm_gpt2"):
        model = tiny(name)
        assert not model.chats
        assert model.chat.text(QUESTION, with_image=False) == f"USER: {QUESTION} ASSISTANT:"


def test_without_a_token_to_pad_with_rows_of_unlike_length_score_as_each_alone(tiny):
    model = tiny("lm_gpt2")
    questions = [QUESTION, "How many?", "What colour is the chair that stands to the left of the table?"]
    options = [("yes", "no"), ("1", "10"), ("red", "dark green")]
    for road in ("shared", "padded"):
        together = model.score_by(road, questions, options, [None] * 3)
        alone = [model.score_by("single", [q], [o], [None])[0] for q, o in zip(questions, options, strict=True)]
        for a, b in zip(together, alone, strict=True):
            assert a == pytest.approx(b, abs=1e-4)


@pytest.mark.parametrize("name", ["llava", "gemma3", "qwen2_5_vl", "smolvlm", "lm_llama3", "lm_qwen3_thinking"])
def test_a_prompt_is_tokenized_as_the_models_own_template_says(tiny, name):
    model = tiny(name)
    image = None if model.kind == "text" else np.arange(64 * 48 * 3, dtype=np.uint8).reshape(64, 48, 3)
    text = model.chat.text(QUESTION, with_image=image is not None)
    assert model.chat.encode([text], [image])["input_ids"][0].tolist() == model.chat.official(QUESTION, image)


@pytest.mark.parametrize(
    "template", ["{{ raise_exception('only\nfor tools') }}", "nothing at all", "{{ messages[0]['content'][0] }}"]
)
def test_a_template_that_takes_no_question_is_refused_in_a_line(tiny, template):
    model = tiny("llava")
    chat = Chat("mine", model.processor, model.model.config, sees=True)
    chat.template = template
    with pytest.raises(BadInput, match="mine: its chat template takes no question: ") as raised:
        chat.text(QUESTION, with_image=True)
    assert "\n" not in str(raised.value)


def test_a_template_without_an_end_is_not_waited_for(tiny, monkeypatch):
    monkeypatch.setattr("pstgen.models.chat.LONGEST", 0.1)
    model = tiny("llava")
    chat = Chat("mine", model.processor, model.model.config, sees=True)
    ended = Event()
    monkeypatch.setattr(chat, "_rendered", lambda _: ended.wait() or "")  # as one that loops does
    with pytest.raises(BadInput, match="had not ended"):
        chat.text(QUESTION, with_image=True)
    ended.set()


def test_what_a_processor_returns_for_training_is_no_input(tiny):
    model = tiny("paligemma")
    assert "labels" not in model.inputs([QUESTION], [BLANK])
