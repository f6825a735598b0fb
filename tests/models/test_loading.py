"""What cannot be asked is refused in one line that says what to do; a revision names exactly what answers."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from pstgen.core.records import BadInput, TooLarge, Unavailable
from pstgen.models import loading
from pstgen.models.huggingface import Model
from pstgen.models.loading import ModelOptions

pytestmark = pytest.mark.filterwarnings(
    "ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"
)  # peft asks for it
QUESTIONS, OPTIONS = ["Is there a dog?", "What colour is it?"], [("yes", "no"), ("red", "dark green")]


def refused(name, kind="image-text-to-text", error=Unavailable, **options):
    with pytest.raises(error) as told:
        Model(str(name), kind=kind, options=ModelOptions(device="cpu", **options))
    said = str(told.value)
    assert "\n" not in said
    return said


INSTEAD = {
    "clip": "--vlm takes an image-text-to-text model, such as Qwen2.5-VL",
    "custom_code": "take the version that Transformers itself knows, which often ends in -hf",
    "t5": "such as Qwen2.5-VL",
    "blip2_t5": "such as Qwen2.5-VL",
    "vision-encoder-decoder": "such as Qwen2.5-VL",
    "florence2": "such as Qwen2.5-VL",
}


def test_what_is_refused_is_all_tried(tiny_vlms):
    assert set(INSTEAD) == set(tiny_vlms.REFUSED)


@pytest.mark.parametrize("kind", ["image-text-to-text", "text"])
@pytest.mark.parametrize("name", INSTEAD)
def test_what_cannot_be_asked_is_refused_with_what_to_take_instead(tiny_vlms, tmp_path, name, kind):
    """Whoever's code lies in a folder, it is not run: here it would end the tests."""
    folder = tmp_path / name
    tiny_vlms.REFUSED[name](folder)
    said = refused(folder, kind)
    assert said.startswith(f"{folder}: is ")
    instead = INSTEAD[name]
    if kind == "text" and name != "custom_code":
        instead = "such as SmolLM2"
    assert instead in said


def test_a_model_of_the_other_kind_is_refused_with_the_option_that_takes_it(tiny_folder):
    assert "is a language model; that is for --lm" in refused(tiny_folder("lm_chatml"))
    assert "--lm takes one such as SmolLM2" in refused(tiny_folder("llava"), "text")


def test_a_type_that_there_is_not_is_refused_with_those_there_are(tiny_folder):
    said = refused(tiny_folder("lm_chatml"), "text", BadInput, dtype="float8")
    assert said == "--dtype float8: no such type; there are: auto, float32, bfloat16, float16"


def test_a_gguf_file_that_is_missing_or_none_is_said(tmp_path):
    missing, broken = tmp_path / "missing.gguf", tmp_path / "broken.gguf"
    broken.write_bytes(b"nothing of the sort")
    assert refused(missing, "text") == f"{missing}: no such file"
    assert str(broken) in refused(broken, "text")


@pytest.mark.parametrize("name", ["words", "a/b/c", "/nowhere/at/all", "./mine", "~/mine"])
def test_a_name_that_is_neither_a_folder_nor_on_the_hub_is_never_looked_for_there(name, monkeypatch):
    monkeypatch.setattr(transformers.PreTrainedConfig, "get_config_dict", lambda *_, **__: pytest.fail("asked for"))
    assert "no such model folder" in refused(name)


# ------------------------------------------------------------------------------------------------ whose message it is


def failing(monkeypatch, error, where=(transformers.AutoProcessor, "from_pretrained")):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(*where, fail)


