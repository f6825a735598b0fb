"""Several servers of one model, as of vLLM on every node: requests go to the idlest, and a dead server's to the others."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pstgen.core.records import BadInput, Unavailable
from pstgen.models.endpoint import Endpoint, Offer, Served, StatusError
from pstgen.models.endpoint_limits import LimitReached, Limits, Meter
from pstgen.models.endpoint_replies import Reply

LOG = logging.getLogger("pstgen")
RETRIES = 2  # of a request at one server, before it goes to another
REST = 60.0  # seconds after which a dead server gets a request again, to see whether it is back
QUESTIONS = frozenset({400, 413, 422})  # statuses by which the question is at fault: no other server would take it


@dataclass(eq=False)
class _Member:
    """A server. waiting: requests that it has; rests: until when, in seconds of the monotonic clock, 0 where it lives.

    known: was it seen to serve the model that the others do, since it was last lost?
    """

    endpoint: Endpoint
    waiting: int = 0
    rests: float = 0.0
    known: bool = False


class Fleet(Served):
    """Servers of one model, which keep to the limits together, but to the concurrency each.

    Verdicts are kept under the first address: whether others join it or leave changes nothing. Raises BadInput where an
    address is none.
    """

    def __init__(
        self, urls: Sequence[str], name: str, limits: Limits | None = None, key_variable: str = "OPENAI_API_KEY"
    ) -> None:
        super().__init__()
        self.name = name
        self.limits = limits or Limits()
        self.spent = Meter(self.limits)
        few = replace(self.limits, retries=min(self.limits.retries, RETRIES))
        self._members = [_Member(Endpoint(url, name, few, key_variable, self.spent)) for url in dict.fromkeys(urls)]
        self.url = self._members[0].endpoint.url
        self._turn = 0

    @cached_property
    def _offer(self) -> Offer:
        """What all offer. Raises Unavailable where none answers, BadInput where they serve different models."""
        found = self._run(self._look())
        offers = {
            member.endpoint.url: of for member, of in zip(self._members, found, strict=True) if isinstance(of, Offer)
        }
        for member, problem in zip(self._members, found, strict=True):
            if isinstance(problem, Unavailable) and offers:
                self._lost(member, problem)
            elif isinstance(problem, BaseException):
                raise problem
        (first, offer), *others = offers.items()
        for url, other in others:
            if other.identity != offer.identity:
                raise BadInput(f"{first} and {url} serve different models: {offer.identity}, {other.identity}")
        for member in self._members:
            member.known = member.endpoint.url in offers
        blind = next((of.blind for of in offers.values() if of.blind), "")
        return Offer(top=min(of.top for of in offers.values()), blind=blind, identity=offer.identity)

    async def _look(self) -> list[Offer | BaseException]:
        return await asyncio.gather(*(member.endpoint.look() for member in self._members), return_exceptions=True)

    async def ask(self, question: str, image: str | None, most: int, top: int = 0) -> Reply:
        """The reply of whichever server gives one. Raises Unavailable where none does, or the question is what is wrong."""
        tried: dict[_Member, Unavailable] = {}
        while member := self._next(tried):
            member.waiting += 1
            try:
                await self._recognize(member)
                reply = await member.endpoint.ask(question, image, most, top)
            except LimitReached:
                raise
            except Unavailable as error:
                if isinstance(error, StatusError) and error.status in QUESTIONS:
                    raise
                self._lost(member, error)
                tried[member] = error
            else:
                member.rests = 0.0
                return reply
            finally:
                member.waiting -= 1
        problems = "; ".join(map(str, tried.values()))
        raise Unavailable(f"none of {len(self._members)} servers answers: {problems}")

    async def _recognize(self, member: _Member) -> None:
        """Look at a server that comes back. Raises Unavailable where it serves another model now."""
        if not member.known:
            found = await member.endpoint.look()
            if found.identity != self._offer.identity:
                raise Unavailable(f"{member.endpoint.url}: serves another model now: {found.identity}")
            member.known = True

    def _next(self, tried: Collection[_Member]) -> _Member | None:
        """The server with the fewest requests, in turn; one that rests only when its time is over, or nobody else is left."""
        left = [member for member in self._members if member not in tried]
        now = time.monotonic()
        lives = [member for member in left if member.rests <= now] or left
        if not lives:
            return None
        self._turn += 1
        chosen = min(
            lives, key=lambda member: (member.waiting, (self._members.index(member) - self._turn) % len(self._members))
        )
        if chosen.rests:
            chosen.rests = now + REST  # one request alone tries whether it is back
        return chosen

    def _lost(self, member: _Member, error: Unavailable) -> None:
        if not member.rests:
            LOG.warning("%s; its requests go to the other servers", error)
        member.rests, member.known = time.monotonic() + REST, False
