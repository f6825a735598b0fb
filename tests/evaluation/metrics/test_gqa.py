"""GQA's rules, on questions small enough to work out by hand, and once more in another way."""

import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import BadInput
from pstgen.evaluation.metrics import gqa

REAL = Path(os.environ.get("PSTGEN_GQA_ROOT", "none"))
ANSWERS = ("yes", "no", "red", "blue", "cup")


def row(answer="yes", structural="verify", semantic="obj", group=None, **more):
    fields = {
        "imageId": "n1",
        "question": "Is there a cup?",
        "answer": answer,
        "isBalanced": True,
        "entailed": [],
        "equivalent": [],
        "types": {"structural": structural, "semantic": semantic, "detailed": "exist"},
        "groups": {"global": group, "local": None},
        "semantic": [
            {"operation": "select", "argument": "cup (1)", "dependencies": []},
            {"operation": "exist", "argument": "?", "dependencies": [0]},
        ],
        "annotations": {"question": {}, "answer": {}, "fullAnswer": {}},
    }
    return fields | more


def written(folder, rows, choices=None, graphs=None):
    (folder / "val_balanced_questions.json").write_text(json.dumps(rows))
    for kind, contents in (("choices", choices), ("sceneGraphs", graphs)):
        if contents is not None:
            (folder / f"val_{kind}.json").write_text(json.dumps(contents))
    return folder


def expected(rows, predictions, choices):
    """GQA's figures once more, from arrays: one entry a balanced question."""
    names = [name for name, row in rows.items() if row["isBalanced"]]
    right = {name: float(predictions[name] == row["answer"]) for name, row in rows.items()}
    hit = np.array([right[name] for name in names])
    kinds = np.array([rows[name]["types"]["structural"] for name in names])
    meanings = np.array([rows[name]["types"]["semantic"] for name in names])
    figures = {"accuracy": hit.mean()}
    for figure, chosen in (("open", kinds == "query"), ("binary", kinds != "query")):
        if chosen.any():
            figures[figure] = hit[chosen].mean()
    figures |= {f"structural type {kind}": hit[kinds == kind].mean() for kind in set(kinds)}
    figures |= {f"semantic type {kind}": hit[meanings == kind].mean() for kind in set(meanings)}
    implied = [
        np.mean([right[other] for other in entailed])
        for name in names
        if right[name] and (entailed := [other for other in rows[name]["entailed"] if other in rows and other != name])
    ]
    if implied:
        figures["consistency"] = np.mean(implied)
    if choices:
        for figure, kind in (("validity", "valid"), ("plausibility", "plausible")):
            allowed = [
                ["color", "material", "shape"] if "Common" in rows[name]["types"]["detailed"] else choices[name][kind]
                for name in names
            ]
            figures[figure] = np.mean(
                [predictions[name] in answers for name, answers in zip(names, allowed, strict=True)]
            )
    figures = {figure: 100 * value for figure, value in figures.items()}
    grouped = [name for name in names if rows[name]["groups"]["global"] is not None]
    if grouped:
        figures["distribution"] = _chi_square(grouped, rows, predictions) / 100
    return figures


def _chi_square(names, rows, predictions):
    """Each answer that is right somewhere in its group gives (given - true)^2 / true, for every question of the group."""
    total = 0.0
    for name in names:
        group = [other for other in names if rows[other]["groups"]["global"] == rows[name]["groups"]["global"]]
        for answer in {rows[other]["answer"] for other in group}:
            true = sum(rows[other]["answer"] == answer for other in group)
            total += (sum(predictions[other] == answer for other in group) - true) ** 2 / true
    return total / len(names)


def main_figures(scores):
    return {name: value for name, value in scores.figures.items() if name.split()[0] not in ("steps", "words")}


