"""What an audit comes to: shares of wrong and ambiguous labels with bounds, and how far people agree (Cohen's kappa)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from statistics import fmean

from pstgen.verification.annotations import Annotation, Rating, standing
from pstgen.verification.findings import AuditResult, LabelRates, Proportion


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
