"""A picture is written as it is, or it is an error."""

import cv2
import numpy as np
import pytest
from PIL import Image

from pstgen.scenes import png

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 255, (5, 7, 3), np.uint8)


@pytest.mark.parametrize("level", [None, 0, 3])
def test_colours_are_read_back_as_they_were(tmp_path, level):
    png.write(tmp_path / "a.png", COLOURS, level)
    assert (np.array(Image.open(tmp_path / "a.png")) == COLOURS).all()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_depth_is_read_back_as_it_was(tmp_path, kind):
    depth = RNG.integers(0, np.iinfo(kind).max, (5, 7), kind)
    png.write(tmp_path / "a.png", depth)
    assert (cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED) == depth).all()


def test_what_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        png.write(tmp_path / "none" / "a.png", COLOURS)
    with pytest.raises(OSError, match="No space left"):
        png.write("/dev/full", COLOURS)


def test_what_is_no_picture_is_an_error():
    with pytest.raises((ValueError, cv2.error)):
        png.encode(np.zeros((0, 0), np.uint8))
