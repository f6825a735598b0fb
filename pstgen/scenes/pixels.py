"""Pixels of a scene: its image, the masks of its instances, its depth; decoded on demand, the last few cached."""

import io
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from pycocotools import mask as coco_mask

from pstgen.core.records import Instance, Scene
from pstgen.core.report import Refusals

MAX_PIXELS = 89_478_485  # Pillow's own warning threshold, here an error

Pixels = TypeVar("Pixels", bound=NDArray[Any])


def read_only(pixels: Pixels) -> Pixels:
    """The same array, read-only from now on."""
    pixels.setflags(write=False)
    return pixels


class UnusableImage(Exception):
    """An image that cannot be used; the message is the reason."""


@lru_cache(maxsize=8)
def read(path: str) -> NDArray[np.uint8]:
    """Decode the whole image file: (H, W, 3) uint8 RGB, read-only. Raises UnusableImage.

    Four-channel (CMYK) files, greyscale of more than 8 bits, and those that a viewer would rotate (EXIF) are refused, since
    programs differ in how they show them. The size is checked before anything is decoded.
    """
    try:
        with Image.open(path) as file:
            if file.width * file.height > MAX_PIXELS:
                raise UnusableImage(f"{file.width}x{file.height} pixels are more than {MAX_PIXELS:,}")
            if file.mode in {"CMYK", "YCCK"}:
                raise UnusableImage("CMYK image; convert it to RGB")
            if file.mode.startswith(("I", "F")):
                raise UnusableImage("greyscale of 16 bits or more; convert it to 8")
            if file.getexif().get(0x0112, 1) != 1:
                raise UnusableImage("rotated by its EXIF tag; store it upright")
            pixels = np.array(file.convert("RGB"))
    except FileNotFoundError:
        raise UnusableImage("no such image file") from None
    except Image.DecompressionBombError as error:
        raise UnusableImage(str(error)) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise UnusableImage(f"not readable as an image: {error}") from None
    return read_only(pixels)


def size(path: str) -> tuple[int, int]:
    """Width and height of an image file, of which no more is read. Raises ValueError where it is none."""
    try:
        with Image.open(path) as file:
            return file.size
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"not readable as an image: {error}") from None


def decode(code: bytes) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of the bytes of an image file that is known to be usable."""
    return np.array(Image.open(io.BytesIO(code)).convert("RGB"))


def image(scene: Scene) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB, read-only. Raises UnusableImage, also where the file's size is not the annotated one."""
    pixels = read(scene.path)
    if pixels.shape[:2] != (scene.height, scene.width):
        height, width = pixels.shape[:2]
        raise UnusableImage(f"is {width}x{height}, annotated as {scene.width}x{scene.height}")
    return pixels


def usable(scenes: Iterable[Scene], refused: Refusals) -> Iterator[Scene]:
    """Pass on the scenes whose image can be opened and has the annotated size; the others are recorded in `refused`."""
    for scene in scenes:
        if reason := defect(scene):
            refuse(scene, reason, refused)
        else:
            yield scene


def refuse(scene: Scene, reason: str, refused: Refusals) -> None:
    """Record a scene whose image cannot be used."""
    refused.record(Path(scene.path).name or scene.id, f"image {scene.id.partition('/')[2]}", reason)


def defect(scene: Scene) -> str:
    """Why the scene's image cannot be used, or ""."""
    try:
        image(scene)
    except UnusableImage as reason:
        return str(reason)
    return ""


@lru_cache(maxsize=256)
def _decode(rle: bytes, height: int, width: int) -> NDArray[np.bool_]:
    mask: NDArray[np.uint8] = coco_mask.decode({"size": [height, width], "counts": rle})
    return read_only(mask.view(np.bool_))


def mask(instance: Instance, scene: Scene, *, full: bool = False) -> NDArray[np.bool_]:
    """(H, W) bool, read-only: the visible part of the instance; with `full`, also the part that others hide."""
    rle = instance.full_rle if full else instance.rle
    if not rle:
        return np.zeros((scene.height, scene.width), dtype=bool)
    return _decode(rle, scene.height, scene.width)


def area(rle: bytes, width: int, height: int) -> float:
    """Pixels of a mask."""
    return float(coco_mask.area({"size": [height, width], "counts": rle}))


def depth(scene: Scene, unknown: NDArray[np.bool_] | None = None) -> NDArray[np.uint16] | None:
    """(H, W) uint16 millimetres from the camera, 0 where unknown; None where the source has no depth.

    unknown: (H, W) bool, where it is no longer known.
    """
    if not scene.depth_path or not Path(scene.depth_path).is_file():
        return None
    millimetres = cv2.imread(scene.depth_path, cv2.IMREAD_UNCHANGED)
    if unknown is None or millimetres is None:
        return millimetres  # type: ignore[return-value]
    return np.where(unknown, 0, millimetres).astype(np.uint16)
