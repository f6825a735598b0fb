"""Promises of the cascade: every family is some model's, which learns nothing else, and questions reach the model that knows them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core import plugins
from pstgen.core.records import BadInput
from pstgen.evaluation import arms, data, inference
from pstgen.models.answerer import Answerer, Query
from pstgen.training.examples import Examples
from pstgen.training.recipe import Recipe
from pstgen.training.systems import cascade

FAMILIES = plugins.names("families")


def test_every_family_belongs_to_one_part():
    of_parts = [family for part in cascade.PLAN.parts for family in part.families]
    assert sorted(of_parts) == sorted(FAMILIES)


@given(st.lists(st.sampled_from([*FAMILIES, "someone's own"]), min_size=1, unique=True), st.integers(1, 5000))
def test_parts_share_the_steps_and_what_is_nobodys_goes_to_the_first(families, steps):
    recipe = Recipe(families=tuple(families), joint_steps=steps)
    shares = list(arms._shares(cascade.PLAN, recipe))
    assert sorted(family for _, of_part, _ in shares for family in of_part) == sorted(families)
    assert all(len(of_part) and least >= 1 for _, of_part, least in shares)
    assert abs(sum(of_part for *_, of_part in shares) - steps) <= len(shares)
    if "someone's own" in families:
        assert "someone's own" in shares[0][1]


def test_each_part_is_a_task_of_its_own_that_asks_its_families_alone(tmp_path):
    recipe = Recipe(systems=("cascade",), families=("existence", "count", "depth"), joint_steps=30)
    (arm,) = arms.plan_arms(recipe, data.paths(tmp_path), tmp_path)
    assert {task.out.parent.name: (task.plan.families, task.steps) for task in arm.parts} == {
        "detector": (("existence",), 10),
        "counter": (("count",), 10),
        "depth-estimator": (("depth",), 10),
    }
    assert arm.last is None
    assert arms.tasks_by_stage([arm]) == ([], list(arm.parts), [])
    job = arms.eval_job(recipe, arm, data.paths(tmp_path))
    assert {name: weights.families for name, weights in job.parts.items()} == {
        name: families for name, families, _ in arms._shares(cascade.PLAN, recipe)
    }


def test_without_parts_there_is_nothing_to_choose_from():
    with pytest.raises(BadInput, match="several models"):
        Answerer(None).route(["What?"])


class Says:
    """A part that answers with its name."""

    def __init__(self, name):
        self.name = name

    def answer(self, queries):
        return [f"{self.name} {query.name}" for query in queries]


def test_answers_come_in_the_order_of_the_questions_whoever_gave_them():
    answerer = Answerer(None, parts={name: Says(name) for name in "ab"}, router=list)
    queries = [Query(str(n), name) for n, name in enumerate("abba")]
    assert cascade.answer(answerer, queries) == ["a 0", "b 1", "b 2", "a 3"]


def test_examples_of_a_family_hold_its_questions_alone(paired):
    every = Examples(paired.examples)
    families = {question.family for example in every for question in example.questions}
    for family in families:
        some = Examples(paired.examples, [family])
        assert {question.family for example in some for question in example.questions} == {family}
        questions = [question for example in every for question in example.questions if question.family == family]
        assert [question for example in some for question in example.questions] == questions
    with pytest.raises(BadInput, match="text"):
        Examples(paired.examples, ["text"])


def test_the_router_learns_from_the_examples_which_model_a_family_has(paired):
    every = Examples(paired.examples)
    names = {question.family: f"of {question.family}" for example in every for question in example.questions}
    answerer = inference.with_parts(Answerer(None), dict.fromkeys(names.values()), names, every)
    asked = [question for example in every for question in example.questions]
    right = [
        name == names[question.family]
        for name, question in zip(answerer.route([q.text for q in asked]), asked, strict=True)
    ]
    assert sum(right) > 0.98 * len(right)
    answerer.parts[next(iter(answerer.parts))].calls["model"] += 1
    assert answerer.calls["model"] == 1  # all count together
