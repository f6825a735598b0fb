"""What an answer takes: counted while a system answers, and checked against what it is known to do."""

from types import SimpleNamespace

import pytest

from pstgen.evaluation.metrics import deployment
from pstgen.models.answerer import Answerer, Query
from pstgen.models.flops import count_flops
from pstgen.scenes import pixels
from pstgen.training.systems import agent, standard


@pytest.fixture
def measured(llava, pairs, painted):
    """Of a system: its scores."""
    rows = [painted(item) for item in pairs(2)]

    def of(system):
        answerer = Answerer(llava)
        evaluation = SimpleNamespace(system=system, answerer=answerer, rows=lambda most: rows[:most])
        return deployment.measure(evaluation).figures

    return of


def test_a_system_that_asks_once_makes_one_call_and_an_agent_one_of_each_view(measured):
    once, views = measured(standard), measured(agent)
    assert once["calls"] == 1
    assert views["calls"] == 1 + len(agent.CROPS)
    assert views["gflops"] == pytest.approx(once["gflops"] * views["calls"], rel=0.2)
    assert once["looks"] == 0


def test_flops_are_those_of_one_answer(measured, llava, pairs, painted):
    item = pairs(1)[0]
    query = Query(item.item_id, item.question, item.options, pixels.decode(painted(item).image))
    Answerer(llava).score([query])  # the first time, the model is checked
    one = count_flops(lambda: Answerer(llava).score([query]))
    assert measured(standard)["gflops"] == pytest.approx(one / 1e9, rel=0.2)


def test_an_answer_is_valid_if_it_is_an_option_whatever_its_case_and_full_stop(measured):
    said = iter(["Red.", "blue", "a dog", ""])
    system = SimpleNamespace(answer=lambda _, queries: ["red" if query.options else next(said) for query in queries])
    assert measured(system)["valid"] == 50
