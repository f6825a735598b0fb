"""Does the model that saw the items answer alike, whether it is asked by options, by letters or in its own words?"""

from collections.abc import Iterator
from typing import Any

from pstgen.core.config import VerifyConfig
from pstgen.dataset.store import Dataset
from pstgen.verification.findings import Finding

MOST_INVALID = 0.05  # of a model's answers, before one is warned
UNTESTED = "no vision-language model saw the items"


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Sum up what the build measured. Nothing is wrong with a set whose judge is asked best in one way."""
    measured = [
        (details["way"], details["agreement"]) for details in dataset.manifest.models.values() if "agreement" in details
    ]
    if not measured:
        return Finding(check="asking", summary="not asked", untested=UNTESTED)
    way, agreement = measured[0]
    return Finding(check="asking", summary="; ".join(_summary(way, agreement)), figures=_shares(agreement))


def _shares(agreement: dict[str, Any]) -> dict[str, float]:
    return {name: n / agreement["items"] for name, n in agreement.items() if name != "items"}


def _summary(way: str, agreement: dict[str, Any]) -> Iterator[str]:
    shares = _shares(agreement)
    invalid = shares.pop("invalid")
    others = ", ".join(f"{share:.0%} asked by {other}" for other, share in shares.items())
    yield f"{agreement['items']} items, asked by {way}; the same answers: {others or 'not asked otherwise'}"
    if invalid > MOST_INVALID:
        yield f"{invalid:.0%} of the answers name no option, or several: another --ask may serve better"
