"""How hard a server is asked, and for how much; a meter keeps to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from pstgen.core.records import BadInput, Unavailable
from pstgen.models.endpoint_replies import Models, Reply, Usage

if TYPE_CHECKING:
    import httpx


class LimitReached(Unavailable):
    """What the user allows is spent: no server and no other question changes that."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one endpoint in one process; every try is counted, the probe's too. Prices are per million tokens."""

    concurrency: int = 8
    timeout: float = 120  # seconds, of each try
    retries: int = 6  # after the first try, half a second to 8 apart, or as long as the server says, up to two minutes
    per_second: float | None = None  # requests
    max_requests: int | None = None
    max_cost: float | None = (
        None  # kept unless a request costs more than any before; tries without a reply are not known
    )
    price_in: float = 0.0
    price_out: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be kept."""
        if self.max_cost is not None and not self.price_in + self.price_out > 0:
            raise BadInput("--max-cost needs --price-in or --price-out, per million tokens")
        if self.concurrency < 1 or self.retries < 0 or not self.timeout > 0 or min(self.price_in, self.price_out) < 0:
            raise BadInput("--concurrency must be 1 or more, --timeout above 0, retries and prices not negative")
        if self.per_second is not None and not self.per_second > 0:
            raise BadInput(f"--per-second {self.per_second:g}: must be above 0")


@dataclass
class Meter:
    """What was sent and spent. Used in the event loop alone, where only one task runs at a time."""

    limits: Limits
    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    _dearest: float = 0.0
    _free_at: float = 0.0
    _open: set[Any] = field(default_factory=set, repr=False)  # tasks that wait for a reply

    async def before(self, _request: httpx.Request) -> None:
        """Wait for a turn. Raises OpenAIError, which the client passes on at once, where a limit would be passed."""
        from openai import OpenAIError

        if self.limits.per_second is not None:
            now = asyncio.get_running_loop().time()
            turn = max(now, self._free_at)
            self._free_at = turn + 1 / self.limits.per_second
            await asyncio.sleep(turn - now)
        self._open.add(asyncio.current_task())
        if self.limits.max_requests is not None and self.requests >= self.limits.max_requests:
            raise OpenAIError(f"--max-requests {self.limits.max_requests} is reached: {self.spent}")
        if self.limits.max_cost is not None and self.cost + len(self._open) * self._dearest > self.limits.max_cost:
            raise OpenAIError(f"--max-cost {self.limits.max_cost:g} would be passed: {self.spent}")
        self.requests += 1

    async def after(self, response: httpx.Response) -> None:
        """Check a reply's shape and count it; a wrong one is a broken connection to the client, and tried again."""
        import httpx
        from openai import OpenAIError

        try:
            async with asyncio.timeout(self.limits.timeout):  # a reply that drips is late, too
                await response.aread()
        except TimeoutError:
            raise httpx.ReadTimeout("the reply did not end in time", request=response.request) from None
        if response.status_code != httpx.codes.OK:
            return
        try:
            reply = msgspec.json.decode(response.content, type=Models if response.request.method == "GET" else Reply)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problem = f"200, but not what was asked for: {error}: {response.text.strip() or 'nothing'}"
            raise httpx.RemoteProtocolError(problem, request=response.request) from None
        if isinstance(reply, Reply) and reply.usage:
            self._count(reply.usage)
        elif isinstance(reply, Reply) and self.limits.max_cost is not None:
            raise OpenAIError("--max-cost cannot be kept: the server does not say how many tokens it used")

    def done(self) -> None:
        """The task that runs waits for no reply any more."""
        self._open.discard(asyncio.current_task())

    @property
    def spent(self) -> str:
        """In words."""
        tokens = f"{self.tokens_in} tokens in and {self.tokens_out} out"
        return f"{self.requests} requests, {tokens}, at a cost of {self.cost:.4g}"

    def _count(self, usage: Usage) -> None:
        cost = usage.prompt_tokens * self.limits.price_in + usage.completion_tokens * self.limits.price_out
        self.tokens_in += usage.prompt_tokens
        self.tokens_out += usage.completion_tokens
        self.cost += cost / 1e6
        self._dearest = max(self._dearest, cost / 1e6)
        self.done()
