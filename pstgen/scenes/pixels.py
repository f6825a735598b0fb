"""Pixels of a scene: its image, the masks of its instances, its depth. Decoded when asked for, a few kept."""

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

from pstgen.core.records import Instance, Refusals, Scene

MAX_PIXELS = 89_478_485  # Pillow's own warning threshold, made an error


Pixels = TypeVar("Pixels", bound=NDArray[Any])


def frozen(pixels: Pixels) -> Pixels:
    """The same array, read-only from now on."""
    pixels.setflags(write=False)
    return pixels


class Unsound(Exception):
    """An image that cannot be used; the message is the reason."""


@lru_cache(maxsize=8)
def read(path: str) -> NDArray[np.uint8]:
    """Decode the whole image file: (H, W, 3) uint8 RGB, read-only. Raises Unsound.

    Four-channel (CMYK) files and such that a viewer would rotate (EXIF) are refused: what one program shows of
    them is not what another does. Pillow's size check comes before any decoding.
    """
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise Unsound(f"{picture.width}x{picture.height} pixels are more than {MAX_PIXELS:,}")
            if picture.mode in {"CMYK", "YCCK"}:
                raise Unsound("CMYK image; convert it to RGB")
            if picture.getexif().get(0x0112, 1) != 1:
                raise Unsound("rotated by its EXIF tag; store it upright")
            pixels = np.array(picture.convert("RGB"))
    except FileNotFoundError:
        raise Unsound("no such image file") from None
    except Image.DecompressionBombError as error:
        raise Unsound(str(error)) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Unsound(f"not readable as an image: {error}") from None
    return frozen(pixels)


def decoded(code: bytes) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of an image file's bytes that were read before."""
    return np.array(Image.open(io.BytesIO(code)).convert("RGB"))


def image(scene: Scene) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB, read-only. Raises Unsound, also where the file's size is not the annotated one."""
    pixels = read(scene.path)
    if pixels.shape[:2] != (scene.height, scene.width):
        height, width = pixels.shape[:2]
        raise Unsound(f"is {width}x{height}, annotated as {scene.width}x{scene.height}")
    return pixels


def sound(scenes: Iterable[Scene], refused: Refusals) -> Iterator[Scene]:
    """Pass on the scenes whose image can be opened and has the annotated size; the others are named in `refused`."""
    for scene in scenes:
        if reason := unsound(scene):
            refuse(scene, reason, refused)
        else:
            yield scene


def refuse(scene: Scene, reason: str, refused: Refusals) -> None:
    """Name a scene whose image cannot be used."""
    refused.record(Path(scene.path).name or scene.id, f"image {scene.id.partition('/')[2]}", reason)


def unsound(scene: Scene) -> str:
    """Why the scene's image cannot be used, or ""."""
    try:
        image(scene)
    except Unsound as reason:
        return str(reason)
    return ""


@lru_cache(maxsize=256)
def _decode(rle: bytes, height: int, width: int) -> NDArray[np.bool_]:
    decoded: NDArray[np.uint8] = coco_mask.decode({"size": [height, width], "counts": rle})
    return frozen(decoded.view(np.bool_))


def mask(instance: Instance, scene: Scene, *, full: bool = False) -> NDArray[np.bool_]:
    """(H, W) bool, read-only: what is seen of the instance; with `full`, what there is of it behind others too."""
    rle = instance.full_rle if full else instance.rle
    if not rle:
        return np.zeros((scene.height, scene.width), dtype=bool)
    return _decode(rle, scene.height, scene.width)


def area(rle: bytes, width: int, height: int) -> float:
    """Pixels of a mask."""
    return float(coco_mask.area({"size": [height, width], "counts": rle}))


def depth(scene: Scene, unknown: NDArray[np.bool_] | None = None) -> NDArray[np.uint16] | None:
    """(H, W) uint16 millimetres from the camera, 0 where unknown; None where the source has no depth.

    unknown: (H, W) bool, where it is not known any more.
    """
    if not scene.depth_path or not Path(scene.depth_path).is_file():
        return None
    read = cv2.imread(scene.depth_path, cv2.IMREAD_UNCHANGED)
    return read if unknown is None or read is None else np.where(unknown, 0, read).astype(np.uint16)  # type: ignore[return-value]
