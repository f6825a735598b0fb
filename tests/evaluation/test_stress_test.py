"""From a set on the disk to a result: what is named, what is drawn, what is refused."""

import json

import pytest

import pstgen
from pstgen.core.config import EvalConfig
from pstgen.core.records import BadInput
from pstgen.dataset import store
from pstgen.evaluation import stress_test


@pytest.fixture
def answers(stress_set, tmp_path):
    """Right ones."""
    file = tmp_path / "right.json"
    file.write_text(json.dumps({item.item_id: item.answer for item in store.open(stress_set).items()}))
    return file


def test_a_result_is_named_by_its_file_or_as_the_user_says(stress_set, answers):
    assert stress_test.evaluate(EvalConfig(folder=stress_set, predictions=answers)).model == "right"
    assert stress_test.evaluate(EvalConfig(folder=stress_set, predictions=answers, name="mine")).model == "mine"


def test_a_result_is_of_the_set_that_was_put(stress_set, answers):
    found = stress_test.evaluate(EvalConfig(folder=stress_set, predictions=answers))
    assert found.set_seal == store.open(stress_set).manifest.seal
    assert (found.answered, found.whole.figures["pairs"].share) == (48, 1)


def test_a_limit_draws_the_same_pairs_each_time(stress_set, answers):
    few = [stress_test.evaluate(EvalConfig(folder=stress_set, predictions=answers, limit=6)) for _ in range(2)]
    more = stress_test.evaluate(EvalConfig(folder=stress_set, predictions=answers, limit=9))
    assert few[0] == few[1]
    assert few[0].won.keys() < more.won.keys()


@pytest.mark.parametrize("named", [{}, {"model": "eye", "predictions": "right.json"}])
def test_a_model_or_predictions_and_not_both_are_needed(stress_set, named):
    with pytest.raises(BadInput, match=r"--model .* or --predictions FILE"):
        stress_test.evaluate(EvalConfig(folder=stress_set, **named))


def test_the_library_does_as_the_command(stress_set, answers):
    found = pstgen.evaluate(stress_set, predictions=answers)
    assert found == stress_test.evaluate(EvalConfig(folder=stress_set, predictions=answers))
    with pytest.raises(BadInput, match="predictionss"):
        pstgen.evaluate(stress_set, predictionss=answers)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"ask": "point"}, "stress_test.ground"),
        ({"coordinates": "pixels"}, "--coordinates is about places"),
        ({"collateral": True}, "--collateral needs a --model"),
    ],
)
def test_what_is_about_places_and_what_is_about_options_are_kept_apart(stress_set, answers, settings, says):
    with pytest.raises(BadInput, match=says):
        stress_test.evaluate(EvalConfig(folder=stress_set, predictions=answers, **settings))


@pytest.mark.parametrize(
    "settings", [{}, {"ask": "letters"}, {"ask": "point", "collateral": True, "predictions": None, "model": "eye"}]
)
def test_places_are_asked_for_by_point_or_box_alone(stress_set, answers, settings):
    with pytest.raises(BadInput, match="places are asked for by --ask point or --ask box"):
        stress_test.ground(EvalConfig(**{"folder": stress_set, "predictions": answers} | settings))


def test_a_set_without_places_says_what_shows_its_answers(stress_set, answers):
    with pytest.raises(
        BadInput, match=r"no item has a place to be asked for .48 items: the whole picture shows the answer"
    ):
        stress_test.ground(EvalConfig(folder=stress_set, predictions=answers, ask="point"))


def test_a_limit_draws_pairs_of_places_too(small_set, tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({item.item_id: [1, 2] for item in store.open(small_set).items()}))
    found = stress_test.ground(EvalConfig(folder=small_set, predictions=file, ask="point", limit=5, name="my model"))
    whole = stress_test.ground(EvalConfig(folder=small_set, predictions=file, ask="point"))
    assert (found.model, whole.model) == ("my model", "mine")
    assert found.items < whole.items == store.open(small_set).manifest.items
