"""Pictures that strangers hand in: of a few formats, of a bounded size, and no larger than is annotated."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pstgen.core.records import Scene
from pstgen.scenes import pixels
from pstgen.scenes.pixels import UnusableImage

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n"


def head_of_png(width, height):
    """A PNG file of that size whose pixels are missing."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    first = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + first + struct.pack(">I", 9) + b"IDAT"


def annotated(path, width, height, **more):
    return Scene(id="mine/1", source="coco", path=str(path), width=width, height=height, **more)


@pytest.mark.parametrize("name", pixels.FORMATS)
def test_pictures_of_the_allowed_formats_are_read(tmp_path, name):
    Image.new("RGB", (8, 6), (255, 0, 0)).save(tmp_path / "picture", format=name)
    assert pixels.read(str(tmp_path / "picture")).shape == (6, 8, 3)


def test_an_eps_starts_no_program(tmp_path, monkeypatch):
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (tmp_path / "1.png").write_bytes(EPS)
    for look in (pixels.read, pixels.size):
        with pytest.raises(UnusableImage, match="none of JPEG, PNG"):
            look(str(tmp_path / "1.png"))
    with pytest.raises(UnusableImage, match="none of JPEG, PNG"):
        pixels.decode(EPS)
    assert not (tmp_path / "called").exists()


def test_a_pipe_is_no_picture_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "1.png")
    with pytest.raises(UnusableImage, match="not a regular file"):
        pixels.read(str(tmp_path / "1.png"))


@pytest.mark.parametrize("side", [8000, 12_000, 65_000])
def test_a_picture_of_too_many_pixels_is_refused_by_its_head(tmp_path, side):
    (tmp_path / "1.png").write_bytes(head_of_png(side, side))
    with pytest.raises(UnusableImage, match="pixels are more than 50,000,000"):
        pixels.read(str(tmp_path / "1.png"))


def test_a_picture_of_another_size_is_refused_before_it_is_decoded(tmp_path):
    (tmp_path / "1.png").write_bytes(head_of_png(5000, 5000))
    with pytest.raises(UnusableImage, match="is 5000x5000, annotated as 64x64"):
        pixels.image(annotated(tmp_path / "1.png", 64, 64))


def test_decoded_pictures_take_no_more_memory_than_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "PICTURES", pixels.Kept(3 * 100 * 100 * 2))
    for n in range(12):
        Image.new("RGB", (100, 100)).save(tmp_path / f"{n}.png")
        pixels.image(annotated(tmp_path / f"{n}.png", 100, 100))
    assert len(pixels.PICTURES.arrays) == 2


@pytest.mark.parametrize(
    "write",
    [
        lambda path: Image.new("L", (8, 6)).save(path, format="PNG"),
        lambda path: Image.fromarray(np.zeros((9, 9), np.uint16)).save(path, format="PNG"),
        lambda path: path.write_bytes(b"hello"),
        os.mkfifo,
    ],
)
def test_a_depth_that_does_not_fit_is_none(tmp_path, write):
    good = tmp_path / "good.png"
    Image.fromarray(np.full((6, 8), 700, np.uint16)).save(good)
    assert (pixels.depth(annotated("", 8, 6, depth_path=str(good))) == 700).all()
    write(tmp_path / "bad.png")
    assert pixels.depth(annotated("", 8, 6, depth_path=str(tmp_path / "bad.png"))) is None