def test_the_figures_are_those_worked_out_by_hand(tmp_path):
    rows = {
        "1": row("yes", entailed=["1", "2", "3", "99"]),  # right; of 2 and 3, which it entails, one is right
        "2": row("red", "query", "attr", "color", question="What color is it?", entailed=["3"]),  # right; 3 is wrong
        "3": row(
            "blue", "query", "attr", "color", question="What color is it?", isBalanced=False
        ),  # wrong, not counted
        "4": row("blue", "query", "attr", "color", question="What color is it?", entailed=["1"]),  # wrong
        "5": row("red", "query", "attr", "color", question="What color is it?"),  # right, entails nothing
        "6": row("no", "choose", "rel", isBalanced=True),  # wrong by its capital
    }
    predictions = {"1": "yes", "2": "red", "3": "red", "4": "red", "5": "red", "6": "No"}
    choices = {name: {"valid": ["red", "blue", "yes"], "plausible": ["red"]} for name in rows}
    scores = gqa.score(predictions, written(tmp_path, rows, choices))
    figures = main_figures(scores)
    assert figures == pytest.approx(
        {
            "accuracy": 100 * 3 / 5,
            "binary": 50,
            "open": 100 * 2 / 3,
            "structural type verify": 100,
            "structural type query": 100 * 2 / 3,
            "structural type choose": 0,
            "semantic type obj": 100,
            "semantic type attr": 100 * 2 / 3,
            "semantic type rel": 0,
            "consistency": 100 * (1 / 2 + 0) / 2,
            "validity": 80,
            "plausibility": 60,
            "distribution": ((3 - 2) ** 2 / 2 + (0 - 1) ** 2 / 1) / 100,
        }
    )
    assert scores.figures["words 4"] == pytest.approx(100 * 3 / 5)
    assert scores.figures["steps 1"] == pytest.approx(100 * 3 / 5)  # the step that says "exist" does not count
    assert scores.per_question == {"1": 1, "2": 1, "4": 0, "5": 1, "6": 0}
    assert set(scores.absent) == {"grounding"}


def test_what_two_things_have_in_common_is_color_material_or_shape(tmp_path):
    types = {"structural": "query", "semantic": "attr", "detailed": "twoCommon"}
    rows = {"1": row("color", types=types), "2": row("color", types=types)}
    choices = {name: {"valid": ["wood"], "plausible": ["wood"]} for name in rows}
    figures = gqa.score({"1": "shape", "2": "wood"}, written(tmp_path, rows, choices)).figures
    assert figures["validity"] == figures["plausibility"] == 50


def test_answers_that_are_right_nowhere_in_the_group_add_nothing_of_their_own(tmp_path):
    rows = {str(n): row("red", "query", "attr", "color") for n in range(4)}
    predictions = dict.fromkeys(rows, "red") | {"3": "blue"}
    assert gqa.score(predictions, written(tmp_path, rows)).figures["distribution"] == pytest.approx(1 / 4 / 100)


@st.composite
def exams(draw):
    number = draw(st.integers(1, 7))
    names = [str(n) for n in range(number)]
    rows = {
        name: row(
            draw(st.sampled_from(ANSWERS)),
            draw(st.sampled_from(["query", "verify", "choose"])),
            draw(st.sampled_from(["obj", "attr"])),
            draw(st.sampled_from([None, "color", "thing"])),
            entailed=draw(st.lists(st.sampled_from([*names, "99"]), unique=True)),
            isBalanced=name == "0" or draw(st.booleans()),
        )
        for name in names
    }
    for drawn in rows.values():
        drawn["types"]["detailed"] = draw(st.sampled_from(["exist", "twoCommon"]))
    predictions = {name: draw(st.sampled_from([*ANSWERS, "color"])) for name in names}
    listed = st.lists(st.sampled_from(ANSWERS))
    choices = draw(
        st.none()
        | st.fixed_dictionaries({n: st.fixed_dictionaries({"valid": listed, "plausible": listed}) for n in names})
    )
    return rows, predictions, choices


@given(exams())
def test_any_exam_has_the_figures_of_an_independent_implementation(tmp_path_factory, exam):
    rows, predictions, choices = exam
    scores = gqa.score(predictions, written(tmp_path_factory.mktemp("gqa"), rows, choices))
    figures = expected(rows, predictions, choices)
    assert main_figures(scores) == pytest.approx(figures, abs=1e-9)
    named = {"accuracy", "binary", "open", "consistency", "validity", "plausibility", "distribution", "grounding"}
    assert set(scores.absent) == named - set(figures)


