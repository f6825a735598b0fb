"""A model behind an OpenAI-compatible server (vLLM, SGLang, llama.cpp, `transformers serve`); nothing but its address is ever asked.

What vLLM takes beyond OpenAI's fields is left out, so that every server is sent the same: `logprob_token_ids` wants a
tokenizer's numbers, which no path below /v1 tells, and a structured choice changes the token that is drawn, not the
log-probabilities that are listed (unless vLLM was started otherwise, it lists those before its mask).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from pstgen.core.config import Way
from pstgen.core.records import BadInput, Unavailable
from pstgen.models.asking import lettered
from pstgen.models.endpoint_access import access
from pstgen.models.endpoint_limits import LimitReached, Limits, Meter
from pstgen.models.endpoint_replies import Image, Models, Reply, data_uri, letter_scores
from pstgen.models.parsing import LETTERS

if TYPE_CHECKING:
    import httpx

__all__ = ["Endpoint", "Limits", "Offer", "Served", "StatusError"]
T = TypeVar("T")
QUESTION = lettered("Is there a dog?", ("yes", "no"))  # the probe's
GREY = np.full((64, 64, 3), 128, np.uint8)  # the probe's image: some processors refuse a side below 28 pixels
TOPS = (20, 5)  # log-probabilities a token: what OpenAI and vLLM list at most, then what others do
REJECTED = frozenset({400, 422})  # statuses of a field that is not taken
DENIED = frozenset({401, 403})  # statuses of a key that is not taken
MESSAGE = 200  # characters of what a server says
VOLATILE = frozenset({"object", "created", "permission"})  # of /models: differs between two looks at one model


class StatusError(Unavailable):
    """The server's answer was an error, and stayed one."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a server turned out to offer. top: log-probabilities a token, 0 for none; blind: why it takes no image, else ""."""

    top: int
    blind: str
    identity: str


class Served:
    """A model that is asked over HTTP, by letters or in its own words; implements `Answering`. Of no use by letters where it thinks first.

    url: the address that its verdicts are kept under.
    """

    chats = True
    name: str
    url: str

    def __init__(self) -> None:
        self._loop = _loop()

    @cached_property
    def _offer(self) -> Offer:
        raise NotImplementedError

    async def ask(self, question: str, image: str | None, most: int, top: int = 0) -> Reply:
        """The reply to a question about an image, a data URI; at most `most` tokens, each with its `top` likeliest."""
        raise NotImplementedError

    def probe(self) -> Offer:
        """Find out, once, what the server offers. Raises Unavailable where it does not answer a plain question."""
        return self._offer

    @property
    def revision(self) -> str:
        """The name that the server reports, and what /models says of it; neither its address nor a key."""
        return self._offer.identity

    @property
    def offers_logprobs(self) -> bool:
        """Can it be asked by letters?"""
        return self._offer.top > 0

    @property
    def ways(self) -> tuple[Way, ...]:
        """In which it can be asked."""
        return ("letters", "generate") if self.offers_logprobs else ("generate",)

    def score(
        self, questions: Sequence[str], options: Sequence[tuple[str, ...]], images: Sequence[Image | None], /
    ) -> list[tuple[float, ...]]:
        """Log-probability of every letter as the first token of the answer."""
        if any(len(option) != 1 or option not in LETTERS for of_question in options for option in of_question):
            raise BadInput("an endpoint is asked by letters or in its own words: --ask letters, or --ask generate")
        if not self.offers_logprobs:
            raise Unavailable(f"{self.url}: the server offers no log-probabilities; use --ask generate")
        replies = self._replies(questions, images, 1, self._offer.top)
        if not all(reply.first_tokens for reply in replies):
            raise Unavailable(f"{self.url}: the server left out log-probabilities; use --ask generate")
        return [letter_scores(reply.first_tokens, of) for reply, of in zip(replies, options, strict=True)]

    def generate(self, questions: Sequence[str], images: Sequence[Image | None], most: int, /) -> list[str]:
        """The greedy answer to every question, at most `most` tokens; a refusal is one."""
        return [reply.text for reply in self._replies(questions, images, most)]

    def _replies(
        self, questions: Sequence[str], images: Sequence[Image | None], most: int, top: int = 0
    ) -> list[Reply]:
        """In the order of the questions; where one fails, the others are cancelled before its error is raised."""
        if self._offer.blind and any(image is not None for image in images):
            raise Unavailable(f"{self.url}: the server takes no images: {self._offer.blind}")
        encoded = {id(image): data_uri(image) for image in images if image is not None}
        uris = [encoded.get(id(image)) for image in images]
        return self._run(
            _together([self.ask(question, uri, most, top) for question, uri in zip(questions, uris, strict=True)])
        )

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        running = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return running.result()
        finally:
            running.cancel()  # where an interrupt ended the wait; else it is done, and nothing is left to cancel


