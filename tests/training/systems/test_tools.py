"""Tools that a recipe names, from its settings to the prompt, in training and in answering."""

from pathlib import Path

import numpy as np
import pytest

from pstgen import train_eval
from pstgen.core.records import BadInput, Unavailable
from pstgen.evaluation import arms, data, inference
from pstgen.training.recipe import Recipe
from pstgen.training.systems import tools

IMAGE = np.zeros((40, 30, 3), np.uint8)


@pytest.fixture
def plan(tmp_path):
    """Where the system with tools sits, and the stages it needs."""

    def of(**more):
        recipe = Recipe(systems=("tools",), **more)
        made = data.paths(tmp_path)
        (arm,) = arms.plan_arms(recipe, made, tmp_path)
        return arm, arms.eval_job(recipe, arm, made)

    return of


def test_without_a_name_stage_one_trains_the_detector(plan):
    arm, job = plan()
    assert arm.encoder.stage == "encoder"
    assert arm.joint.detector == job.detector == arm.encoder.out


def test_a_detector_that_is_named_is_used_and_none_is_trained(plan):
    arm, job = plan(detector="some/detector", ocr="tesseract")
    assert arm.encoder is None
    assert arm.joint.detector == job.detector == Path("some/detector")
    assert arm.joint.recipe.ocr == job.recipe.ocr == "tesseract"


def test_what_a_named_detector_sees_stands_in_the_prompt(plan, detector_folder):
    _, job = plan(detector=str(detector_folder))
    asked = []

    class Model:
        def generate(self, questions, images, *_):
            asked.extend(questions)
            return ["a cup" for _ in images]

    answerer = inference.load_answerer(job, lambda _: Model())
    assert tools.answer(answerer, [inference.Query("q", "What is this?", (), IMAGE)]) == ["a cup"]
    assert asked == ["Seen: nothing. What is this?"]


def test_what_does_not_load_is_known_before_anything_is_made(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BadInput, match="nowhere"):
        train_eval.check_possible(Recipe(detector="nowhere"))
    with pytest.raises(Unavailable, match="tesseract"):
        train_eval.check_possible(Recipe(ocr="tesseract"))
    with pytest.raises(BadInput, match="--model"):
        train_eval.check_possible(Recipe())


@pytest.fixture(scope="module")
def detector_folder(tmp_path_factory):
    """A detector of random weights, sure of nothing."""
    from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessor

    folder = tmp_path_factory.mktemp("yolos")
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    labels = {n: f"thing {n}" for n in range(8)}
    config = YolosConfig(**sizes, image_size=[32, 32], patch_size=16, num_detection_tokens=4, id2label=labels)
    YolosForObjectDetection(config).save_pretrained(folder)
    YolosImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder
