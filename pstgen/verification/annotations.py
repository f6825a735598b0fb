"""audit.jsonl: what people say of labels, a line each, and what it comes to: error rates with bounds, and agreement."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Literal

import msgspec

from pstgen.core.records import BadInput, Unavailable

FILE = "audit.jsonl"
Word = Literal["right", "wrong", "ambiguous"]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of audit.jsonl: what one person says of one item's label. Lines are added, never changed.

    verdict: "undo" takes back the last verdict of this person on this item that stands. seed: of the sample.
    manifest: the seal of the dataset that it speaks of.
    """

    item: str
    pair: str
    family: str
    who: str
    verdict: Word | Literal["undo"]
    seed: int
    manifest: str


def read(path: Path) -> list[Line]:
    """Every whole line, in order; no file is no line, and a half one at the end, cut off by a crash, was never said.

    Raises BadInput naming the line that is none, Unavailable where the file cannot be read.
    """
    try:
        code = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read: {error.strerror}") from error
    return [_line(path, n, text) for n, text in enumerate(code.split(b"\n")[:-1], 1)]


def _line(path: Path, number: int, text: bytes) -> Line:
    try:
        return msgspec.json.decode(text, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: line {number} is no verdict: {error}; mend it or take it out") from None


def append(path: Path, *lines: Line) -> None:
    """Add lines and see them on the disk; what a crash left half written is cut off first.

    Raises Unavailable where it cannot be written.
    """
    try:
        with path.open("a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Unavailable(f"{path}: cannot be written: {error.strerror}") from error


def standing(lines: Sequence[Line]) -> list[Line]:
    """The verdicts that hold, in the order in which they were said: one a person and item, the last not taken back."""
    said: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for n, line in enumerate(lines):
        stack = said[line.who, line.item]
        if line.verdict != "undo":
            stack.append(n)
        elif stack:
            stack.pop()
    return [lines[n] for n in sorted(stack[-1] for stack in said.values() if stack)]


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` of `of`, and the exact (Clopper-Pearson) bounds of the share that they were drawn from."""

    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Of all that were looked at.

        >>> Rate(1, 4, 0.0, 0.8).share
        0.25
        """
        return self.count / self.of


def rate(hits: Sequence[bool], confidence: float) -> Rate:
    """Count the hits, at least one of which was drawn.

    >>> rate([False] * 100, 0.95).high  # 1 - 0.025 ** (1 / 100)
    0.0362...
    """
    from scipy.stats import binomtest

    bounds = binomtest(sum(hits), len(hits)).proportion_ci(confidence)
    return Rate(sum(hits), len(hits), float(bounds.low), float(bounds.high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an audit comes to.

    wrong, ambiguous: of labels. pairs_wrong: of pairs, those with a wrong label: twins are drawn together, so only pairs
    are draws of their own. by_family: (wrong, ambiguous) of each. agreement, kappa: means over two people each; None where
    no two judged the same label, or, of kappa, where all say one word and chance would make them agree too.
    """

    people: int
    wrong: Rate
    ambiguous: Rate
    pairs_wrong: Rate
    by_family: dict[str, tuple[Rate, Rate]]
    agreement: float | None
    kappa: float | None


def outcome(lines: Sequence[Line], confidence: float) -> Outcome | None:
    """Sum an audit up; None where no verdict stands. Each label has one vote a person: most of them decide.

    Where no word has more votes than every other, the label is ambiguous.
    """
    held = standing(lines)
    if not held:
        return None
    votes: defaultdict[str, list[Word]] = defaultdict(list)
    for line in held:
        votes[line.item].append(line.verdict)  # type: ignore[arg-type]  # no undo stands
    labels = {line.item: line for line in held}.values()
    words = {line.item: _most(votes[line.item]) for line in labels}
    families: defaultdict[str, list[Word]] = defaultdict(list)
    pairs: defaultdict[str, list[Word]] = defaultdict(list)
    for line in labels:
        families[line.family].append(words[line.item])
        pairs[line.pair].append(words[line.item])
    agreements, kappas = _agreement(held)
    return Outcome(
        people=len({line.who for line in held}),
        wrong=_of("wrong", words.values(), confidence),
        ambiguous=_of("ambiguous", words.values(), confidence),
        pairs_wrong=rate(["wrong" in twins for twins in pairs.values()], confidence),
        by_family={
            family: (_of("wrong", said, confidence), _of("ambiguous", said, confidence))
            for family, said in sorted(families.items())
        },
        agreement=fmean(agreements) if agreements else None,
        kappa=fmean(kappas) if kappas else None,
    )


def _of(word: Word, said: Iterable[Word], confidence: float) -> Rate:
    return rate([one == word for one in said], confidence)


def _most(votes: Sequence[Word]) -> Word:
    (first, most), *others = Counter(votes).most_common()
    return "ambiguous" if others and others[0][1] == most else first


def _agreement(held: Iterable[Line]) -> tuple[list[float], list[float]]:
    """Of each two people with a label in common: the share on which they say the same, and kappa where there is one."""
    by_person: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for line in held:
        by_person[line.who][line.item] = line.verdict
    agreements, kappas = list[float](), list[float]()
    for one, other in combinations(by_person.values(), 2):
        shared = sorted(one.keys() & other.keys())
        said = [one[item] for item in shared], [other[item] for item in shared]
        if shared:
            agreements.append(fmean(a == b for a, b in zip(*said, strict=True)))
            kappas += [k for k in [kappa(*said)] if k is not None]
    return agreements, kappas


def kappa(one: Sequence[str], other: Sequence[str]) -> float | None:
    """Cohen's kappa (1960) of two people over the same labels, at least one; None where both say one word throughout.

    >>> kappa(["right", "wrong", "right", "wrong"], ["right", "wrong", "right", "right"])
    0.5
    """
    same = sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
    chance = sum(one.count(word) * other.count(word) for word in set(one)) / len(one) ** 2
    return None if chance == 1 else (same - chance) / (1 - chance)