class Endpoint(Served):
    """One server. The key is read from the environment and only sent; the user:password of an address is sent instead of it.

    spent: of several servers that keep to the limits together, or None for a meter of its own.
    """

    def __init__(
        self,
        url: str,
        name: str,
        limits: Limits | None = None,
        key_variable: str = "OPENAI_API_KEY",
        spent: Meter | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.limits = limits or Limits()
        self.spent = spent or Meter(self.limits)
        self._access = access(url, key_variable)
        self.url = self._access.url
        self._client = self._connect()
        self._slots = asyncio.Semaphore(self.limits.concurrency)

    @cached_property
    def _offer(self) -> Offer:
        return self._run(self.look())

    async def look(self) -> Offer:
        """What the server offers, asked anew. Raises Unavailable where it does not answer a plain question."""
        models = await self._models()
        text, top = await self._first_reply()
        blind = ""
        try:
            seen = await self.ask(QUESTION, data_uri(GREY), 1, top)
        except Unavailable as error:
            blind = str(error).removeprefix(f"{self.url}: ")
        else:
            top = top if seen.first_tokens else 0
            if text.usage and seen.usage and seen.usage.prompt_tokens == text.usage.prompt_tokens > 0:
                blind = "with one, its prompt is no longer than without"
        entry = next((one for one in models.data or [] if one.get("id") in {self.name, text.model}), {})
        known = {name: value for name, value in entry.items() if name not in VOLATILE and value is not None}
        identity = f"{text.model or self.name} {json.dumps(known, sort_keys=True)}"
        return Offer(top=top, blind=blind, identity=self._access.redacted(identity))

    async def _models(self) -> Models:
        """What /models lists; nothing where there is no such page (that of `transformers serve` breaks without a cache)."""
        import httpx

        try:
            tries = {"max_retries": min(1, self.limits.retries)}  # whoever mistyped the address wants to know soon
            page = await self._sent(self._client.get("/models", cast_to=httpx.Response, options=tries))
        except StatusError as error:
            if error.status in DENIED:
                raise
            return Models()
        return msgspec.json.decode(page.content, type=Models)

    async def _first_reply(self) -> tuple[Reply, int]:
        """To a plain question, with as many log-probabilities as the server takes."""
        for top in TOPS:
            try:
                reply = await self.ask(QUESTION, None, 1, top)
            except StatusError as error:
                if error.status not in REJECTED:
                    raise
            else:
                return reply, top if reply.first_tokens else 0
        return await self.ask(QUESTION, None, 1), 0

    async def ask(self, question: str, image: str | None, most: int, top: int = 0) -> Reply:
        """The reply, after as many tries as the limits say. Raises Unavailable in one line, LimitReached where a limit is."""
        import httpx

        shown = [{"type": "image_url", "image_url": {"url": image}}, {"type": "text", "text": question}]
        body = {
            "model": self.name,
            "messages": [{"role": "user", "content": shown if image else question}],
            "max_tokens": most,
            "temperature": 0,
            **({"logprobs": True, "top_logprobs": top} if top else {}),
        }
        async with self._slots:
            page = await self._sent(self._client.post("/chat/completions", cast_to=httpx.Response, body=body))
        return msgspec.json.decode(page.content, type=Reply)

    async def _sent(self, request: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
        """Raises Unavailable in one line, without the client's own error: that has the headers in it."""
        from openai import APIStatusError, OpenAIError

        try:
            return await request
        except (OpenAIError, ValueError) as error:  # a host or a text that cannot be encoded is a ValueError
            limited = type(error) is OpenAIError  # the meter's own
            status = error.status_code if isinstance(error, APIStatusError) else None
            problem = f"{self.url}: {self._problem(error)}"
        finally:
            self.spent.done()
        if limited:
            raise LimitReached(problem)
        raise Unavailable(problem) if status is None else StatusError(problem, status)

    def _problem(self, error: Exception) -> str:
        """One line of what went wrong, in the server's words where it had any."""
        import openai

        if isinstance(error, openai.APIStatusError):
            said = f"{error.status_code} {_message(error.body)}"
        elif isinstance(error, openai.APITimeoutError):
            said = f"no answer within {self.limits.timeout:g} s"
        elif isinstance(error, openai.APIConnectionError):
            said = str(error.__cause__) or type(error.__cause__).__name__
        else:  # a limit's, above all
            said = str(error)
        line = next(iter(self._access.redacted(said).strip().splitlines()), "")
        tries = 1 + _retries(error)
        return "".join(filter(str.isprintable, line))[:MESSAGE] + (f" (after {tries} tries)" if tries > 1 else "")

    def _connect(self) -> Any:
        """The client: it retries with growing pauses, and follows no redirect, since that leads to another address."""
        import httpx

        try:
            from openai import AsyncOpenAI
        except ImportError:
            raise Unavailable("an endpoint needs the package openai: pip install 'pstgen[endpoint]'") from None
        for name in ("openai", "httpx", "httpcore"):  # below a warning they quote headers, and a line a request
            logger = logging.getLogger(name)
            logger.setLevel(max(logger.level, logging.WARNING))
        once = httpx.Limits(max_keepalive_connections=0)  # so no question meets a connection that was just closed
        hooks: Any = {"request": [self.spent.before], "response": [self.spent.after]}
        http_client = httpx.AsyncClient(event_hooks=hooks, limits=once)
        try:
            return AsyncOpenAI(
                api_key=self._access.key,
                base_url=self.url,
                default_headers=self._access.headers,
                max_retries=self.limits.retries,
                timeout=self.limits.timeout,
                http_client=http_client,  # type: ignore[arg-type]
            )
        except Exception as error:  # noqa: BLE001 # of a host that cannot be one, each library raises its own
            raise BadInput(f"{self.url}: not a server's address: {error}") from None


async def _together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as failed:
        first = failed.exceptions[0]
    else:
        return [task.result() for task in tasks]
    raise first


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """One for all endpoints, in a thread that ends with the process: a caller may have its own, as in a notebook."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name="endpoints", daemon=True).start()
    return loop


def _retries(error: Exception) -> int:
    """How often the client tried again: it notes that in every request."""
    request = getattr(error, "request", None)
    return int(request.headers.get("x-stainless-retry-count", 0)) if request else 0


def _message(body: object) -> str:
    if isinstance(body, dict):
        return str(body.get("message") or body.get("detail") or body.get("error") or body)
    return str(body or "")
