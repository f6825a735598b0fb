"""What tools say, whichever detector and OCR they are."""

import shutil
import sys
from collections import Counter
from importlib.util import find_spec

import cv2
import numpy as np
import pytest

from pstgen.core.records import BadInput, Unavailable
from pstgen.models import detector, tools
from pstgen.models.detector import Finder, Found

WHITE = np.full((80, 300, 3), 255, np.uint8)
HERE = {"tesseract": shutil.which("tesseract"), "rapidocr": find_spec("rapidocr")}


@pytest.fixture
def detected(monkeypatch):
    """How many of what any detector finds; and which detectors were loaded."""
    counts, loaded = Counter(), []

    def find(images):
        return [[Found(name, (0.0, 0.0, 1.0, 1.0)) for name in sorted(counts.elements())] for _ in images]

    monkeypatch.setattr(detector, "load_finder", lambda name: loaded.append(name) or Finder(("dog",), find))
    return counts, loaded


def test_what_any_detector_finds_is_worded_as_stage_ones_is(detected):
    counts, loaded = detected
    counts.update({"dog": 1, "cup": 2, "TV": 1})
    describe = tools.open_tools("some/detector")
    assert describe([WHITE, None]) == ["Seen: 1 TV, 2 cups, 1 dog.", ""]
    counts.clear()
    assert describe([WHITE]) == ["Seen: nothing."]
    assert loaded == ["some/detector"]


def test_what_is_read_stands_behind_what_is_seen(detected, monkeypatch):
    detected[0].update({"stop sign": 1})
    monkeypatch.setattr(tools, "open_ocr", lambda _: lambda image: "" if image is WHITE else "STOP")
    describe = tools.open_tools("some/detector", "tesseract")
    assert describe([WHITE, None, WHITE.copy()]) == [
        "Seen: 1 stop sign. Read: nothing.",
        "",
        "Seen: 1 stop sign. Read: STOP.",
    ]


@pytest.mark.parametrize("ocr", [name if HERE[name] else pytest.param(name, marks=pytest.mark.skip) for name in HERE])
def test_a_word_is_read(ocr):
    read, image = tools.open_ocr(ocr), WHITE.copy()
    assert read(WHITE) == ""
    cv2.putText(image, "STOP HERE", (15, 55), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (0, 0, 0), 3)
    assert read(image) == "STOP HERE"


def test_ocr_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    monkeypatch.setenv("PATH", "")
    for ocr, remedy in (("rapidocr", "pip install rapidocr"), ("tesseract", "tesseract-ocr")):
        with pytest.raises(Unavailable, match=remedy):
            tools.open_ocr(ocr)


def test_a_missing_detector_is_named():
    with pytest.raises(BadInput, match="nowhere"):
        tools.open_tools("nowhere")
