"""What became of everything on the way: the funnel of a run, and what was turned away, by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One record of the source that was left out: which file, which record, and why."""

    file: str
    record: str
    reason: str


@dataclass(slots=True)
class Refusals:
    """What was turned away so far. The one record that grows: it goes down the road beside the others.

    records: source records in the order of their refusal (a dict for its keys: a source is read more than once).
    facts: unknown facts, counted by family and reason. edits: edits that were not made or not good enough, by edit and
    reason.
    """

    records: dict[Refusal, None] = field(default_factory=dict)
    facts: Counter[tuple[str, str]] = field(default_factory=Counter)
    edits: Counter[tuple[str, str]] = field(default_factory=Counter)

    def record(self, file: str, record: str, reason: str) -> None:
        """Name a record of the source that is left out; the same one is named once. Of a file elsewhere only the name is kept.

        >>> refused = Refusals()
        >>> refused.record("/home/me/1.jpg", "image 1", "is no image")
        >>> [refusal.file for refusal in refused.records]
        ['1.jpg']
        """
        path = PureWindowsPath(file)  # it knows both kinds of slashes
        elsewhere = path.root or ".." in path.parts
        self.records[Refusal(file=path.name if elsewhere else file, record=record, reason=reason)] = None

    def add(self, other: Refusals) -> None:
        """Add what was turned away elsewhere."""
        self.records |= other.records
        self.facts += other.facts
        self.edits += other.edits


@dataclass(slots=True)
class Report:
    """The funnel: how many of what came to each station, by family (or source), and what was turned away.

    dropped: pairs that fooled every judge and were not kept, by family and reason. notes: what the user should know of
    this run, a line each. models: of judges that are models, how they are asked and what was found of them. captioned: scenes for items that have captions, or need none. judged: verdicts of models, which are kept in the cache.
    """

    stations: dict[str, Counter[str]] = field(default_factory=dict)
    refused: Refusals = field(default_factory=Refusals)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    captioned: int = 0
    judged: int = 0

    def add(self, other: Report) -> None:
        """Add what became of other scenes."""
        for station, names in other.stations.items():
            self.stations.setdefault(station, Counter()).update(names)
        self.refused.add(other.refused)
        self.dropped.update(other.dropped)
        self.notes += other.notes
        self.models |= other.models
        self.captioned += other.captioned
        self.judged += other.judged

    def count(self, station: str, names: Iterable[str]) -> None:
        """Add one at the station for every name."""
        self.stations.setdefault(station, Counter()).update(names)
