"""Limits that cannot be kept are refused at once; those that can are kept in test_endpoint."""

import pytest

from pstgen.core.records import BadInput
from pstgen.models.endpoint_limits import Limits, Meter


@pytest.mark.parametrize(
    "settings",
    [
        {"max_cost": 1.0},
        {"concurrency": 0},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"retries": -1},
        {"per_second": 0.0},
        {"per_second": float("nan")},
        {"price_in": -1.0, "price_out": 2.0, "max_cost": 1.0},
    ],
)
def test_what_cannot_be_kept_is_refused(settings):
    with pytest.raises(BadInput, match=next(iter(settings)).partition("_")[0]):
        Limits(**settings)


def test_what_was_spent_is_told_in_words():
    meter = Meter(Limits(), requests=3, tokens_in=200, tokens_out=10, cost=0.00012345)
    assert meter.spent == "3 requests, 200 tokens in and 10 out, at a cost of 0.0001234"
