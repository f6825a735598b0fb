"""A mini keeps the pairs that tell models apart, every family and kind of words in its part, and says how sure its shares are."""

from collections import Counter
from math import sqrt

import msgspec
import numpy as np
import pytest

from pstgen.core.config import EvalConfig
from pstgen.core.records import BadInput
from pstgen.dataset import store
from pstgen.evaluation import mini, stress_result, stress_test
from pstgen.evaluation.model_answers import Answers

MODELS = 6


@pytest.fixture(scope="module")
def dataset(stress_set):
    return store.open(stress_set)


def results(dataset, wins):
    """A result of each model m; wins(m, n): does it win pair n?"""
    items, found = list(dataset.items()), []
    number = {pair: n for n, pair in enumerate(sorted({item.pair_id for item in items}))}
    for m in range(MODELS):
        given = {item.item_id: item.answer if wins(m, number[item.pair_id]) else "green" for item in items}
        found.append(stress_result.result(items, Answers(f"model {m}", seeing=given), dataset.manifest))
    return found


def telling(m, n):
    """Pairs below 12 tell models apart, the better ones winning them; of the rest models win any half, or all, or none."""
    return m >= 3 if n < 12 else (m % 2 == n // 4 % 2 if n < 20 else n < 22)


def test_the_pairs_that_tell_models_apart_are_taken(dataset):
    found = mini.choose(dataset, results(dataset, telling), 12)
    assert found.pairs == [f"p{n:02}" for n in range(12)]
    assert (found.by, found.whole) == ("results", 24)


def test_every_family_in_every_kind_of_words_keeps_its_part(dataset):
    of = mini.strata(dataset.items())
    for n in (4, 8, 12, 20):
        found = mini.choose(dataset, results(dataset, telling), n)
        assert Counter(of[pair] for pair in found.pairs) == dict.fromkeys(set(of.values()), n // 4)
    assert len(mini.choose(dataset, results(dataset, telling), 7).pairs) == 7


def test_parts_that_are_not_whole_are_rounded_to_n_in_all():
    sizes = {("a", True): 5, ("a", False): 3, ("b", True): 1}
    for n in range(1, 9):
        parts = mini._proportional(sizes, n)
        assert sum(parts.values()) == n
        assert all(abs(parts[of] - n * size / 9) < 1 for of, size in sizes.items())
        assert all(parts[of] <= size for of, size in sizes.items())


def test_how_telling_a_pair_is_is_its_correlation_with_the_others():
    won = np.random.default_rng(0).integers(0, 2, (7, 9)).astype(float)
    won[:, 3] = 1  # which all win
    found = mini._telling(won)
    for pair in range(9):
        rest = np.delete(won, pair, 1).mean(1)
        expected = 0.0 if pair == 3 else np.corrcoef(won[:, pair], rest)[0, 1]
        assert found[pair] == pytest.approx(expected)


def test_shares_and_their_errors_are_worked_out_by_hand(dataset):
    found = mini.choose(dataset, results(dataset, telling), 12)
    assert [given.mini for given in found.shares] == [0, 0, 0, 1, 1, 1]
    assert found.shares[0].whole == pytest.approx((0 + 4 + 2) / 24)
    assert found.shares[5].whole == pytest.approx((12 + 4 + 2) / 24)
    assert found.largest_difference == pytest.approx(0.25)
    assert found.standard_error == pytest.approx(sqrt(0.25 / 12))
    assert found.swapped == 0
    half = mini.choose(dataset, results(dataset, lambda m, n: (n + m) % 4 < 2)[:2], 8).shares[0]
    assert half.standard_error == pytest.approx(sqrt(half.mini * (1 - half.mini) / 8))


def test_models_that_change_places_are_counted():
    shares = [mini.Shares("a", 0.6, 0.5, 0), mini.Shares("b", 0.5, 0.7, 0), mini.Shares("c", 0.1, 0.1, 0)]
    made = mini.Mini(format=1, pstgen="", set_seal="", by="results", whole=9, standard_error=0, shares=shares, pairs=[])
    assert made.swapped == 1


@pytest.mark.parametrize("given", [0, 2])
def test_with_fewer_than_three_results_pairs_are_drawn_alike_of_every_stratum(dataset, given):
    found = mini.choose(dataset, results(dataset, telling)[:given], 10)
    of = mini.strata(dataset.items())
    assert found.by == "draw"
    assert sorted(Counter(of[pair] for pair in found.pairs).values()) == [2, 2, 3, 3]
    assert found.pairs == sorted(mini.draw(of, 10))
    assert len(found.shares) == given


def test_a_smaller_draw_is_the_beginning_of_a_larger_one(dataset):
    of = mini.strata(dataset.items())
    assert mini.draw(of, 20)[:7] == mini.draw(of, 7)
    assert sorted(mini.draw(of, 99)) == sorted(of)


@pytest.mark.parametrize("n", [24, 25])
def test_a_mini_is_smaller_than_the_whole(dataset, n):
    with pytest.raises(BadInput, match=rf"--n {n}: there are 24 pairs"):
        mini.choose(dataset, results(dataset, telling), n)


def test_a_result_on_another_set_is_refused(dataset):
    *rest, last = results(dataset, telling)
    with pytest.raises(BadInput, match="model 5: a result on another set"):
        mini.choose(dataset, [*rest, msgspec.structs.replace(last, set_seal="another")], 12)


def test_eval_counts_the_pairs_of_the_mini_alone(dataset, stress_set, tmp_path):
    found = mini.choose(dataset, results(dataset, telling), 12)
    mini.write(tmp_path / "mini.json", found)
    answers = {item.item_id: item.answer for item in dataset.items()}
    (tmp_path / "answers.json").write_bytes(msgspec.json.encode(answers))
    config = EvalConfig(folder=stress_set, predictions=tmp_path / "answers.json", pairs=tmp_path / "mini.json")
    assert list(stress_test.evaluate(config).won) == found.pairs
    assert len(stress_test.evaluate(msgspec.structs.replace(config, limit=8)).won) == 8


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda code: code.replace(b'"set_seal": "', b'"set_seal": "0'), r"pairs of another set than .*pst"),
        (lambda code: code.replace(b'"format": 1', b'"format": 2'), "format 2; this pstgen reads format 1"),
        (lambda code: code.replace(b'"p00"', b'"p77"'), "has no pair p77"),
        (lambda _: b"[]", "not a mini that `pstgen mini` wrote"),
    ],
)
def test_a_mini_that_does_not_fit_is_refused(dataset, stress_set, tmp_path, change, says):
    file = tmp_path / "mini.json"
    mini.write(file, mini.choose(dataset, results(dataset, telling), 12))
    code = file.read_bytes()
    assert change(code) != code
    file.write_bytes(change(code))
    with pytest.raises(BadInput, match=rf"mini\.json: {says}|mini\.json: .*{says}"):
        stress_test.evaluate(EvalConfig(folder=stress_set, predictions=file, pairs=file))
    with pytest.raises(BadInput, match=r"gone\.json"):
        mini.read(tmp_path / "gone.json", "", stress_set)
