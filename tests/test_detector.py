"""A "no" needs the detector's silence."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pstgen import detector
from pstgen.records import BadInput, Unavailable
from pstgen.truth import presence

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
    pixels = np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return replace(scene(thing("chair", 0), complete=False), path=str(tmp_path / "photo.png"))


def test_what_a_detector_hears_of_is_not_known_to_be_absent(scene, thing):
    def told(**more):
        return presence.exists("dog", [], scene(thing("chair", 0), complete=False, captions=("a chair",), **more))

    assert told().answer == "no"
    assert told(detected=("dog",)).reason == "not annotated, but a detector hears of it"


@pytest.mark.parametrize(("threshold", "kinds"), [(0.0, {"cup", "dog", "chair"}), (1.1, set())])
def test_a_transformers_detector_is_asked_by_name(yolos, photo, threshold, kinds):
    (heard,) = detector.heard([photo], yolos, threshold)
    assert set(heard.detected) == kinds


@pytest.mark.skipif(not ONNX.is_file(), reason="no ONNX detector at hand")
def test_an_onnx_detector_hears_what_large_annotated_things_are():
    from pstgen.config import BuildConfig
    from pstgen.records import Refusals
    from pstgen.sources import coco

    scenes = list(coco.scenes(BuildConfig(root=Path(COCO)), lambda name: int(name[-2:]) < 20, Refusals()))
    large = right = 0
    for scene in detector.heard(scenes, ONNX, 0.2):
        for thing in scene.instances:
            if thing.area > 0.15 * scene.width * scene.height and not thing.crowd:
                large, right = large + 1, right + (thing.category in scene.detected)
    assert right > 0.7 * large > 5


def test_what_is_no_detector_is_said_with_its_name(tmp_path):
    with pytest.raises(BadInput, match="nowhere"):
        detector.load(tmp_path / "nowhere")
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(Unavailable, match=r"junk\.onnx"):
        detector.load(tmp_path / "junk.onnx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(Unavailable, match="empty"):
        detector.load(tmp_path / "empty")
