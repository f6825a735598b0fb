"""A causal language model of Transformers, with or without images: it scores options and generates text."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pstgen.models import loading
from pstgen.models.chat import Chat, Image
from pstgen.models.loading import Kind, ModelOptions

if TYPE_CHECKING:
    from pstgen.models.self_check import SelfCheck

ROWS = 32  # of a batch, at most; fewer where the memory is too small
TOKENS = 4096  # of images and what stands before them, that one pass takes
CODE = ("asking", "chat", "huggingface", "parsing", "scoring")  # modules that a score depends on


@dataclass(slots=True)
class Passes:
    """How many images one pass takes, learnt from those before: as many as TOKENS allow, where all are equally long."""

    images: int = 1
    uneven: bool = False

    def learn(self, lengths: Sequence[int]) -> None:
        """From the number of tokens of each image's prompt."""
        self.uneven |= len(set(lengths)) > 1
        self.images = 1 if self.uneven else max(1, TOKENS // max(lengths))


class Model:
    """A loaded model. An option's score is the sum of the log-probabilities of its tokens after the prompt.

    Raises Unavailable where it does not load or cannot be asked, each in one line.
    """

    def __init__(
        self, name: str, device: str = "auto", kind: Kind = "image-text-to-text", options: ModelOptions | None = None
    ) -> None:
        given = options or ModelOptions(device=device)
        self.kind = kind
        self.name, self.options = loading.with_base(name, given)
        self.model, self.processor, self.device = loading.load(self.name, kind, self.options)
        self.chat = Chat(name, self.processor, self.model.config, sees=kind != "text")
        self.tokenizer = self.chat.tokenizer
        self.passes = Passes()

    @property
    def chats(self) -> bool:
        """Does a chat template wrap its prompts?"""
        return self.chat.template is not None

    @cached_property
    def revision(self) -> str:
        """The hub's commit or a hash of the weights, then a hash of all else that a score depends on.

        That is template, tokenizer, processor, type, attention, adapter, and the code that scores.
        """
        import transformers

        tokenizer = getattr(self.tokenizer, "backend_tokenizer", None)
        words = json.loads(tokenizer.to_str()) if tokenizer is not None else self.tokenizer.get_vocab()
        processor = self.processor.to_dict() if hasattr(self.processor, "to_dict") else {}
        adapter = self.options.adapter and loading.hash_files(sorted(Path(self.options.adapter).glob("adapter_*")))
        parts = [
            str(self.chat.template),
            str(sorted((name, part) for name, part in words.items() if name not in {"padding", "truncation"})),
            str(sorted(processor.items(), key=lambda item: str(item[0]))),
            f"{self.model.dtype} {self.model.config._attn_implementation} {adapter} {transformers.__version__}",  # noqa: SLF001
            *(Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8") for name in CODE),
        ]
        return f"{loading.fingerprint(self.name, self.model)} {sha256('|'.join(parts).encode()).hexdigest()[:16]}"

    @cached_property
    def checked(self) -> SelfCheck:
        """How its scores are computed, and how far they are from its own `generate`. Raises Unavailable where that is too far."""
        from pstgen.models import self_check

        return self_check.check(self)

    def score(
        self,
        questions: Sequence[str],
        options: Sequence[tuple[str, ...]],
        images: Sequence[Image | None],
        rows: int = ROWS,
    ) -> list[tuple[float, ...]]:
        """Log-probability of every option after its prompt. Questions about one and the same array share its encoding."""
        from pstgen.models.scoring import NotShared

        scores: list[tuple[float, ...]] = [()] * len(questions)
        self.passes = replace(self._passes_at_load)
        for road, places in self._by_road(images):
            asked, of, shown = (
                [questions[n] for n in places],
                [options[n] for n in places],
                [images[n] for n in places],
            )
            try:
                results = self.score_by(road, asked, of, shown, rows)
            except NotShared:  # a template that puts the image after the question
                results = self.score_by("single", asked, of, shown, rows)
            for n, row in zip(places, results, strict=True):
                scores[n] = row
        return scores

    @cached_property
    def _passes_at_load(self) -> Passes:
        """As the check left them: every call begins so, and its scores do not depend on what was asked before, or elsewhere."""
        _ = self.checked
        return replace(self.passes)

    def _by_road(self, images: Sequence[Image | None]) -> Iterator[tuple[str, list[int]]]:
        """Which rows are without an image and which have one, and by which road they go."""
        for road, blind in ((self.checked.blind, True), (self.checked.seeing, False)):
            places = [n for n, image in enumerate(images) if (image is None) == blind]
            if places:
                yield str(road), places

    def score_by(
        self,
        road: str,
        questions: Sequence[str],
        options: Sequence[tuple[str, ...]],
        images: Sequence[Image | None],
        rows: int = ROWS,
    ) -> list[tuple[float, ...]]:
        """The same by one road: shared, padded or single. Raises NotShared where the first cannot be taken."""
        import torch

        from pstgen.models import scoring

        keys = [(question, of, id(image)) for question, of, image in zip(questions, options, images, strict=True)]
        groups: defaultdict[object, list[int]] = defaultdict(list)
        for n in {key: n for n, key in reversed(list(enumerate(keys)))}.values():  # what is asked twice is scored once
            groups[images[n] is None].append(n)
        scores: dict[tuple[str, tuple[str, ...], int], tuple[float, ...]] = {}
        first = {id(image): n for n, image in reversed(list(enumerate(images)))}
        with torch.inference_mode():
            for places in groups.values():
                places.sort(
                    key=lambda n: first[keys[n][2]]
                )  # an image's questions side by side, in an order that repeats
                prompts = [self._prompt(questions[n], options[n], images[n]) for n in places]
                if road == "shared":
                    results = list(scoring.within_memory(partial(scoring.by_shared_prefix, self), prompts, rows))
                else:
                    results = scoring.by_generation(self, prompts, rows if road == "padded" else 1)
                scores |= {keys[n]: row for n, row in zip(places, results, strict=True)}
        return [scores[key] for key in keys]

    def score_texts(
        self, texts: Sequence[str], endings: Sequence[Sequence[str]], rows: int = ROWS
    ) -> list[tuple[float, ...]]:
        """Log-probability of each text's endings after it, plain text without any template."""
        import torch

        from pstgen.models import scoring

        ids = self.chat.tokenizer
        prompts = []
        for text, own in zip(texts, endings, strict=True):
            before, *wholes = ids([text, *(text + ending for ending in own)])["input_ids"]
            prompts.append(scoring.Prompt(text, tuple(tuple(whole[len(before) :]) for whole in wholes), None))
        with torch.inference_mode():
            try:
                return list(scoring.within_memory(partial(scoring.by_shared_prefix, self), prompts, rows))
            except scoring.NotShared:
                return scoring.by_generation(self, prompts, rows)

    def _prompt(self, question: str, options: Sequence[str], image: Image | None) -> Any:
        from pstgen.models.scoring import Prompt

        text = self.chat.text(question, with_image=image is not None)
        return Prompt(text, tuple(map(tuple, self.chat.answer_ids(text, options))), image)

    def tokens(self, answer: str, question: str = "", *, with_image: bool = False) -> list[int]:
        """The answer's tokens as they follow the prompt."""
        return self.chat.answer_ids(self.chat.text(question, with_image=with_image), [answer])[0]

    def inputs(self, texts: Sequence[str], images: Sequence[Image | None]) -> dict[str, Any]:
        """What the model gets of whole prompts, padded on the left, on its device and in its type."""
        import torch

        if images[0] is None and getattr(getattr(self.model, "model", None), "rope_deltas", None) is not None:
            self.model.model.rope_deltas = None  # an image's before would move the words
        takes = self._takes
        encoded = self.chat.encode(texts, images)
        dtype = self.model.dtype
        return {
            name: value.to(self.device, dtype if torch.is_floating_point(value) else None)
            if torch.is_tensor(value)
            else value
            for name, value in encoded.items()
            if name != "token_type_ids" or name in takes
        }

    @cached_property
    def _takes(self) -> frozenset[str]:
        """Names of what the model's forward pass takes."""
        import inspect

        return frozenset(inspect.signature(self.model.forward).parameters)

    def next_token_logprobs(
        self, prefixes: Sequence[tuple[int, tuple[int, ...]]], questions: Sequence[str], images: Sequence[Image | None]
    ) -> Any:
        """(prefixes, 1 + longest, vocabulary): log-probabilities after the prompt, and after each further token of the prefix.

        prefixes: the number of a question and its image, and the first tokens of an answer to it. Gradients flow through it.
        """
        import torch

        texts = [self.chat.text(questions[n], with_image=images[n] is not None) for n, _ in prefixes]
        inputs = self.inputs(texts, [images[n] for n, _ in prefixes])
        longest = max(len(prefix) for _, prefix in prefixes)
        ids = torch.zeros((len(prefixes), longest), dtype=torch.long, device=self.device)
        mask = torch.zeros_like(ids)
        for k, (_, prefix) in enumerate(prefixes):
            ids[k, : len(prefix)] = torch.tensor(prefix, dtype=torch.long)
            mask[k, : len(prefix)] = 1
        shape = inputs["input_ids"].shape
        lengthened = {name: _lengthened(name, value, shape, longest) for name, value in inputs.items()}
        lengthened["input_ids"] = torch.cat([inputs["input_ids"], ids], dim=1)
        lengthened["attention_mask"] = torch.cat([inputs["attention_mask"], mask], dim=1)
        if (
            self.kind == "text" and "position_ids" in self._takes
        ):  # padding on the left moves those of learned positions
            lengthened["position_ids"] = (lengthened["attention_mask"].cumsum(-1) - 1).clamp(min=0)
        return (
            self.model(**lengthened, use_cache=False, logits_to_keep=longest + 1).logits.float().log_softmax(-1).cpu()
        )

    def generate(self, questions: Sequence[str], images: Sequence[Image | None], most: int) -> list[str]:
        """The model's greedy answer to each question, at most `most` tokens, up to its end of text."""
        import torch

        from pstgen.models import scoring

        answers: list[str] = [""] * len(questions)

        def call(places: Sequence[int]) -> list[str]:
            texts = [self.chat.text(questions[n], with_image=images[n] is not None) for n in places]
            inputs = self.inputs(texts, [images[n] for n in places])
            ids = self.model.generate(
                **inputs, max_new_tokens=most, do_sample=False, pad_token_id=self.tokenizer.pad_token_id
            )
            new = ids[:, inputs["input_ids"].shape[1] :]
            return [str(text).strip() for text in self.tokenizer.batch_decode(new, skip_special_tokens=True)]

        with torch.inference_mode():
            rows = ROWS if self.checked.padded else 1
            for _, places in self._by_road(images):
                for n, text in zip(places, scoring.within_memory(call, places, rows), strict=True):
                    answers[n] = text
        return answers


def _lengthened(name: str, value: Any, shape: Any, more: int) -> Any:
    """An input that has one entry a token, with entries for more tokens, which are text."""
    import torch

    if not torch.is_tensor(value) or value.shape[:2] != shape or not more or name in {"input_ids", "attention_mask"}:
        return value
    last = value[:, -1:]
    new = torch.zeros_like(last) if name == "mm_token_type_ids" else last
    return torch.cat([value, new.expand(-1, more, *new.shape[2:])], dim=1)


def open_checked(name: str, kind: Kind = "image-text-to-text", options: ModelOptions | None = None) -> Model:
    """A model that is loaded and has passed its check. Raises Unavailable where it does not."""
    model = Model(name, kind=kind, options=options)
    logging.getLogger("pstgen").info("%s: %s", name, model.checked)
    return model
