"""audit.jsonl: what people say of labels, a line each, and what it comes to: error rates with bounds, and agreement."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Literal

import msgspec

from pstgen.core.records import BadInput, Unavailable
from pstgen.verification.findings import AuditResult, LabelRates, Proportion

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


def summarize(annotations: Sequence[Annotation], confidence: float) -> AuditResult | None:
    """Sum an audit up; None where no annotation stands. Each label has one vote per person, and the majority decides.

    Where no rating has more votes than every other, the label is ambiguous.
    """
    valid = standing(annotations)
    if not valid:
        return None
    ratings = _majorities(valid)
    families: defaultdict[str, list[Rating]] = defaultdict(list)
    pairs: defaultdict[str, list[Rating]] = defaultdict(list)
    for item, label in {annotation.item: annotation for annotation in valid}.items():
        families[label.family].append(ratings[item])
        pairs[label.pair].append(ratings[item])
    agreements, kappas = _agreement(valid)
    return AuditResult(
        people=len({annotation.who for annotation in valid}),
        labels=_rates(list(ratings.values()), confidence),
        pairs_wrong=Proportion.from_hits(["wrong" in twins for twins in pairs.values()], confidence),
        by_family={family: _rates(of_family, confidence) for family, of_family in sorted(families.items())},
        agreement=fmean(agreements) if agreements else None,
        kappa=fmean(kappas) if kappas else None,
    )


def _majorities(annotations: Iterable[Annotation]) -> dict[str, Rating]:
    """Item → the rating that most people gave its label."""
    votes: defaultdict[str, Counter[Rating]] = defaultdict(Counter)
    for annotation in annotations:
        votes[annotation.item][annotation.verdict] += 1  # type: ignore[index]  # no undo stands
    return {item: _majority(counts) for item, counts in votes.items()}


def _majority(counts: Counter[Rating]) -> Rating:
    (winner, most), *others = counts.most_common()
    return "ambiguous" if others and others[0][1] == most else winner


def _rates(ratings: Sequence[Rating], confidence: float) -> LabelRates:
    wrong, ambiguous = (
        Proportion.from_hits([rating == counted for rating in ratings], confidence)
        for counted in ("wrong", "ambiguous")
    )
    return LabelRates(wrong=wrong, ambiguous=ambiguous)


def _agreement(annotations: Iterable[Annotation]) -> tuple[list[float], list[float]]:
    """Of every two people with a label in common: the share on which they agree, and kappa where it is defined."""
    by_person: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for annotation in annotations:
        by_person[annotation.who][annotation.item] = annotation.verdict
    agreements, kappas = list[float](), list[float]()
    for first, second in combinations(by_person.values(), 2):
        if shared := sorted(first.keys() & second.keys()):
            ratings = [first[item] for item in shared], [second[item] for item in shared]
            agreements.append(fmean(a == b for a, b in zip(*ratings, strict=True)))
            kappas += [value for value in [kappa(*ratings)] if value is not None]
    return agreements, kappas


def kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Cohen's kappa (1960) of two people over the same labels; None where both give one and the same rating throughout.

    >>> kappa(["right", "wrong", "right", "wrong"], ["right", "wrong", "right", "right"])
    0.5
    """
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score(first, second)) if len({*first, *second}) > 1 else None
