"""Loads a model of Transformers from a folder, a GGUF file or the hub; what cannot be asked is refused in one line."""

import json
import os
import warnings
from contextlib import nullcontext, redirect_stderr
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import msgspec

from pstgen.core.records import BadInput, TooLarge, Unavailable
from pstgen.core.resources import could_be_hub_id

Kind = Literal["image-text-to-text", "text"]
WEIGHTS = (".safetensors", ".gguf")
INSTALL = {"vlm": ("torchvision", "num2words", "timm"), "lm": ("gguf",), "train": ("peft", "accelerate")}  # by extra
ADAPTER = "adapter_config.json"
WHAT = {"image-text-to-text": "vision-language", "text": "language"}


class ModelOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is loaded.

    revision: of the hub. dtype: auto (bfloat16 on CUDA, else float32), float32, bfloat16, float16. device: auto, cpu, cuda, …
    device_map: spreads the weights over devices (accelerate): auto, balanced, … attention: sdpa, eager,
    flash_attention_2. adapter: a folder of peft's.
    """

    revision: str | None = None
    dtype: str = "auto"
    device: str = "auto"
    device_map: str | None = None
    attention: str | None = None
    adapter: str | None = None


def load(name: str, kind: Kind, options: ModelOptions) -> tuple[Any, Any, str]:
    """(model, processor or tokenizer, device). Raises Unavailable, in one line, where it does not load or cannot be asked."""
    import torch
    import transformers

    check_name(name)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    where = device(options.device)
    source, hub = _source(name, options.revision)
    dtype = _dtype(options.dtype, where)
    if name.endswith(".gguf") and not Path(name).is_file():
        raise Unavailable(f"{name}: no such file")
    try:
        quantised = "quantization_config" in check_kind(name, kind, source, hub)
        auto = transformers.AutoTokenizer if kind == "text" else transformers.AutoProcessor
        processor = auto.from_pretrained(source, **hub)
        auto_model = transformers.AutoModelForCausalLM if kind == "text" else transformers.AutoModelForImageTextToText
        bar = redirect_stderr(StringIO()) if "gguf_file" in hub else nullcontext()  # it cannot be turned off
        with bar:
            model, info = auto_model.from_pretrained(
                source,
                **hub,
                use_safetensors=True,
                output_loading_info=True,
                dtype="auto" if quantised and options.dtype == "auto" else dtype,  # what was not quantised, as it is
                device_map=options.device_map,
                attn_implementation=options.attention,
            )
        if options.adapter:
            model = _with_adapter(model, options.adapter, name)
    except (BadInput, Unavailable):
        raise
    except torch.OutOfMemoryError as error:
        raise TooLarge(
            f"{name}: its weights do not fit {where}; --dtype, --device-map auto or a smaller one"
        ) from error
    except Exception as error:  # a broken model folder can raise anything at all
        raise Unavailable(
            f"{name}: does not load as a {WHAT[kind]} model with safetensors weights: {reason(error)}"
        ) from error
    if info["missing_keys"]:
        raise Unavailable(
            f"{name}: {len(info['missing_keys'])} weights are missing, such as {min(info['missing_keys'])}"
        )
    placed = options.device_map or getattr(model.config, "quantization_config", None)
    if not placed:
        model = _moved(model, name, where)
    return model.eval(), processor, str(model.device) if placed else where


def check_name(name: str) -> None:
    """Raises Unavailable where there is no such folder or file, and it can be no hub id."""
    if not Path(name).is_dir() and not name.endswith(".gguf") and (not could_be_hub_id(name) or Path(name).exists()):
        raise Unavailable(
            f"{name}: no such model folder; name a folder with config.json and *.safetensors, or a hub id OWNER/NAME"
        )


def check_kind(name: str, kind: Kind, source: str, hub: dict[str, Any]) -> dict[str, Any]:
    """Refuse what cannot be asked, by its configuration alone, which is returned. Raises Unavailable."""
    import transformers
    from transformers.models.auto import configuration_auto, modeling_auto

    raw: dict[str, Any]
    raw, _ = transformers.PreTrainedConfig.get_config_dict(source, **{k: v for k, v in hub.items() if k != "gguf_file"})
    model_type = str(raw.get("model_type", ""))
    if raw.get("auto_map") and model_type not in configuration_auto.CONFIG_MAPPING_NAMES:
        raise Unavailable(
            f"{name}: is a model with code of its own ({model_type}), which pstgen never runs; "
            "take the version that Transformers itself knows, which often ends in -hf"
        )
    if hub.get("gguf_file"):
        return raw
    config = transformers.AutoConfig.from_pretrained(source, **hub)
    answers_images = model_type in modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    answers_text = model_type in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    if config.is_encoder_decoder:
        such = "SmolLM2 or Qwen2.5" if kind == "text" else "Qwen2.5-VL, SmolVLM, LLaVA or Gemma 3"
        raise Unavailable(
            f"{name}: is an encoder-decoder ({model_type}); pstgen asks models that go on from a prompt, such as {such}"
        )
    if kind == "image-text-to-text" and not answers_images:
        other = (
            "is a language model; that is for --lm"
            if answers_text
            else "is none of Transformers' image-text-to-text models"
        )
        raise Unavailable(
            f"{name}: {other} ({model_type}); --vlm takes an image-text-to-text model, such as Qwen2.5-VL"
        )
    if kind == "text" and not answers_text:
        raise Unavailable(
            f"{name}: is no causal language model ({model_type}); --lm takes one such as SmolLM2 or Qwen2.5"
        )
    return raw


def fingerprint(name: str, model: Any) -> str:
    """What the weights are: the hub's commit, or a hash of the folder's files or of the GGUF file."""
    place = Path(name)
    if not place.exists():
        return str(getattr(model.config, "_commit_hash", None) or name)
    return f"sha256:{hash_files([place] if place.is_file() else sorted(place.glob('*.json')) + weights(place))}"


def weights(folder: Path) -> list[Path]:
    """The files of weights in a folder."""
    return sorted(file for file in folder.iterdir() if file.suffix in WEIGHTS)


def hash_files(files: list[Path]) -> str:
    """Of their names and bytes."""
    digest = sha256()
    for file in files:
        digest.update(file.name.encode())
        with file.open("rb") as opened:
            while block := opened.read(2**20):
                digest.update(block)
    return digest.hexdigest()


def load_vision_model(name: str, auto_model: str, kind: str) -> tuple[Any, Any]:
    """(image processor, model) of a folder or hub id; auto_model: a class of Transformers, by name; kind: for the error.

    Raises Unavailable where it does not load.
    """
    try:
        import transformers

        source, hub = _source(name, None)
        processor = transformers.AutoImageProcessor.from_pretrained(source, **hub)
        model = getattr(transformers, auto_model).from_pretrained(source, use_safetensors=True, **hub)
    except Exception as error:  # a broken model folder can raise anything at all
        raise Unavailable(f"{name}: does not load as a {kind}: {reason(error)}") from error
    return processor, model.eval()


def reason(error: Exception) -> str:
    """Why something did not load, in one line: whole where a package or a permission is missing, and with the remedy."""
    whole = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, ImportError):
        extra = next((extra for extra, names in INSTALL.items() if any(n in whole.lower() for n in names)), None)
        return f"{whole} (pip install 'pstgen[{extra}]')" if extra else whole
    if isinstance(error, OSError):
        return whole
    return str(error).strip().partition("\n")[0] or type(error).__name__


def device(name: str) -> str:
    """The device to compute on. Raises BadInput where there is no such kind of device, Unavailable where this machine has none."""
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        kind = torch.device(name)
    except RuntimeError:
        raise BadInput(f"--device {name}: no such device; there are: auto, cpu, cuda, cuda:1, …, mps") from None
    try:
        torch.empty(1, device=kind)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        why = (str(error).strip().partition("\n")[0] or type(error).__name__).partition(". ")[0]
        raise Unavailable(f"--device {name}: {why}; auto takes what there is") from None
    return name


def _source(name: str, revision: str | None) -> tuple[str, dict[str, Any]]:
    """What `from_pretrained` takes: a name and the options that say where it lies."""
    path = Path(name)
    local = path.exists() or os.environ.get("HF_HUB_OFFLINE") == "1"
    hub: dict[str, Any] = {"local_files_only": local, "trust_remote_code": False}
    if revision:
        hub["revision"] = revision
    if path.suffix == ".gguf":
        return str(path.parent), hub | {"gguf_file": path.name}
    return name, hub


def _dtype(name: str, where: str) -> Any:
    import torch

    if name == "auto":
        return torch.bfloat16 if where.startswith("cuda") else torch.float32
    if name not in {"float32", "bfloat16", "float16"}:
        raise BadInput(f"--dtype {name}: no such type; there are: auto, float32, bfloat16, float16")
    return getattr(torch, name)


def _moved(model: Any, name: str, where: str) -> Any:
    import torch

    try:
        return model.to(where)
    except torch.OutOfMemoryError as error:
        raise TooLarge(
            f"{name}: its weights do not fit {where}; --dtype, --device-map auto or a smaller one"
        ) from error


def with_base(name: str, options: ModelOptions) -> tuple[str, ModelOptions]:
    """Of a folder that holds an adapter alone: the name of its base, and options that add the adapter to it."""
    folder = Path(name)
    if not (folder / ADAPTER).is_file() or (folder / "config.json").is_file():
        return name, options
    try:
        base = str(json.loads((folder / ADAPTER).read_bytes())["base_model_name_or_path"])
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"{folder / ADAPTER}: does not name its base model ({error})") from None
    if options.adapter:
        raise BadInput(f"{name}: is an adapter itself; --adapter {options.adapter} would be a second one")
    return base, msgspec.structs.replace(options, adapter=name)


def _with_adapter(model: Any, folder: str, name: str) -> Any:
    """The model with an adapter's weights added to its own."""
    for needed in (ADAPTER, "adapter_model.safetensors"):
        if not (Path(folder) / needed).is_file():
            raise Unavailable(f"{folder}: is no adapter that peft saved as safetensors: it has no {needed}")
    from peft import PeftModel

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        adapted = PeftModel.from_pretrained(model, folder)
    if any("missing adapter keys" in str(warning.message) for warning in said):
        raise Unavailable(f"{folder}: is an adapter of another model than {name}: its weights do not fit these layers")
    return adapted.merge_and_unload()
