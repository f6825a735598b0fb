"""A causal language model of Transformers, with or without images: it scores options and generates text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pstgen.core.records import BadInput, Unavailable

PROMPT = "{question} Answer with one of: {options}."

Image = Any  # (H, W, 3) uint8
Kind = Literal["image-text-to-text", "text"]


def prompt(question: str, options: Sequence[str]) -> str:
    """The text that a model is given; options in alphabetical order, since their order in an item is drawn later.

    >>> prompt("Is there a dog?", ("yes", "no"))
    'Is there a dog? Answer with one of: no, yes.'
    """
    return PROMPT.format(question=question, options=", ".join(sorted(options)))


class Model:
    """A loaded model. An option's score is the sum of the log-probabilities of its tokens after the prompt."""

    def __init__(self, name: str, device: str, kind: Kind = "image-text-to-text") -> None:
        self.name = name
        self.model, self.processor, self.device = _load(name, device, kind)
        self.tokenizer = getattr(self.processor, "tokenizer", self.processor)

    @cached_property
    def revision(self) -> str:
        """The hub's commit, or a hash of the folder's configuration and weights."""
        folder = Path(self.name)
        if not folder.is_dir():
            return str(getattr(self.model.config, "_commit_hash", None) or self.name)
        digest = sha256()
        for file in sorted(folder.glob("*.json")) + sorted(folder.glob("*.safetensors")):
            digest.update(file.name.encode() + file.read_bytes())
        return f"sha256:{digest.hexdigest()}"

    def score(
        self, questions: Sequence[str], options: Sequence[tuple[str, ...]], images: Sequence[Image | None]
    ) -> list[tuple[float, ...]]:
        """Log-probability of every option of every question. Options that differ in their last token alone share a row of the batch."""
        import torch

        tokens = [[self.tokens(option) for option in of_question] for of_question in options]
        prefixes = [(n, prefix) for n, ids in enumerate(tokens) for prefix in dict.fromkeys(tuple(i[:-1]) for i in ids)]
        with torch.inference_mode():
            rows = self.next_token_logprobs(prefixes, questions, images)
        logprobs = dict(zip(prefixes, rows, strict=True))

        def total(n: int, ids: list[int]) -> float:
            row = logprobs[n, tuple(ids[:-1])]
            return float(sum(row[k, token] for k, token in enumerate(ids)))

        return [tuple(total(n, ids) for ids in of_question) for n, of_question in enumerate(tokens)]

    def tokens(self, option: str) -> list[int]:
        """The option's tokens as they follow the prompt."""
        ids: list[int] = self.tokenizer(f" {option}", add_special_tokens=False)["input_ids"]
        return ids

    def next_token_logprobs(
        self, prefixes: Sequence[tuple[int, tuple[int, ...]]], questions: Sequence[str], images: Sequence[Image | None]
    ) -> Any:
        """(prefixes, 1 + longest, vocabulary): log-probabilities after the prompt, and after each further token of the prefix.

        prefixes: the number of a question and its image, and the first tokens of an answer to it.
        """
        import torch

        shown = [images[n] for n, _ in prefixes]
        encoded = self._encode([questions[n] for n, _ in prefixes], shown)
        longest = max(len(prefix) for _, prefix in prefixes)
        ids = torch.zeros((len(prefixes), longest), dtype=torch.long)
        mask = torch.zeros((len(prefixes), longest), dtype=torch.long)
        for k, (_, prefix) in enumerate(prefixes):
            ids[k, : len(prefix)] = torch.tensor(prefix, dtype=torch.long)
            mask[k, : len(prefix)] = 1
        encoded["input_ids"] = torch.cat([encoded["input_ids"], ids.to(self.device)], dim=1)
        encoded["attention_mask"] = torch.cat([encoded["attention_mask"], mask.to(self.device)], dim=1)
        inputs = self._encode_images_once(encoded, shown)
        return self.model(**inputs, logits_to_keep=longest + 1).logits.float().log_softmax(-1).cpu()

    def generate(self, questions: Sequence[str], images: Sequence[Image | None], most: int) -> list[str]:
        """The model's greedy answer to each question, at most `most` tokens, up to its end of text."""
        import torch

        inputs = self._encode(questions, images)
        with torch.inference_mode():
            ids = self.model.generate(**inputs, max_new_tokens=most, do_sample=False)
        answers = ids[:, inputs["input_ids"].shape[1] :]
        return [str(text).strip() for text in self.tokenizer.batch_decode(answers, skip_special_tokens=True)]

    def _encode(self, questions: Sequence[str], images: Sequence[Image | None]) -> dict[str, Any]:
        """The model's inputs, on its device."""
        encoded = self._processed(questions, images)
        return {name: value.to(self.device) for name, value in encoded.items() if name != "token_type_ids"}

    def _processed(self, questions: Sequence[str], images: Sequence[Image | None]) -> Any:
        prompts = [
            self._prompt(question, with_image=image is not None)
            for question, image in zip(questions, images, strict=True)
        ]
        if images[0] is None:
            return self.tokenizer(prompts, return_tensors="pt", padding=True)
        return self.processor(images=list(images), text=prompts, return_tensors="pt", padding=True)

    def _encode_images_once(self, inputs: dict[str, Any], images: Sequence[Image | None]) -> dict[str, Any]:
        """Where rows share an image, encode it once. Only LLaVA's inputs are one tensor an image; others stay as they are."""
        first = {id(image): n for n, image in reversed(list(enumerate(images)))}
        if self.model.config.model_type != "llava" or len(first) == len(images) or "pixel_values" not in inputs:
            return inputs
        order = {key: k for k, key in enumerate(first)}
        once = inputs["pixel_values"][list(first.values())]
        features = self.model.model.get_image_features(pixel_values=once, return_dict=True)
        features.pooler_output = [features.pooler_output[order[id(image)]] for image in images]
        rest = {name: value for name, value in inputs.items() if name != "pixel_values"}
        return rest | {"mm_encoder_outputs": {"image": features}}

    def _prompt(self, question: str, *, with_image: bool) -> str:
        content = [{"type": "image"}] * with_image + [{"type": "text", "text": question}]
        if getattr(self.processor, "chat_template", None):
            chat = [{"role": "user", "content": content}]
            return str(self.processor.apply_chat_template(chat, add_generation_prompt=True))
        picture = f"{getattr(self.processor, 'image_token', '<image>')}\n" if with_image else ""
        return f"USER: {picture}{question} ASSISTANT:"


