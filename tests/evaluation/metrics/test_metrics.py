"""What every metric promises."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core import plugins
from pstgen.evaluation import metrics
from pstgen.evaluation.metrics import Answers, Choice, Language, Latency, plain
from pstgen.models.answerer import Answerer
from pstgen.training import systems
from pstgen.training.systems import Plan


@pytest.fixture(scope="module")
def evaluation(llava, painted, pairs):
    """A system that answers everything with "red", on two pairs, the second in neutral words, and no benchmark."""
    framed, plain = pairs(2)[:2], pairs(2)[2:]
    rows = [
        painted(item) for item in (*framed, *(replace(item, frame="neutral", question=item.neutral) for item in plain))
    ]
    answers = {row.item.item_id: "red" for row in rows}
    chains = dict.fromkeys(answers, "red cup at (8, 8, 8, 8); so red")
    return SimpleNamespace(
        system=SimpleNamespace(PLAN=Plan(), answer=lambda _, queries: ["red" for _ in queries]),
        answerer=Answerer(llava),
        answers=Answers(answers, answers, {}, {}, chains),
        items=[row.item for row in rows],
        rows=lambda most: rows[:most],
        benchmarks={},
        language=Language(("A cup.", "Two dogs."), (Choice("How many?", ("1", "2"), "1"),)),
        latency=Latency(p50=1.0, p95=2.0, each=(1.0, 2.0)),
        price=1.0,
        deadline=100.0,
        disturbed=48,
    )


@pytest.mark.parametrize("name", plugins.names("metrics"))
def test_a_metric_measures_an_evaluation_and_gives_a_reason_for_what_it_cannot(name, evaluation):
    scores = metrics.load(name).measure(evaluation)
    assert all(isinstance(value, float) for value in scores.figures.values())
    assert not scores.figures.keys() & scores.absent.keys()
    assert all(0 <= value <= 1 for value in scores.per_question.values())
    if name not in {"vqa", "gqa"}:
        assert {headline.name for headline in metrics.headlines(name)} <= scores.figures.keys()


@pytest.mark.parametrize("name", ["vqa", "gqa"])
def test_a_benchmark_without_files_is_absent_with_the_reason_and_never_0(name, evaluation):
    scores = metrics.load(name).measure(evaluation)
    assert scores.figures == {}
    assert scores.absent == {"overall": f"no files of {name.upper()} were given"}


@pytest.mark.parametrize(
    ("name", "silent"),
    [
        ("attention", {"question_only", "pair_gated_text", "agent", "debate", "cascade"}),
        ("language", {"agent", "debate", "cascade"}),
        ("robustness", {"question_only", "pair_gated_text"}),
        ("chains", set(plugins.names("systems")) - {"chain"}),
        ("pst", set()),
    ],
)
def test_a_metric_says_of_which_systems_it_says_nothing(name, silent):
    plans = {system: systems.load(system).PLAN for system in plugins.names("systems")}
    assert {system for system, plan in plans.items() if metrics.inapplicable(name, plan)} == silent


def test_what_a_recipe_can_leave_out_is_what_is_measured_beside_the_model():
    expensive = {name for name in plugins.names("metrics") if metrics.is_expensive(name)}
    assert expensive == {"attention", "chains", "deployment", "language", "probes", "robustness"}


@given(st.text())
def test_an_answer_made_plain_stays_plain(text):
    once = plain(text)
    assert plain(f"  {once.upper()} ") in {plain(once.upper()), once}
    assert once == once.strip()
