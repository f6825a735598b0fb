"""What a system is asked, once, and what is measured of it where its model is loaded."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pstgen.core.records import Unavailable
from pstgen.evaluation import data, inference
from pstgen.evaluation.data import Benchmark
from pstgen.evaluation.inference import EvalJob, JobEvaluation
from pstgen.questions.benchmarks.files import Example
from pstgen.training import systems
from pstgen.training.recipe import Recipe


@pytest.fixture
def job(tmp_path):
    """A job that has answered nothing yet."""
    return EvalJob("standard", 0, tmp_path / "standard", tmp_path, None, data.paths(tmp_path), Recipe())


def test_a_question_that_stands_in_both_formats_is_answered_once(monkeypatch, tmp_path):
    image = tmp_path / "1.png"
    cv2.imwrite(str(image), np.zeros((8, 8, 3), np.uint8))
    vqa = [Example("1", image, "Is it?", "yes"), Example("2", image, "Which?", "red")]
    gqa = [Example("1", image, "Is it?", "yes"), Example("2", image, "Another?", "no")]
    benchmarks = {"vqa": Benchmark(lambda *_: iter(vqa), None), "gqa": Benchmark(lambda *_: iter(gqa), None)}
    monkeypatch.setattr(inference, "BENCHMARKS", benchmarks)
    asked = []

    def answer(_, queries):
        asked.extend(query.question for query in queries)
        return [query.question.lower() for query in queries]

    evaluation = SimpleNamespace(
        system=SimpleNamespace(answer=answer), answerer=None, benchmarks={"vqa": tmp_path, "gqa": tmp_path}
    )
    assert inference._answer_benchmarks(evaluation) == {
        "vqa": {"1": "is it?", "2": "which?"},
        "gqa": {"1": "is it?", "2": "another?"},
    }
    assert asked == ["Is it?", "Which?", "Another?"]


def test_only_a_benchmark_with_files_is_asked(tmp_path):
    official = tmp_path / "vqa"
    official.mkdir()
    assert data.paths(tmp_path, vqa=official).benchmarks == {"vqa": official}
    assert data.paths(tmp_path).benchmarks == dict.fromkeys(("vqa", "gqa"), tmp_path / "exams")


@pytest.mark.parametrize(
    ("system", "evaluations", "measured"),
    [
        ("standard", (), {"attention", "deployment", "language", "probes", "robustness"}),
        ("chain", (), {"attention", "chains", "deployment", "language", "probes", "robustness"}),
        ("question_only", (), {"deployment", "language"}),
        ("agent", (), {"deployment", "robustness"}),
        ("cascade", (), {"deployment", "robustness"}),
        ("standard", ("language", "pst"), {"language"}),
    ],
)
def test_what_is_measured_beside_the_model_goes_by_recipe_and_system(system, evaluations, measured):
    recipe = Recipe(evaluations=evaluations)
    assert set(inference.expensive_metrics(recipe, systems.load(system))) == measured


def test_what_is_unavailable_is_absent_with_the_reason(job, monkeypatch):
    def measure(evaluation):
        return evaluation.latency

    monkeypatch.setattr(inference.metrics, "load", lambda _: SimpleNamespace(measure=measure))
    scores = inference.measure("cost", JobEvaluation(job))
    assert scores.figures == {}
    assert scores.absent == {"overall": "latency is measured after all systems have answered"}
    with pytest.raises(Unavailable):
        _ = JobEvaluation(job).latency


def test_another_lambda_is_the_same_system():
    assert inference.load_system("perceptual_reward@0.1") is systems.load("perceptual_reward")
