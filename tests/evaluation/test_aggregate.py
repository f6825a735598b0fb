"""How systems are compared."""

from types import SimpleNamespace

import msgspec
import pytest

from pstgen.evaluation import aggregate, results


@pytest.fixture
def arms(results_of):
    """Of two systems under each of five seeds that went exactly alike: reward wins 9 items more, and loses 3."""
    one_seed = results_of(seeds=1, systems=["standard", "perceptual_reward"])
    plain = {f"{n}": float(n < 20) for n in range(60)}
    other = {name: float(int(name) < 17 or 20 <= int(name) < 29) for name in plain}
    made = []
    for arm in one_seed.arms:
        scores = {"pst": {}, "vqa": plain if arm.system == "standard" else other, "gqa": {}}
        made += [msgspec.structs.replace(arm, seed=seed, scores=scores) for seed in range(5)]
    return made


def test_the_same_outcome_under_five_seeds_is_no_more_than_under_one(arms):
    """A question is one observation; seeds are no new questions."""

    def of(some):
        tests = aggregate.compare(some, [])
        return next((test.better, test.worse, test.p) for test in tests if test.metric == "vqa/overall")

    assert of(arms) == of([arm for arm in arms if arm.seed == 0])
    assert of(arms)[:2] == (9, 3)


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("won", [0.0, 1.0])
def test_where_no_pair_of_300_is_won_or_every_one_the_interval_is_a_binomials(results_of, seeds, won):
    """0 of 300: 0 to 1.2 %."""
    items = [SimpleNamespace(item_id=f"{n}{twin}", pair_id=n) for n in range(300) for twin in "ab"]
    scores = {"pst": {item.item_id: won for item in items}, "vqa": {}, "gqa": {}}
    (one,) = results_of(seeds=1, systems=["standard"]).arms
    figures = one.figures | {"pst/pair": 100 * won}
    made = [msgspec.structs.replace(one, seed=seed, scores=scores, figures=figures) for seed in range(seeds)]
    mean, low, high = aggregate.intervals(made, items)["standard"]["pst/pair"]
    assert mean == 100 * won
    assert (low, high) == pytest.approx((0, 1.22) if won == 0 else (98.78, 100), abs=0.01)


def test_a_library_that_is_not_there_is_said_to_be_absent():
    assert results.versions(["numpy", "no-such-library"])["no-such-library"] == "absent"