@pytest.mark.parametrize(
    ("missing", "extra"),
    [
        ("\nQwen2VLVideoProcessor requires the Torchvision library but it was not found.\nInstall it.\n", "vlm"),
        ("`num2words` is required to run the SmolVLM processor.\nInstall it with `pip install num2words`.", "vlm"),
        ("TimmWrapperModel requires the timm library", "vlm"),
        ("Please install torch and gguf>=0.10.0 to load a GGUF checkpoint in PyTorch.", "lm"),
        ("Using a `device_map` requires Accelerate: `pip install 'accelerate>=1'`", "train"),
    ],
)
def test_a_package_that_is_missing_is_named_whole_with_the_command_that_brings_it(
    tiny_folder, monkeypatch, missing, extra
):
    failing(monkeypatch, ImportError(missing))
    said = refused(tiny_folder("llava"))
    assert said.endswith(f"{' '.join(missing.split())} (pip install 'pstgen[{extra}]')")


def test_an_adapter_without_peft_is_said_with_the_command_that_brings_it(adapter, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    assert "pip install 'pstgen[train]'" in refused(adapter)


def test_no_command_is_told_that_would_not_help():
    missing = "FlashAttention2 has been toggled on, but the package flash_attn doesn't seem to be installed."
    assert "pstgen[vlm]" not in loading.reason(ImportError(missing))


def test_what_the_hub_says_of_a_gated_model_is_whole(monkeypatch):
    gated = (
        "You are trying to access a gated repo.\nMake sure to have access to it at https://huggingface.co/owner/gated.\n"
        "401 Client Error. Access to model owner/gated is restricted.\nPlease log in."
    )
    failing(monkeypatch, OSError(gated), (transformers.PreTrainedConfig, "get_config_dict"))
    said = refused("owner/gated")
    assert said.startswith("owner/gated: ")
    assert said.endswith(" ".join(gated.split()))


def test_the_revision_that_is_asked_for_is_asked_of_the_hub(monkeypatch):
    asked = []

    def note(name, **options):
        asked.append((name, options["revision"], options["trust_remote_code"]))
        raise OSError("no such thing")

    monkeypatch.setattr(transformers.PreTrainedConfig, "get_config_dict", note)
    refused("owner/name", revision="v2")
    assert asked == [("owner/name", "v2", False)]


def test_weights_that_do_not_fit_are_too_large_with_what_may_help(tiny_folder, monkeypatch):
    error = torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2.00 GiB.")
    failing(monkeypatch, error, (transformers.AutoModelForImageTextToText, "from_pretrained"))
    said = refused(tiny_folder("llava"), error=TooLarge)
    for remedy in ("--dtype", "--device-map auto", "a smaller one"):
        assert remedy in said


# ------------------------------------------------------------------------------------------------ adapters


@pytest.fixture(scope="module")
def qwen(tiny):
    return tiny("qwen2_5_vl")


def adapt(base, folder, auto=transformers.AutoModelForImageTextToText, **options):
    """A folder with an adapter of random weights."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=32, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    tuned = get_peft_model(auto.from_pretrained(base), config)
    tuned.save_pretrained(folder, **options)
    return folder


@pytest.fixture
def adapter(tiny_folder, tmp_path):
    return adapt(tiny_folder("qwen2_5_vl"), tmp_path / "adapter")


def answers(model):
    image = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
    return model.score(QUESTIONS, OPTIONS, [image, None])


def test_an_adapter_changes_scores_and_the_revision(qwen, tiny_folder, adapter):
    tuned = Model(str(tiny_folder("qwen2_5_vl")), options=ModelOptions(device="cpu", adapter=str(adapter)))
    assert tuned.revision != revision(tiny_folder("qwen2_5_vl"))
    for ours, its in zip(answers(tuned), answers(qwen), strict=True):
        assert np.abs(np.array(ours) - its).max() > 0.01


def test_a_folder_that_holds_an_adapter_alone_finds_its_base(tiny_folder, adapter):
    named = Model(str(tiny_folder("qwen2_5_vl")), options=ModelOptions(device="cpu", adapter=str(adapter)))
    alone = Model(str(adapter), "cpu")
    assert alone.revision == named.revision
    assert answers(alone) == answers(named)


def test_other_weights_of_an_adapter_are_another_revision(adapter):
    before = Model(str(adapter), "cpu").revision
    weights = load_file(adapter / "adapter_model.safetensors")
    save_file({name: 2 * weight for name, weight in weights.items()}, adapter / "adapter_model.safetensors")
    assert Model(str(adapter), "cpu").revision != before


def test_an_adapter_with_pickled_weights_is_refused(tiny_folder, adapter):
    torch.save(load_file(adapter / "adapter_model.safetensors"), adapter / "adapter_model.bin")
    (adapter / "adapter_model.safetensors").unlink()
    for name, options in ((adapter, {}), (tiny_folder("qwen2_5_vl"), {"adapter": str(adapter)})):
        said = refused(name, **options)
        assert said.startswith(f"{adapter}: is no adapter that peft saved as safetensors")
        assert said.endswith("it has no adapter_model.safetensors")


def test_a_folder_that_is_no_adapter_is_refused(tiny_folder, tmp_path):
    said = refused(tiny_folder("llava"), adapter=str(tmp_path))
    assert said.startswith(f"{tmp_path}: is no adapter")


@pytest.mark.parametrize("content", ["{}", "[]", "not json"])
def test_an_adapter_that_does_not_name_its_base_is_refused(tmp_path, content):
    (tmp_path / "adapter_config.json").write_text(content)
    assert "does not name its base model" in refused(tmp_path)


@pytest.mark.filterwarnings("ignore:Found missing adapter keys:UserWarning")  # as outside of tests
def test_an_adapter_of_another_model_is_refused_and_not_left_out(tiny_folder, tmp_path):
    other = adapt(tiny_folder("lm_llama3"), tmp_path / "other", transformers.AutoModelForCausalLM)
    assert "llava" in refused(tiny_folder("llava"), adapter=str(other))


# ------------------------------------------------------------------------------------------------ revisions


@pytest.fixture
def copy(tiny_folder, tmp_path):
    return shutil.copytree(tiny_folder("llava"), tmp_path / "elsewhere" / "copy")


def revision(folder, **options):
    return Model(str(folder), options=ModelOptions(device="cpu", **options)).revision


@pytest.fixture
def plain(tiny_folder):
    """Of the model as it is, before it is asked."""
    return revision(tiny_folder("llava"))


def rewrite(file, change):
    told = json.loads(file.read_text())
    change(told)
    file.write_text(json.dumps(told))


def test_a_copy_of_a_model_is_the_same_model(plain, copy):
    """Wherever it lies, whatever its folder's name, and whatever else lies there."""
    (copy / "README.md").write_text("mine")
    (copy / "optimizer.pt").write_bytes(b"0")
    assert revision(copy) == plain


def test_a_revision_does_not_depend_on_what_the_model_was_asked_before(tiny_folder):
    before, after = (Model(str(tiny_folder("llava")), "cpu") for _ in range(2))
    assert after.checked
    answers(after)
    after.generate(QUESTIONS, [None, None], 2)
    assert after.revision == before.revision


def test_another_chat_template_is_another_revision(copy, plain):
    file = copy / "chat_template.jinja"
    file.write_text(file.read_text().replace("upper", "lower"))
    assert revision(copy) != plain


def test_another_type_of_numbers_is_another_revision(copy, plain):
    assert revision(copy, dtype="float32") == plain != revision(copy, dtype="bfloat16")


def test_another_kind_of_attention_is_another_revision(copy, plain):
    assert revision(copy, attention="sdpa") == plain != revision(copy, attention="eager")


def test_another_tokenizer_is_another_revision(copy, plain):
    def shorten(told):
        told["model"]["merges"].pop()

    rewrite(copy / "tokenizer.json", shorten)
    assert revision(copy) != plain


def test_another_way_to_see_is_another_revision(copy, plain):
    rewrite(copy / "processor_config.json", lambda told: told["image_processor"].update(image_mean=[0, 0, 0]))
    assert revision(copy) != plain


def test_other_code_that_scores_is_another_revision(plain, tiny_folder, monkeypatch):
    from pstgen.models import huggingface

    monkeypatch.setattr(huggingface, "CODE", huggingface.CODE[1:])
    assert revision(tiny_folder("llava")) != plain
