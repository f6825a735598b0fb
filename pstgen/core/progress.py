"""How far a run is: what its stations report to, and a version that shows nothing."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Shows how far a run is. Steps are announced first, so that the time left of the whole run can be estimated."""

    def plan(self, steps: Sequence[tuple[str, float]], /) -> None:
        """Announce the steps of the run in their order, each with its usual share of the time (they need not sum to one)."""
        ...

    def __call__(self, items: Iterable[T], step: str, total: int | None = None, /) -> Iterable[T]:
        """Pass `items` through as the work of `step`; the step ends when they do. total: how many, where that is known."""
        ...

    def reach(self, step: str, done: int, total: int, /) -> None:
        """Say how far a step is whose items are not passed through."""
        ...

    def note(self, line: str, /) -> None:
        """Show one line that the user should read, even where no progress is shown."""
        ...


class Silent:
    """Shows nothing."""

    def plan(self, steps: Sequence[tuple[str, float]], /) -> None:
        """Show nothing."""

    def __call__(self, items: Iterable[T], step: str, total: int | None = None, /) -> Iterable[T]:  # noqa: ARG002
        """Pass `items` through."""
        return items

    def reach(self, step: str, done: int, total: int, /) -> None:
        """Show nothing."""

    def note(self, line: str, /) -> None:
        """Show nothing."""


silent = Silent()
