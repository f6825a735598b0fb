"""audit.jsonl: what people say of labels, a line each."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from pstgen.core.records import BadInput, Unavailable

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
        data = path.read_bytes()
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
    """Add lines and flush them to the disk; what a crash left half written is cut off first.

    Raises Unavailable where the file cannot be written.
    """
    try:
        with path.open("a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(b"".join(msgspec.json.encode(annotation) + b"\n" for annotation in annotations))
            file.flush()
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
