"""Two models are compared on the pairs of both, with the interval of the difference and an exact test."""

from itertools import count

import msgspec
import pytest
from scipy.stats import binomtest

from pstgen.core.records import BadInput
from pstgen.evaluation import stress_comparison
from pstgen.evaluation.stress_result import Figure, Group, StressResult

FIGURE = Figure(0.5, 0.4, 0.6, 0.4, 0.6, 10)


def result(won, model="model", seal="of the set"):
    """won: by pair."""
    whole = Group("all", "all", 0.25, {"pairs": FIGURE, "items": FIGURE, "invalid_rate": FIGURE})
    return StressResult(
        format=1, pstgen="", model=model, revision="", way="", set_seal=seal, selected_by=False, items=2 * len(won),
        answered=2 * len(won), incomplete=0, groups=[whole], won=won, answers={}, blind={}, neutral={},
    )  # fmt: skip


def pairs(both, first, second, neither):
    """Of two models what they win of so many pairs: both, the first alone, the second alone, none."""
    names = (f"p{n}" for n in count())
    won = [(*two, next(names)) for two, n in (((1, 1), both), ((1, 0), first), ((0, 1), second), ((0, 0), neither)) for _ in range(n)]  # fmt: skip
    return [{name: bool(two[m]) for *two, name in won} for m in range(2)]


def test_shares_and_the_test_are_worked_out_by_hand():
    first, second = pairs(40, 15, 5, 40)
    found = stress_comparison.compare(result(first), result(second))
    assert (found.pairs, found.first, found.second) == (100, 0.55, 0.45)
    assert (found.only_first, found.only_second) == (15, 5)
    assert found.p == pytest.approx(binomtest(15, 20).pvalue)
    assert found.p == pytest.approx(0.0414, abs=1e-4)


def test_the_interval_is_about_that_of_the_normal_approximation():
    found = stress_comparison.compare(*map(result, pairs(400, 150, 50, 400)))
    reach = 1.96 * ((150 + 50) / 1000 - 0.1**2) ** 0.5 / 1000**0.5
    assert found.low == pytest.approx(0.1 - reach, abs=0.005)
    assert found.high == pytest.approx(0.1 + reach, abs=0.005)


def test_the_other_way_round_it_is_the_same_with_the_other_sign():
    first, second = map(result, pairs(30, 9, 20, 10))
    there, back = stress_comparison.compare(first, second), stress_comparison.compare(second, first)
    assert (there.first, there.only_first, there.p) == (back.second, back.only_second, back.p)
    assert there.low == pytest.approx(-back.high, abs=0.03)


def test_a_model_does_not_differ_from_itself():
    found = stress_comparison.compare(*[result(pairs(5, 3, 0, 2)[0])] * 2)
    assert (found.low, found.high, found.p) == (0, 0, 1)


def test_only_pairs_of_both_count():
    first, second = {"a": True, "b": False, "c": True}, {"b": True, "c": True, "d": True}
    found = stress_comparison.compare(result(first), result(second))
    assert (found.pairs, found.first, found.second, found.only_second) == (2, 0.5, 1, 1)


def test_results_on_different_sets_or_different_pairs_are_refused():
    first = result({"a": True}, "first")
    with pytest.raises(BadInput, match="first and second were given different sets"):
        stress_comparison.compare(first, msgspec.structs.replace(first, model="second", set_seal="another"))
    with pytest.raises(BadInput, match="first and second share no pair"):
        stress_comparison.compare(first, result({"b": True}, "second"))
