"""From a question to a model's inputs: the processor's own chat template, special tokens once, and how an answer goes on from there."""

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import cached_property
from threading import Thread
from typing import Any

import numpy as np

from pstgen.core.records import BadInput

Image = Any  # (H, W, 3) uint8

PLAIN = "USER: {image}{question} ASSISTANT:"  # where there is no template
PROBE = "Is there a dog in the picture?"
LONGEST = 5  # seconds that a template may take to write its first prompt
BLANK = np.full((64, 96, 3), 128, np.uint8)
OPEN, CLOSED = "<think>", "\n\n</think>\n\n"
NO_THOUGHT = {"enable_thinking": False, "thinking": False}  # templates ignore what they do not know
NOT_INPUTS = ("labels",)  # of a processor, that are for training


class Chat:
    """Wraps questions as a model's processor does, and encodes them. sees: does it take images?

    Raises BadInput where its template takes no question.
    """

    def __init__(self, name: str, processor: Any, config: Any, *, sees: bool) -> None:
        self.name, self.processor, self.sees = name, processor, sees
        self.tokenizer = getattr(processor, "tokenizer", processor)
        self.tokenizer.padding_side = "left"
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token or self.tokenizer.unk_token
        self.template: str | None = getattr(processor, "chat_template", None) or self.tokenizer.chat_template
        self.image_token_id = getattr(config, "image_token_id", None) or getattr(config, "image_token_index", None)

    def text(self, question: str, *, with_image: bool) -> str:
        """The whole prompt, up to where the answer begins."""
        if not self.template:
            image = self._placeholder if with_image else ""
            return question if self._bare else PLAIN.format(image=image, question=question)
        rendered = self._rendered(self._content(question, with_image=with_image))
        if rendered.rfind(OPEN) > rendered.rfind(CLOSED.strip()):  # a model that would think aloud first
            rendered = rendered.rstrip() + CLOSED
        return rendered

    def encode(self, texts: Sequence[str], images: Sequence[Image | None]) -> dict[str, Any]:
        """Padded on the left: the inputs of the model, on the host. Either all of the rows have an image or none has."""
        options: dict[str, Any] = {"return_tensors": "pt", "padding": True}
        if not self._adds_special_tokens(texts[0]):
            options["add_special_tokens"] = False
        if images[0] is not None:
            encoded = self.processor(text=list(texts), images=[[_pil(image)] for image in images], **options)
        elif self._takes_no_image:
            encoded = self.processor(text=list(texts), **options)
        elif self._bare:  # what the processor would write around the words
            bos = self.tokenizer.bos_token or ""
            whole = [f"{bos}{text}{self._tail}" for text in texts]
            encoded = self.tokenizer(whole, **options | {"add_special_tokens": False})
        else:
            encoded = self.tokenizer(list(texts), **options)
        return {name: value for name, value in encoded.items() if name not in NOT_INPUTS}

    def ids(self, text: str) -> list[int]:
        """The tokens of a text; a placeholder stands for its image."""
        special = self._adds_special_tokens(text)
        tokens: list[int] = self.tokenizer(text, add_special_tokens=special)["input_ids"]
        return tokens

    def answer_ids(self, text: str, answers: Sequence[str]) -> list[list[int]]:
        """The tokens of each answer as it follows the prompt: both are tokenized together."""
        before = text + self._tail
        after = [f"{self._space}{answer}" for answer in answers]
        texts, special = [before, *(before + answer for answer in after)], self._adds_special_tokens(text)
        prompt, *wholes = self.tokenizer(texts, add_special_tokens=special)["input_ids"]
        return [
            whole[len(prompt) :]
            if whole[: len(prompt)] == prompt
            else self.tokenizer(answer, add_special_tokens=False)["input_ids"]
            for whole, answer in zip(wholes, after, strict=True)
        ]

    def official(self, question: str, image: Image | None) -> list[int] | None:
        """What `apply_chat_template(tokenize=True)` gives for a question; None where there is no template of the processor's."""
        if not getattr(self.processor, "chat_template", None) or (image is not None and self._takes_strings):
            return None
        content: Any = self._content(question, with_image=image is not None)
        if image is not None and isinstance(content, list):
            content[0] = {"type": "image", "image": _pil(image)}
        encoded = self.processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            **NO_THOUGHT,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        ids: list[int] = encoded["input_ids"][0].tolist()
        return ids

    def _adds_special_tokens(self, text: str) -> bool:
        bos = self.tokenizer.bos_token
        return not (self.template and ((bos and text.startswith(bos)) or not self.sees))

    def _rendered(self, content: Any) -> str:
        chat = [{"role": "user", "content": content}]
        options = {"chat_template": self.template, "tokenize": False, "add_generation_prompt": True}
        return str(self.processor.apply_chat_template(chat, **options, **NO_THOUGHT))

    def _rendered_in_time(self, content: Any) -> str:
        """The same, by a template that is not known yet: it may have no end. Raises TimeoutError."""
        done: Future[str] = Future()

        def render() -> None:
            try:
                done.set_result(self._rendered(content))
            except BaseException as error:  # noqa: BLE001 (it is raised where it is waited for)
                done.set_exception(error)

        Thread(target=render, daemon=True).start()  # one that has no end ends with the process
        try:
            return done.result(LONGEST)
        except FutureTimeout:
            raise TimeoutError(f"it had not ended after {LONGEST} seconds") from None

    def _content(self, question: str, *, with_image: bool) -> Any:
        if self._takes_strings:
            return f"{self._placeholder if with_image else ''}{question}"
        return [{"type": "image"}] * with_image + [{"type": "text", "text": question}]

    @cached_property
    def _takes_strings(self) -> bool:
        """Does the template take text as it is (language models), or a list of parts? Raises BadInput where neither works."""
        reason = "the question does not appear in what it writes"
        for strings in (False, True) if self.sees else (True, False):
            try:
                rendered = self._rendered_in_time(PROBE if strings else [{"type": "text", "text": PROBE}])
            except TimeoutError as error:
                raise BadInput(f"{self.name}: its chat template takes no question: {error}") from None
            except Exception as error:  # noqa: BLE001 (a template can raise anything at all)
                reason = " ".join(str(error).split())
                continue
            if PROBE in rendered and "'text'" not in rendered:
                return strings
        raise BadInput(f"{self.name}: its chat template takes no question: {reason}")

    @cached_property
    def _placeholder(self) -> str:
        """What stands for an image in a text without a template; nothing where the processor puts it there by itself."""
        token = getattr(self.processor, "image_token", "<image>")
        try:
            encoded = self.processor(text=[PROBE], images=[[_pil(BLANK)]], return_tensors="pt")
        except Exception:  # noqa: BLE001 (it may insist on the placeholder)
            return f"{token}\n"
        inserted = self.image_token_id is None or bool((encoded["input_ids"] == self.image_token_id).any())
        return "" if inserted else f"{token}\n"

    @cached_property
    def _bare(self) -> bool:
        """Does the processor make the prompt itself, as PaliGemma's does?"""
        return self.sees and not self.template and self._placeholder == ""

    @cached_property
    def _takes_no_image(self) -> bool:
        """Does the processor take a text alone?"""
        if not self.sees:
            return False
        try:
            self.processor(text=[self.text(PROBE, with_image=False)], return_tensors="pt")
        except Exception:  # noqa: BLE001 (some insist on an image)
            return False
        return True

    @cached_property
    def _last(self) -> int:
        """The last token of an encoded prompt."""
        image = BLANK if self.sees else None
        encoded = self.encode([self.text(PROBE, with_image=self.sees)], [image])
        return int(encoded["input_ids"][0, -1])

    @cached_property
    def _tail(self) -> str:
        """What the processor writes after the text, as PaliGemma's does."""
        ids = self.ids(self.text(PROBE, with_image=self.sees))
        return (
            "" if ids and ids[-1] == self._last else str(self.tokenizer.decode([self._last], skip_special_tokens=True))
        )

    @cached_property
    def _space(self) -> str:
        """A space before the answer, unless the prompt ends in one, in a new line or in a header."""
        end = self.text(PROBE, with_image=self.sees) + self._tail
        last = self.tokenizer(end, add_special_tokens=False)["input_ids"][-1]
        added = {*self.tokenizer.all_special_ids, *getattr(self.tokenizer, "added_tokens_decoder", {})}
        return "" if last in added or end[-1:].isspace() else " "


def _pil(image: Image) -> Any:
    from PIL.Image import fromarray

    return fromarray(np.asarray(image))
