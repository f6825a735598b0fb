"""At load a model is scored as it would itself generate; by the fastest road that agrees, or not at all."""

import inspect
import shutil

import pytest
import torch

from pstgen.core.records import Unavailable
from pstgen.models import self_check
from pstgen.models.huggingface import Model
from pstgen.models.self_check import EXACT, ROADS, ROUNDED


@pytest.fixture
def fresh(tiny_folder):
    """A model of one's own, to spoil."""

    def model(name="llava", **options):
        return Model(
            str(tiny_folder(name)), "cpu", "text" if name.startswith("lm_") else "image-text-to-text", **options
        )

    return model


def spoil(model, when, by=1.0):
    """Where `when(inputs)`, logits of one token are off."""
    plain = model.model.forward

    def forward(*args, **inputs):
        output = plain(*args, **inputs)
        if when(inputs):
            output.logits[..., 5] += by * output.logits.abs().max()
        return output

    forward.__signature__ = inspect.signature(plain)
    model.model.forward = forward


def refused(model):
    with pytest.raises(Unavailable) as told:
        _ = model.checked
    assert "\n" not in str(told.value)
    assert str(told.value).startswith(f"{model.name}: ")
    return str(told.value)


@pytest.mark.parametrize(
    ("name", "seeing", "blind"),
    [
        ("llava", "shared", "shared"),
        ("qwen2_5_vl", "shared", "shared"),
        ("gemma3", "padded", "padded"),
        ("lm_llama3", None, "shared"),
        ("lm_gpt2", None, "shared"),
    ],
)
def test_a_sound_model_passes_and_says_by_which_roads(tiny, name, seeing, blind):
    found = tiny(name).checked
    assert (found.seeing, found.blind, found.dtype) == (seeing, blind, "float32")
    assert found.difference < 1e-4


def with_a_batch(inputs):
    return inputs["input_ids"].shape[0] > 1


def with_a_mask_of_ours(inputs):
    mask = inputs.get("attention_mask")
    return torch.is_tensor(mask) and mask.ndim == 4


ASKED = ["Is there a dog?", "How many cups are there on the table?"], [("yes", "no"), ("1", "10")]


@pytest.mark.parametrize("name", ["llava", "lm_llama3"])
def test_a_model_that_errs_in_batches_goes_one_row_at_a_time(fresh, tiny, name):
    """It is slower and right."""
    model = fresh(name)
    spoil(model, with_a_batch)
    assert model.checked.blind == "single"
    for ours, its in zip(model.score(*ASKED, [None] * 2), tiny(name).score(*ASKED, [None] * 2), strict=True):
        assert ours == pytest.approx(its, abs=1e-4)


def test_a_model_that_errs_with_several_images_in_a_batch_is_right_all_the_same(fresh, tiny):
    """What is checked must be what is done later."""
    model, (image, *_) = fresh(), self_check.images()
    spoil(model, with_a_batch)
    shown = [image, 255 - image]
    _ = model.checked
    for ours, its in zip(model.score(*ASKED, shown), tiny("llava").score(*ASKED, shown), strict=True):
        assert ours == pytest.approx(its, abs=1e-4)


def test_a_model_that_errs_with_masks_of_ours_goes_in_padded_rows(fresh):
    model = fresh()
    spoil(model, with_a_mask_of_ours)
    assert (model.checked.seeing, model.checked.blind) == ("padded", "padded")


def test_a_model_that_fails_with_masks_of_ours_goes_in_padded_rows(fresh):
    model = fresh()

    def fail(inputs):
        if with_a_mask_of_ours(inputs):
            raise ValueError("four\ndimensions")

    spoil(model, fail)
    assert (model.checked.seeing, model.checked.blind) == ("padded", "padded")


def test_a_model_that_is_never_the_same_is_refused_with_what_each_road_gave(fresh):
    model, calls = fresh(), iter(range(10**6))
    spoil(model, lambda _: True, by=1.0)
    plain = model.model.forward

    def forward(*args, **inputs):
        output = plain(*args, **inputs)
        output.logits[..., 6] += next(calls)
        return output

    forward.__signature__ = plain.__signature__
    model.model.forward = forward
    said = refused(model)
    assert "do not agree with its own generate" in said
    for road in ROADS:
        assert f"{road}: " in said
    assert "nats off" in said


def test_a_model_that_cannot_be_asked_at_all_is_refused_with_its_reason_in_a_line(fresh):
    model = fresh()

    def fail(_):
        raise KeyError("pixel\n   values")

    spoil(model, fail)
    assert "cannot be asked" in refused(model)


def test_a_vision_model_that_needs_an_image_is_no_judge_and_the_reason_says_so(fresh):
    model = fresh()

    def fail(inputs):
        if model.kind == "image-text-to-text" and not seen and inputs.get("pixel_values") is None:
            raise ValueError("needs pixels")

    seen = []
    plain = model.inputs
    model.inputs = lambda texts, images: (
        (seen.append(1) if images[0] is not None else seen.clear()) or plain(texts, images)
    )
    spoil(model, fail)
    assert "cannot be asked without an image, as a judge must be" in refused(model)


def test_a_prompt_that_is_tokenized_otherwise_than_the_template_says_is_refused(fresh):
    """Here its processor drops what the chat template writes after the question."""
    model = fresh("qwen2_5_vl")
    plain = model.chat.encode

    def shortened(texts, images):
        return plain([text.replace("<|im_start|>assistant\n", "") for text in texts], images)

    model.chat.encode = shortened
    assert "not tokenized as its own chat template says" in refused(model)


def test_a_first_token_that_is_there_twice_is_refused(fresh):
    model = fresh("lm_llama3")
    model.chat._adds_special_tokens = lambda _: True
    assert model.chat.encode(["<|begin_of_text|>"], [None])["input_ids"].shape[1] == 2
    said = refused(model)
    assert "not tokenized as its own chat template says" in said


def test_a_thought_that_we_close_is_no_difference_to_the_template(tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder("lm_qwen3_thinking"), tmp_path / "thinker")
    file = folder / "chat_template.jinja"
    file.write_text(file.read_text().partition("{% if add_generation_prompt and enable_thinking")[0] + OPENED)
    model = Model(str(folder), "cpu", "text")
    assert model.chat.text("Q?", with_image=False).endswith("<think>\n\n</think>\n\n")
    assert model.checked.difference < EXACT


OPENED = "{% if add_generation_prompt %}{{ '<think>\\n' }}{% endif %}"


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_shorter_types_may_differ_by_what_they_round_to_and_no_more(fresh, dtype):
    from pstgen.models.loading import ModelOptions

    model = fresh("lm_chatml", options=ModelOptions(device="cpu", dtype=dtype))
    assert model.checked.dtype == dtype
    assert model.checked.difference <= ROUNDED


def test_a_check_is_made_once(fresh, monkeypatch):
    made = []
    monkeypatch.setattr(self_check, "check", lambda model: made.append(model) or "found")
    model = fresh()
    assert [model.checked, model.checked] == ["found", "found"]
    assert made == [model]
