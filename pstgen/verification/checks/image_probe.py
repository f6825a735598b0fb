"""Does an image give its answer away to somebody who does not know the question? Edited and matched twins apart."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pstgen.core.config import VerifyConfig
from pstgen.core.records import MATCHED, Item
from pstgen.dataset.store import Dataset
from pstgen.verification import probes
from pstgen.verification.findings import Attribute, Finding, ProbeResult
from pstgen.verification.probes import ENOUGH, MIN_PAIRS, PairFeatures

SECONDS = 15.0
SHARES = "pictures"
YES = {"yes", "no"}
WHICH: Mapping[Attribute, str] = {"role": "which is the stress twin", "answer": 'which answers "yes"'}


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Shown both twins, the probe says which has which answer; blind to the question it is right half the time.

    Of matched pairs it also says which is the stress twin, and all that by family: what is unusual can be seen in two
    whole pictures. Its answers are sound as long as the lower bound of its accuracy does not pass one half by
    `config.probe_over`; families of fewer than ENOUGH pairs are reported, and not held against it.
    """
    pictures = probes.pictures(dataset)
    results = [*_edited(pictures, config), *_matched(pictures, config)]
    judged = [result for result in results if _is_judged(result)]
    few = f"{_pairs(pictures)}: too few to probe; no family has {ENOUGH} matched pairs"
    return Finding(
        check="image_probe",
        summary="; ".join(_summary(results)) or few,
        problems=tuple(f"pictures give their answer away: {_says(result)}" for result in judged if not result.sound),
        probes=tuple(results),
        untested="" if judged else few,
    )


def _pairs(pictures: Sequence[probes.ItemFeatures]) -> str:
    edited = sum(item.twin != MATCHED and item.role == "control" for item, _ in pictures)
    return f"{edited:,} edited pairs"


def _is_judged(result: ProbeResult) -> bool:
    return result.twins == "edited" or result.accuracy.total >= ENOUGH


def _edited(pictures: Sequence[probes.ItemFeatures], config: VerifyConfig) -> Iterator[ProbeResult]:
    """All families together: there are few edited pairs, and edits are alike."""
    pairs = probes.paired((item, features) for item, features in pictures if item.twin != MATCHED)
    if len(pairs) >= MIN_PAIRS:
        accuracy = probes.accuracy(pairs, "answer", classifier, config)
        sound = accuracy.low <= 0.5 + config.probe_over
        yield ProbeResult(clue="picture", attribute="answer", accuracy=accuracy, sound=sound, twins="edited")


def _matched(pictures: Sequence[probes.ItemFeatures], config: VerifyConfig) -> list[ProbeResult]:
    """By family, with bounds that hold for all of them together."""
    families = probes.by_family((item, features) for item, features in pictures if item.twin == MATCHED)
    asked: list[tuple[str, Attribute, list[PairFeatures]]] = []
    for family, pairs in families.items():
        asked += [(family, "role", pairs), (family, "answer", [pair for pair in pairs if _is_yes_no(pair.control)])]
    enough = [row for row in asked if len(row[2]) >= MIN_PAIRS]
    bounds = max(1, sum(len(pairs) >= ENOUGH for _, _, pairs in enough))

    def result(family: str, attribute: Attribute, pairs: list[PairFeatures]) -> ProbeResult:
        accuracy = probes.accuracy(pairs, attribute, classifier, config, bounds)
        sound = accuracy.total < ENOUGH or accuracy.low <= 0.5 + config.probe_over
        return ProbeResult(
            clue="picture", attribute=attribute, accuracy=accuracy, sound=sound, twins="matched", family=family
        )

    return [result(*row) for row in enough]


def _is_yes_no(item: Item) -> bool:
    return set(item.options) == YES


def _summary(results: Sequence[ProbeResult]) -> Iterator[str]:
    """Edited pairs in all, and of matched ones the family in which each attribute shows most surely, if enough have it."""
    yield from (_says(result) for result in results if result.twins == "edited")
    for attribute in WHICH:
        matched = [result for result in results if result.twins == "matched" and result.attribute == attribute]
        if judged := list(filter(_is_judged, matched)):
            yield f"{_says(max(judged, key=lambda result: result.accuracy.low))} (the most of {len(judged)} families)"


def _says(result: ProbeResult) -> str:
    which = "which image has which answer" if result.twins == "edited" else WHICH[result.attribute]
    kind = f"{result.twins} pairs" + (f" of {result.family}" if result.family else "")
    return f"{result.accuracy.total:,} {kind}: {which}: {result.accuracy}"


def classifier() -> Any:
    """The classifier that is given two images: linear, since folds are small."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=0.1, max_iter=200)
