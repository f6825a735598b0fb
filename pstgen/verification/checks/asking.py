"""Does the model that saw the items answer alike, whether it is asked by options, by letters or in its own words?"""

from collections.abc import Iterator
from typing import Any

from pstgen.core.config import VerifyConfig
from pstgen.dataset.store import Dataset
from pstgen.models.panel import MOST_INVALID
from pstgen.verification.findings import Finding


def applies(dataset: Dataset) -> bool:
    """Did a vision-language model see the items?"""
    return bool(_measured(dataset))


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Sum up what the build measured. Nothing is wrong with a set whose judge is asked best in one way."""
    if not applies(dataset):
        return Finding(check="asking", summary="nobody was asked", untested="no vision-language model saw the items")
    way, agreement = _measured(dataset)[0]
    return Finding(check="asking", summary="; ".join(_summary(way, agreement)), figures=_shares(agreement))


def _measured(dataset: Dataset) -> list[tuple[str, dict[str, Any]]]:
    models = dataset.manifest.models.values()
    return [(details["way"], details["agreement"]) for details in models if "agreement" in details]


def _shares(agreement: dict[str, Any]) -> dict[str, float]:
    return {name: n / agreement["items"] for name, n in agreement.items() if name != "items"}


def _summary(way: str, agreement: dict[str, Any]) -> Iterator[str]:
    shares = _shares(agreement)
    invalid = shares.pop("invalid")
    others = ", ".join(f"{share:.0%} asked by {other}" for other, share in shares.items())
    yield f"{agreement['items']} items, asked by {way}; the same answers: {others or 'not asked otherwise'}"
    if invalid > MOST_INVALID:
        yield f"{invalid:.0%} of the answers name no option, or several: another --ask may serve better"
