"""audit.jsonl: what people say of labels, a line each; and what that says of pairs."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import multimode
from typing import Literal

import msgspec

from pstgen.core import locks, reading
from pstgen.core.records import BadInput, Unavailable
from pstgen.verification.findings import Proportion

FILE = "audit.jsonl"
Rating = Literal["right", "wrong", "ambiguous"]


class Annotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of audit.jsonl: what one person says of one item's label. Lines are added, never changed.

    verdict: "undo" takes back the last verdict of this person on this item that stands. seed: of the sample.
    manifest: the seal of the dataset that it is about.
    """

    item: str
    pair: str
    family: str
    who: str
    verdict: Rating | Literal["undo"]
    seed: int
    manifest: str


def read(path: Path) -> list[Annotation]:
    """Every whole line, in order. Without a file there are none; half a line at the end, cut off by a crash, does not count.

    Raises BadInput naming the line that is not an annotation, Unavailable where the file cannot be read.
    """
    try:
        data = reading.content(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read: {error.strerror}") from error
    return [_annotation(path, n, line) for n, line in enumerate(data.split(b"\n")[:-1], 1)]


def _annotation(path: Path, number: int, line: bytes) -> Annotation:
    try:
        return msgspec.json.decode(line, type=Annotation)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: line {number} is not a verdict: {error}; mend it or take it out") from None


def append(path: Path, *annotations: Annotation) -> None:
    """Add lines and flush them to the disk, whoever else does; what a crash left half written is cut off first.

    Raises Unavailable where the file cannot be written, or is a link.
    """
    try:
        with locks.open_lines(path) as file:
            locks.append(file, b"".join(msgspec.json.encode(annotation) + b"\n" for annotation in annotations))
            os.fsync(file.fileno())
    except OSError as error:
        raise Unavailable(f"{path}: cannot be written: {error.strerror}") from error


def standing(annotations: Sequence[Annotation]) -> list[Annotation]:
    """Those that stand, in the order in which they were given: one per person and item, the last that was not taken back."""
    given: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for n, annotation in enumerate(annotations):
        stack = given[annotation.who, annotation.item]
        if annotation.verdict != "undo":
            stack.append(n)
        elif stack:
            stack.pop()
    return [annotations[n] for n in sorted(stack[-1] for stack in given.values() if stack)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRates:
    """How many pairs have a wrong label among their twins', how many an ambiguous one, and how many either."""

    wrong: Proportion
    ambiguous: Proportion
    doubtful: Proportion

    def __str__(self) -> str:
        """All three in words."""
        n = self.wrong.total
        return (
            f"{n:,} pair{'s' * (n != 1)}: with a wrong label {self.wrong}, with an ambiguous one {self.ambiguous}, "
            f"with either {self.doubtful}"
        )


def rate_pairs(annotations: Sequence[Annotation], confidence: float) -> PairRates | None:
    """What the annotations that stand say of whole pairs, of the twins that were judged; None where none stands.

    A label is what most people say of it, and ambiguous where no rating has the most votes.
    """
    votes: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for annotation in standing(annotations):
        votes[annotation.pair, annotation.item].append(annotation.verdict)
    if not votes:
        return None
    pairs: defaultdict[str, set[str]] = defaultdict(set)
    for (pair, _), ratings in votes.items():
        most = multimode(ratings)
        pairs[pair].add(most[0] if len(most) == 1 else "ambiguous")
    wrong, ambiguous, doubtful = (
        Proportion.from_hits([not kinds.isdisjoint(found) for found in pairs.values()], confidence)
        for kinds in ({"wrong"}, {"ambiguous"}, {"wrong", "ambiguous"})
    )
    return PairRates(wrong=wrong, ambiguous=ambiguous, doubtful=doubtful)
