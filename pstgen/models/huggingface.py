"""Log-probability of options under a causal model, with or without an image, whatever the model is called."""

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
    """The words that a model is given; options in alphabetical order, since their order in an item is drawn later.

    >>> prompt("Is there a dog?", ("yes", "no"))
    'Is there a dog? Answer with one of: no, yes.'
    """
    return PROMPT.format(question=question, options=", ".join(sorted(options)))


class Model:
    """A loaded model that scores options: sum of the log-probabilities of an option's tokens after the prompt."""

    def __init__(self, name: str, device: str, kind: Kind = "image-text-to-text") -> None:
        self.name = name
        self.model, self.processor, self.device = _load(name, device, kind)
        self.tokenizer = getattr(self.processor, "tokenizer", self.processor)

    @cached_property
    def revision(self) -> str:
        """The hub's commit, or a hash of configuration and weights in the folder."""
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
        """Log-probability of every option of every question. Options of one token share one row of the batch."""
        import torch

        tokens = [[self.tokens(option) for option in some] for some in options]
        rows = [(n, begun) for n, some in enumerate(tokens) for begun in dict.fromkeys(tuple(ids[:-1]) for ids in some)]
        with torch.inference_mode():
            lines = self.following(rows, questions, images)
        told = dict(zip(rows, lines, strict=True))

        def total(n: int, ids: list[int]) -> float:
            """Token by token: the row that has all but the last holds every one of them."""
            line = told[n, tuple(ids[:-1])]
            return float(sum(line[k, token] for k, token in enumerate(ids)))

        return [tuple(total(n, ids) for ids in some) for n, some in enumerate(tokens)]

    def tokens(self, option: str) -> list[int]:
        """The option's tokens, as they follow the prompt."""
        ids: list[int] = self.tokenizer(f" {option}", add_special_tokens=False)["input_ids"]
        return ids

    def following(
        self, rows: Sequence[tuple[int, tuple[int, ...]]], questions: Sequence[str], images: Sequence[Image | None]
    ) -> Any:
        """For each row, (1 + begun, vocabulary) log-probabilities: after the prompt, and after each token begun."""
        import torch

        seen = [images[n] for n, _ in rows]
        encoded = self._encoded([questions[n] for n, _ in rows], seen)
        longest = max(len(begun) for _, begun in rows)
        more = torch.zeros((len(rows), longest), dtype=torch.long)
        mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for k, (_, begun) in enumerate(rows):
            more[k, : len(begun)] = torch.tensor(begun, dtype=torch.long)
            mask[k, : len(begun)] = 1
        encoded["input_ids"] = torch.cat([encoded["input_ids"], more], dim=1)
        encoded["attention_mask"] = torch.cat([encoded["attention_mask"], mask], dim=1)
        encoded.pop("token_type_ids", None)
        known = {name: value.to(self.device) for name, value in encoded.items()}
        logits = self.model(**self._looked(known, seen), logits_to_keep=longest + 1).logits
        return logits.float().log_softmax(-1).cpu()

    def say(self, questions: Sequence[str], images: Sequence[Image | None], most: int) -> list[str]:
        """What the model says, greedily, at most `most` tokens, up to its end of text."""
        import torch

        encoded = self._encoded(questions, images)
        encoded.pop("token_type_ids", None)
        known = {name: value.to(self.device) for name, value in encoded.items()}
        with torch.inference_mode():
            told = self.model.generate(**known, max_new_tokens=most, do_sample=False)
        begun = known["input_ids"].shape[1]
        return [str(text).strip() for text in self.tokenizer.batch_decode(told[:, begun:], skip_special_tokens=True)]

    def _encoded(self, questions: Sequence[str], images: Sequence[Image | None]) -> Any:
        prompts = [
            self._prompt(question, with_image=image is not None)
            for question, image in zip(questions, images, strict=True)
        ]
        if images[0] is None:
            return self.tokenizer(prompts, return_tensors="pt", padding=True)
        return self.processor(images=list(images), text=prompts, return_tensors="pt", padding=True)

    def _looked(self, known: dict[str, Any], seen: Sequence[Image | None]) -> dict[str, Any]:
        """Where rows share an image, look at it once. Only LLaVA's inputs are one tensor an image; others stay as they are."""
        first = {id(image): n for n, image in reversed(list(enumerate(seen)))}
        if self.model.config.model_type != "llava" or len(first) == len(seen) or "pixel_values" not in known:
            return known
        order = {key: k for k, key in enumerate(first)}
        once = known["pixel_values"][list(first.values())]
        looked = self.model.model.get_image_features(pixel_values=once, return_dict=True)
        looked.pooler_output = [looked.pooler_output[order[id(image)]] for image in seen]
        rest = {name: value for name, value in known.items() if name != "pixel_values"}
        return rest | {"mm_encoder_outputs": {"image": looked}}

    def _prompt(self, question: str, *, with_image: bool) -> str:
        content = [{"type": "image"}] * with_image + [{"type": "text", "text": question}]
        if getattr(self.processor, "chat_template", None):
            chat = [{"role": "user", "content": content}]
            return str(self.processor.apply_chat_template(chat, add_generation_prompt=True))
        picture = f"{getattr(self.processor, 'image_token', '<image>')}\n" if with_image else ""
        return f"USER: {picture}{question} ASSISTANT:"


def _load(name: str, device: str, kind: Kind) -> tuple[Any, Any, str]:
    if not Path(name).is_dir() and (name.startswith((".", "/", "~")) or name.count("/") != 1 or Path(name).exists()):
        raise Unavailable(
            f"{name}: no such model folder; a folder needs config.json and *.safetensors, a hub id is OWNER/NAME"
        )
    try:
        import torch
        import transformers
    except ImportError as error:
        raise Unavailable(f"a model needs torch and transformers: pip install torch transformers ({error})") from error
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    where = _device(device)
    local = Path(name).is_dir()
    options = {"local_files_only": local or os.environ.get("HF_HUB_OFFLINE") == "1", "trust_remote_code": False}
    try:
        reader = transformers.AutoTokenizer if kind == "text" else transformers.AutoProcessor
        speaker = transformers.AutoModelForCausalLM if kind == "text" else transformers.AutoModelForImageTextToText
        processor = reader.from_pretrained(name, **options)
        getattr(processor, "tokenizer", processor).padding_side = "left"
        model, info = speaker.from_pretrained(
            name,
            use_safetensors=True,
            output_loading_info=True,
            dtype=torch.bfloat16 if where.startswith("cuda") else torch.float32,
            **options,
        )
    except Exception as error:  # a broken model folder can raise anything at all
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Unavailable(f"{name}: does not load as a model of {kind} with safetensors weights: {reason}") from error
    if info["missing_keys"]:
        raise Unavailable(
            f"{name}: {len(info['missing_keys'])} weights are missing, such as {min(info['missing_keys'])}"
        )
    return model.eval().to(where), processor, where


def _device(name: str) -> str:
    """Where to compute. Raises BadInput where there is no such kind of device, Unavailable where this machine has none."""
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
        reason = str(error).strip().partition("\n")[0].partition(". ")[0]
        raise Unavailable(f"--device {name}: {reason}; auto takes what there is") from None
    return name