def could_be_hub_id(name: str) -> bool:
    """Has the name the form OWNER/NAME of a model on the hub?"""
    return not name.startswith((".", "/", "~")) and name.count("/") == 1


def load_vision_model(name: str, auto_model: str, kind: str) -> tuple[Any, Any]:
    """(image processor, model) of a folder or hub id; auto_model: a class of Transformers, by name; kind: for the error.

    Raises Unavailable where it does not load.
    """
    try:
        import transformers

        options = _options(name)
        processor = transformers.AutoImageProcessor.from_pretrained(name, **options)
        model = getattr(transformers, auto_model).from_pretrained(name, use_safetensors=True, **options)
    except Exception as error:  # a broken model folder can raise anything at all
        raise Unavailable(f"{name}: does not load as a {kind}: {_first_line(error)}") from error
    return processor, model.eval()


def _options(name: str) -> dict[str, Any]:
    local = Path(name).is_dir() or os.environ.get("HF_HUB_OFFLINE") == "1"
    return {"local_files_only": local, "trust_remote_code": False}


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _load(name: str, device: str, kind: Kind) -> tuple[Any, Any, str]:
    if not Path(name).is_dir() and (not could_be_hub_id(name) or Path(name).exists()):
        raise Unavailable(
            f"{name}: no such model folder; name a folder with config.json and *.safetensors, or a hub id OWNER/NAME"
        )
    try:
        import torch
        import transformers
    except ImportError as error:
        raise Unavailable(f"a model needs torch and transformers: pip install torch transformers ({error})") from error
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    where, options = _device(device), _options(name)
    try:
        auto_processor = transformers.AutoTokenizer if kind == "text" else transformers.AutoProcessor
        auto_model = transformers.AutoModelForCausalLM if kind == "text" else transformers.AutoModelForImageTextToText
        processor = auto_processor.from_pretrained(name, **options)
        getattr(processor, "tokenizer", processor).padding_side = "left"
        model, info = auto_model.from_pretrained(
            name,
            use_safetensors=True,
            output_loading_info=True,
            dtype=torch.bfloat16 if where.startswith("cuda") else torch.float32,
            **options,
        )
    except Exception as error:  # a broken model folder can raise anything at all
        reason = _first_line(error)
        raise Unavailable(f"{name}: does not load as a {kind} model with safetensors weights: {reason}") from error
    if info["missing_keys"]:
        raise Unavailable(
            f"{name}: {len(info['missing_keys'])} weights are missing, such as {min(info['missing_keys'])}"
        )
    return model.eval().to(where), processor, where


def _device(name: str) -> str:
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
        reason = _first_line(error).partition(". ")[0]
        raise Unavailable(f"--device {name}: {reason}; auto takes what there is") from None
    return name
