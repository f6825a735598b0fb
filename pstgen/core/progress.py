"""How far work is: what the stations of a run report to, and what shows nothing."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Shows how far a run is. Steps are announced first, so that the time left of the whole run can be estimated."""

    def plan(self, steps: Sequence[tuple[str, float]], /) -> None:
        """Announce the steps of the run in their order, each with its usual share of the time (they need not sum to one)."""
        ...

    def __call__(self, things: Iterable[T], step: str, total: int | None = None, /) -> Iterable[T]:
        """Pass `things` through as the work of `step`; the step ends when they end. total: how many, where that is known."""
        ...

    def reach(self, step: str, done: int, total: int, /) -> None:
        """Say how far a step is whose things do not pass through."""
        ...

    def note(self, line: str, /) -> None:
        """Show one line that the user should read, whatever is shown of progress."""
        ...


class Silent:
    """Shows nothing."""

    def plan(self, steps: Sequence[tuple[str, float]], /) -> None:
        """Take note of nothing."""

    def __call__(self, things: Iterable[T], step: str, total: int | None = None, /) -> Iterable[T]:  # noqa: ARG002
        """Pass `things` through."""
        return things

    def reach(self, step: str, done: int, total: int, /) -> None:
        """Show nothing."""

    def note(self, line: str, /) -> None:
        """Show nothing."""


silent = Silent()