@pytest.mark.skipif(not REAL.is_dir(), reason="GQA's file is not at hand")
def test_on_the_real_file_the_figures_are_those_of_an_independent_implementation():
    (file,) = REAL.glob("*.json")
    rows = json.loads(file.read_text())
    draw = random.Random(0)
    answers = sorted({question["answer"] for question in rows.values()})
    predictions = {
        name: question["answer"] if draw.random() < 0.7 else draw.choice(answers) for name, question in rows.items()
    }
    scores = gqa.score(predictions, REAL)
    assert main_figures(scores) == pytest.approx(expected(rows, predictions, None), abs=1e-6)
    assert set(scores.figures) >= {"consistency", "distribution", "semantic type global", "structural type compare"}
    assert set(scores.absent) == {"validity", "plausibility", "grounding"}
    assert "ood_testdev_tail.json" in scores.absent["validity"]


def test_without_choices_and_scene_graphs_what_needs_them_is_absent_and_says_why(tmp_path):
    scores = gqa.score({"1": "yes"}, written(tmp_path, {"1": row()}), attention={"1": np.ones((2, 2)) / 4})
    assert not {"validity", "plausibility", "grounding", "consistency", "distribution", "open"} & set(scores.figures)
    assert "no file of choices" in scores.absent["plausibility"]
    assert "no scene graphs" in scores.absent["grounding"]
    assert scores.absent["open"] == "no such question was asked"


def pointing(question, full_answer=()):
    return {"question": question, "answer": {}, "fullAnswer": dict(full_answer)}


GRAPH = {
    "n1": {
        "width": 80,
        "height": 40,
        "objects": {
            "7": {"name": "cup", "x": 40, "y": 0, "w": 40, "h": 20, "attributes": [], "relations": []},  # top right
            "8": {"name": "dog", "x": 0, "y": 0, "w": 30, "h": 40, "attributes": [], "relations": []},  # the left 3/8
        },
    }
}


@pytest.mark.parametrize(
    ("annotations", "share"),
    [
        (pointing({"2": "7"}), 0.5),  # the cell at the top right
        (pointing({"2": "7"}, {"3": "7"}), 1.0),  # named twice, counted twice
        (pointing({"2": "8"}), 0.75 * (0.1 + 0.2)),  # three quarters of both cells on the left
        (pointing({}), 0.0),
    ],
)
def test_grounding_is_the_attention_on_what_the_words_mean(tmp_path, annotations, share):
    folder = written(tmp_path, {"1": row(annotations=annotations)}, graphs=GRAPH)
    attention = {"1": [[0.1, 0.5], [0.2, 0.2]]}
    assert gqa.score({"1": "yes"}, folder, attention=attention).figures["grounding"] == pytest.approx(100 * share)


@pytest.mark.parametrize(
    ("rows", "predictions", "said"),
    [
        ({"1": row(), "2": row()}, {"2": "yes"}, "no prediction for question 1"),
        ({"1": row()}, {"1": "yes", "3": "no"}, "a prediction for question 3"),
        ({"1": row(answer=None)}, {"1": "yes"}, "question 1 has no answer"),
        ({"1": row(structural="guess")}, {"1": "yes"}, "structural type 'guess'"),
        ({"1": row(semantic="mood")}, {"1": "yes"}, "semantic type 'mood'"),
        ({"1": {"question": "?"}}, {"1": "yes"}, "not a file of GQA.*imageId"),
    ],
)
def test_what_does_not_fit_is_refused_with_file_and_question(tmp_path, rows, predictions, said):
    with pytest.raises(BadInput, match=said) as error:
        gqa.score(predictions, written(tmp_path, rows))
    assert "val_balanced_questions.json" in str(error.value)


def test_a_question_without_its_choices_is_refused(tmp_path):
    with pytest.raises(BadInput, match="question 1 has no choices"):
        gqa.score({"1": "yes"}, written(tmp_path, {"1": row()}, choices={}))


def test_attention_or_objects_that_lack_are_named(tmp_path):
    folder = written(tmp_path, {"1": row(annotations=pointing({"2": "9"}))}, graphs=GRAPH)
    with pytest.raises(BadInput, match="question 1 has no attention"):
        gqa.score({"1": "yes"}, folder, attention={})
    with pytest.raises(BadInput, match="object 9"):
        gqa.score({"1": "yes"}, folder, attention={"1": [[1.0]]})
