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

WHITE = np.full((80, 300, 3), 255, np.uint8)
HERE = {"tesseract": shutil.which("tesseract"), "rapidocr": find_spec("rapidocr")}


@pytest.fixture
def found(monkeypatch):
    """Any detector finds this; how often one was loaded."""
    told, loaded = Counter(), []
    monkeypatch.setattr(detector, "finder", lambda name: loaded.append(name) or (lambda _: told))
    return told, loaded


def test_what_any_detector_finds_is_said_as_stage_ones_says_it(found):
    told, loaded = found
    told.update({"dog": 1, "cup": 2, "TV": 1})
    opened = tools.opened("some/detector")
    assert opened([WHITE, None]) == ["Seen: 1 TV, 2 cups, 1 dog.", ""]
    told.clear()
    assert opened([WHITE]) == ["Seen: nothing."]
    assert loaded == ["some/detector"]


def test_what_is_read_stands_behind_what_is_seen(found, monkeypatch):
    found[0].update({"stop sign": 1})
    monkeypatch.setattr(tools, "reader", lambda _: lambda image: "" if image is WHITE else "STOP")
    opened = tools.opened("some/detector", "tesseract")
    assert opened([WHITE, None, WHITE.copy()]) == [
        "Seen: 1 stop sign. Read: nothing.",
        "",
        "Seen: 1 stop sign. Read: STOP.",
    ]


@pytest.mark.parametrize("ocr", [name if HERE[name] else pytest.param(name, marks=pytest.mark.skip) for name in HERE])
def test_a_word_is_read(ocr):
    read, image = tools.reader(ocr), WHITE.copy()
    assert read(WHITE) == ""
    cv2.putText(image, "STOP HERE", (15, 55), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (0, 0, 0), 3)
    assert read(image) == "STOP HERE"


def test_ocr_that_is_not_installed_is_said_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    monkeypatch.setenv("PATH", "")
    for ocr, remedy in (("rapidocr", "pip install rapidocr"), ("tesseract", "tesseract-ocr")):
        with pytest.raises(Unavailable, match=remedy):
            tools.reader(ocr)


def test_a_detector_that_is_nowhere_is_named():
    with pytest.raises(BadInput, match="nowhere"):
        tools.opened("nowhere")
