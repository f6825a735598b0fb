"""One line that says how far a run is and when it will be done: on a terminal a bar, elsewhere a line now and then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, TypeVar

T = TypeVar("T")

LOG = logging.getLogger("pstgen.progress")  # what is shown is for a log file too
BEAT = 15.0  # seconds between two lines where there is no terminal
TRUST = 0.2  # of the planned seconds: how much they weigh beside the speed so far
REFRESH = 0.2  # seconds between two looks of a bar


@dataclass
class Step:
    """One step of a run. seconds: about how many it takes, only their ratio matters; total: things to do, 0 unknown."""

    name: str
    seconds: float = 0.0
    total: int = 0
    done: int = 0
    begun: float = 0.0
    took: float | None = None


class State:
    """How far a run is. clock: seconds, always growing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.begun = clock()  # of the run
        self.steps: dict[str, Step] = {}
        self.planned = False
        self.current: Step | None = None

    def plan(self, steps: Sequence[tuple[str, float]]) -> None:
        """Take the run's next steps, unless some are at work: a run inside a step of another one is that step."""
        if not any(step.seconds and step.begun and step.took is None for step in self.steps.values()):
            self.planned = True
            self.steps = {name: Step(name, seconds) for name, seconds in steps if seconds > 0}

    def begin(self, name: str, total: int) -> Step:
        """Begin a step, or go on with it."""
        step = self.steps.setdefault(name, Step(name))
        if step.took is not None or not step.begun:
            step.begun, step.took, step.done = self.clock(), None, 0
        step.total = total
        self.current = step
        return step

    def end(self, step: Step) -> None:
        """The step is done; so are those planned before it, if it was planned itself: they had nothing to do."""
        step.took = self.clock() - step.begun
        names = list(self.steps)
        for name in names[: names.index(step.name) if step.seconds else 0]:
            if not self.steps[name].begun:
                self.steps[name].took = 0.0

    def share(self) -> float | None:
        """Which share of the planned work is done; None where that is not known."""
        whole = sum(step.seconds for step in self.steps.values())
        if not whole or not self.planned:
            return _part(self.current) if self.current and self.current.total else None
        return sum(step.seconds * _part(step) for step in self.steps.values()) / whole

    def left(self) -> float | None:
        """Seconds until the end, as far as can be told: of steps at work by their own speed, of later ones by all of them."""
        active = [step for step in self.steps.values() if step.begun and step.took is None]
        if not active or not all(map(_part, active)):
            return None
        rest = [(self.clock() - step.begun) * (1 / _part(step) - 1) for step in active]
        begun = [step for step in self.steps.values() if step.begun and step.seconds]
        planned = sum(step.seconds * _part(step) for step in begun)
        spent = self.clock() - min(step.begun for step in begun) if begun else 0.0
        later = sum(step.seconds for step in self.steps.values() if not step.begun and step.took is None)
        plan = TRUST * sum(step.seconds for step in self.steps.values())  # as if so much of it had gone as planned
        return max(rest) + (later * (spent + plan) / (planned + plan) if planned + plan else 0.0)

    def line(self) -> str:
        """What is being done, how far, how long it took and will take."""
        step, gone = self.current, _clock(self.clock() - self.begun)
        if step is None:
            return gone
        far = f" {step.done:,} of {step.total:,}" if step.total else f" {step.done:,}" if step.done else ""
        others = sum(other.begun > 0 and other.took is None and other is not step for other in self.steps.values())
        beside = f" and {others} more at work" * (others > 0)
        names = [name for name, known in self.steps.items() if known.seconds]
        place = f"step {names.index(step.name) + 1} of {len(names)}, " if self.planned and step.seconds else ""
        left = self.left()
        return f"{step.name}{far}{beside} ({place}{gone}{f', about {_clock(left)} left' if left is not None else ''})"


def _part(step: Step) -> float:
    """Which share of a step is done."""
    if step.took is not None:
        return 1.0
    return min(1.0, step.done / step.total) if step.total else 0.0


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> _clock(75), _clock(3675)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Display:
    """Shows a state. Where nothing happens for a while a thread still shows that time passes."""

    def __init__(self, console: Any, *, verbose: bool = False) -> None:
        self.console, self.verbose, self.state = console, verbose, State()

    def plan(self, steps: Sequence[tuple[str, float]], /) -> None:
        """Take the run's steps."""
        self.state.plan(steps)

    def __call__(self, things: Iterable[T], step: str, total: int | None = None, /) -> Iterator[T]:
        """Pass `things` through as the work of `step`."""
        at = self.state.begin(step, total or 0)
        try:
            for thing in things:
                yield thing
                at.done += 1
        finally:
            self._end(at)

    def reach(self, step: str, done: int, total: int, /) -> None:
        """Say how far a step is whose things do not pass through."""
        known = self.state.steps.get(step)
        if known and known.took is not None and done >= total:
            return  # it was said before
        at = self.state.begin(step, total)
        at.done = done
        if done >= total:
            self._end(at)

    def note(self, line: str, /) -> None:
        """Print a line that the user should read."""
        LOG.info("%s", line)
        self.console.print(f"note: {line}", soft_wrap=not self.console.is_terminal)

    def _end(self, step: Step) -> None:
        if step.took is None:
            self.state.end(step)
            LOG.info("%s: %s in %s", step.name, f"{step.done:,}", _clock(step.took or 0))
            if self.verbose:
                line = f"{step.name}: {step.done:,} in {_clock(step.took or 0)}"
                self.console.print(line, soft_wrap=True)


@contextmanager
def shown(*, quiet: bool = False, verbose: bool = False) -> Iterator[Display]:
    """Give a display that is there for as long as the block: on stderr, so that stdout holds results alone."""
    from pstgen.cli.console import Console

    console = Console(stderr=True, quiet=quiet)
    display = Display(console, verbose=verbose)
    with nullcontext() if quiet else (_bar if console.is_terminal else _lines)(display):
        yield display


@contextmanager
def _bar(display: Display) -> Iterator[None]:
    from rich import progress

    columns = progress.BarColumn(bar_width=20), progress.TextColumn("{task.description}", markup=False)
    with progress.Progress(*columns, console=display.console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def look() -> None:
            share = display.state.share()
            bar.update(
                task, description=display.state.line(), total=None if share is None else 1.0, completed=share or 0
            )

        with _often(look, REFRESH):
            yield


@contextmanager
def _lines(display: Display) -> Iterator[None]:
    with _often(lambda: display.console.print(display.state.line(), soft_wrap=True), BEAT):
        yield


@contextmanager
def _often(look: Callable[[], None], seconds: float) -> Iterator[None]:
    """Call `look` every so many seconds in a thread of its own."""
    ended = Event()

    def repeat() -> None:
        while not ended.wait(seconds):
            look()

    thread = Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
