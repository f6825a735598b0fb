"""Made scenes: boxes that are their own masks, small enough to work out by hand."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from pstgen.records import Instance, Region, Scene


def _thing(category, x, y=0, width=20, height=20, *, id=0, within=(100, 100), **more):  # noqa: A002
    across, down = within
    pixels = np.zeros((down, across), np.uint8, order="F")
    pixels[int(y) : int(y + height), int(x) : int(x + width)] = 1
    return Instance(
        id=id or int(1 + x + 1000 * y),
        category=category,
        region=Region(x=x, y=y, width=width, height=height),
        area=float(width * height),
        rle=coco_mask.encode(pixels)["counts"],
        **more,
    )


def _scene(*instances, id="world/1", width=100, height=100, complete=True, **more):  # noqa: A002
    categories = more.pop("categories", tuple(sorted({t.category for t in instances} | {"cup", "dog", "chair"})))
    return Scene(
        id=id,
        source="world",
        path="",
        width=width,
        height=height,
        categories=categories,
        instances=instances,
        complete=complete,
        **more,
    )


@pytest.fixture(scope="session")
def thing():
    """A box of one category that is its own mask."""
    return _thing


@pytest.fixture(scope="session")
def scene():
    """A scene of such things, 100 x 100 unless told."""
    return _scene


@pytest.fixture(scope="session")
def kitchen():
    """A cup on the left, a dog on the right."""
    return _scene(_thing("cup", 0, 10), _thing("dog", 70, 10))


@pytest.fixture(scope="session")
def tiny_llava(tmp_path_factory):
    """A folder with a tiny random LLaVA in Hugging Face format."""
    spec = importlib.util.spec_from_file_location("tiny_llava", Path(__file__).with_name("tiny_llava.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build(tmp_path_factory.mktemp("tiny") / "llava")
