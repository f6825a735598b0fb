"""What an answer takes: counted while a system answers, and checked against what it is known to do."""

from types import SimpleNamespace

import pytest

from pstgen.evaluation.metrics import deployment
from pstgen.models.answerer import Answerer, Query
from pstgen.models.detector import Finder, Found
from pstgen.models.flops import count_flops
from pstgen.scenes import pixels
from pstgen.training.systems import agent, standard

CUP = [Found("cup", (0.25, 0.25, 0.5, 0.5))]


@pytest.fixture
def measured(llava, pairs, painted):
    """Of a system: its scores."""
    rows = [painted(item) for item in pairs(2)]

    def of(system, finds=()):
        answerer = Answerer(llava)
        answerer.__dict__["finder"] = Finder(("cup",), lambda images: [list(finds) for _ in images])
        evaluation = SimpleNamespace(system=system, answerer=answerer, rows=lambda most: rows[:most])
        return deployment.measure(evaluation).figures

    return of


def test_an_answer_takes_as_many_calls_as_views_and_a_look_where_there_is_a_detector(measured):
    once, nothing, closer = measured(standard), measured(agent), measured(agent, finds=CUP)
    assert (once["calls"], once["looks"]) == (1, 0)
    assert (nothing["calls"], nothing["looks"]) == (1, 1)
    assert (closer["calls"], closer["looks"]) == (2, 1)
    assert nothing["gflops"] == pytest.approx(once["gflops"], rel=0.2)
    assert closer["gflops"] == pytest.approx(2 * once["gflops"], rel=0.2)


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
