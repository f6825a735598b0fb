"""A "no" needs a detector that detects nothing."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pstgen.core.records import BadInput, Region, Unavailable
from pstgen.models import detector
from pstgen.scenes import pixels
from pstgen.scenes.truth import layout, presence

COCO = os.environ.get("PSTGEN_COCO_ROOT")
ONNX = Path(COCO).parent / "detector" / "FastestDet.onnx" if COCO else Path("none")


@pytest.fixture(scope="module")
def yolos(tmp_path_factory):
    """A tiny random detector in Hugging Face format that knows two kinds of thing."""
    from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessor

    folder = tmp_path_factory.mktemp("yolos")
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    labels = {0: "cup", 1: "dog"}
    config = YolosConfig(**sizes, image_size=[32, 32], patch_size=16, num_detection_tokens=4, id2label=labels)
    YolosForObjectDetection(config).save_pretrained(folder)
    YolosImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture
def photo(scene, thing, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    return replace(scene(thing("chair", 0), complete=False), path=str(tmp_path / "photo.png"))


def test_what_is_detected_at_a_low_threshold_is_not_known_to_be_absent(scene, thing):
    def dog(**more):
        return presence.by_category(
            scene(thing("chair", 0), complete=False, captions=("a chair",), categories=("dog",), **more)
        )["dog"]

    assert dog().answer == "no"
    assert dog(detected=("dog",)).reason == "not annotated, but detected at a low threshold"


def test_where_a_detector_looked_and_was_silent_what_is_easily_missed_is_absent_too(scene, thing):
    def fork(**more):
        return presence.by_category(
            scene(thing("chair", 0), complete=False, captions=("a chair",), categories=("fork",), **more)
        )["fork"]

    assert fork().reason == "not annotated, but easily missed"
    assert fork(detected=()).answer == "no"
    assert fork(detected=("fork",)).reason == "not annotated, but detected at a low threshold"


@pytest.mark.parametrize(("threshold", "kinds"), [(0.0, {"cup", "dog", "chair"}), (1.1, set())])
def test_a_transformers_detector_is_asked_by_name(yolos, photo, threshold, kinds):
    (seen,) = detector.add_detections([photo], detect=detector.load(yolos), threshold=threshold)
    assert set(seen.detected) == kinds


@pytest.mark.skipif(not ONNX.is_file(), reason="no ONNX detector at hand")
def test_an_onnx_detector_detects_large_annotated_things_at_a_low_threshold():
    from pstgen.core.config import build_config
    from pstgen.core.report import Refusals
    from pstgen.scenes.sources import coco

    scenes = list(coco.scenes(build_config(root=Path(COCO)), lambda name: int(name[-2:]) < 20, Refusals()))
    large = right = 0
    for scene in detector.add_detections(scenes, detect=detector.load(ONNX), threshold=0.2):
        for thing in scene.instances:
            if thing.area > 0.15 * scene.width * scene.height and not thing.crowd:
                large, right = large + 1, right + (thing.category in scene.detected)
    assert right > 0.7 * large > 5


@pytest.mark.skipif(not ONNX.is_file(), reason="no ONNX detector at hand")
def test_an_onnx_detector_finds_what_is_annotated():
    """Of the categories that it detects in a photograph, most are there."""
    from pstgen.core.config import build_config
    from pstgen.core.report import Refusals
    from pstgen.scenes.sources import coco

    finder = detector.load_finder(str(ONNX))
    detected = there = 0
    near = []
    for scene in coco.scenes(build_config(root=Path(COCO)), lambda name: int(name[-2:]) < 20, Refusals()):
        (found,) = finder.find([pixels.image(scene)])
        kinds = {thing.category for thing in found}
        near += [_near(thing, scene) for thing in found]
        detected, there = detected + len(kinds), there + len(kinds & {thing.category for thing in scene.instances})
    assert there > 0.7 * detected > 5
    assert np.mean(near) > 0.6


def _near(found, scene):
    """Does one of the annotated things of its category have about its box?"""
    x, y, width, height = found.box * np.array([scene.width, scene.height] * 2)
    box = Region(x=x, y=y, width=width, height=height)
    things = [thing for thing in scene.instances if thing.category == found.category]
    return any(layout._overlap(box, thing.region) > 0.4 for thing in things)


def test_an_object_in_two_cells_of_a_grid_counts_once(monkeypatch):
    """Two neighbouring cells predict the same box of a dog, a third far away another dog, a fourth is unsure of a cat."""
    kinds = {"dog": 16, "cat": 15}
    grid = np.zeros((85, 8, 8), np.float32)
    for row, column, kind, sure, off in (
        (2, 2, "dog", 0.9, 0.5),
        (2, 3, "dog", 0.8, -0.5),
        (6, 6, "dog", 0.7, 0.0),
        (0, 0, "cat", 0.1, 0.0),
    ):
        grid[0, row, column] = grid[5 + kinds[kind], row, column] = sure
        grid[1, row, column] = np.arctanh(off)
        grid[3:5, row, column] = -1
    monkeypatch.setattr(detector, "_grid_network", lambda _: lambda _: grid)
    (found,) = detector._grid_finder(ONNX).find([np.zeros((8, 8, 3), np.uint8)])
    assert [thing.category for thing in found] == ["dog", "dog"]
    half = 1 / (1 + np.exp(1)) / 2  # of a side
    first = next(thing for thing in found if thing.box[0] < 0.5)
    assert first.box == pytest.approx((2.5 / 8 - half, 2 / 8 - half, 2 * half, 2 * half), abs=1e-6)


@pytest.mark.parametrize(("sure", "most"), [(0.0, 4), (1.1, 0)])
def test_a_transformers_detector_counts_by_name(yolos, monkeypatch, sure, most):
    """Each of its four tokens detects an object, or none does."""
    monkeypatch.setattr(detector, "MIN_SCORE", sure)
    finder = detector.load_finder(str(yolos))
    (found,) = finder.find([np.zeros((40, 30, 3), np.uint8)])
    assert len(found) == most
    assert {thing.category for thing in found} <= {"cup", "dog"} == set(finder.categories)
    assert all(-0.5 <= side <= 1.5 for thing in found for side in thing.box)


@pytest.mark.parametrize("name", ["nowhere", "./nowhere/here", "/nowhere", "a/b/c"])
def test_what_cannot_be_a_detector_is_not_looked_up_on_the_hub(name):
    with pytest.raises(BadInput, match=name):
        detector.load_finder(name)


def test_what_is_not_a_detector_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match="nowhere"):
        detector.load(tmp_path / "nowhere")
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(Unavailable, match=r"junk\.onnx"):
        detector.load(tmp_path / "junk.onnx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(Unavailable, match="empty"):
        detector.load(tmp_path / "empty")
