"""Pixels of a scene: its image, the masks of its instances, its depth; decoded on demand, the last few cached."""

import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from pycocotools import mask as coco_mask

from pstgen.core import reading
from pstgen.core.memo import Kept
from pstgen.core.records import Instance, Scene
from pstgen.core.report import Refusals

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")  # no other is tried: Pillow would start Ghostscript for an EPS
MAX_PIXELS = 50_000_000  # of a picture; a telephone's largest has 48 million, as a rule
KEPT = 2**27  # bytes of decoded pictures that are kept, and as many of masks

Pixels = TypeVar("Pixels", bound=NDArray[Any])
PICTURES: Kept[NDArray[np.uint8]] = Kept(KEPT)
MASKS: Kept[NDArray[np.bool_]] = Kept(KEPT)


def read_only(pixels: Pixels) -> Pixels:
    """The same array, read-only from now on."""
    pixels.setflags(write=False)
    return pixels


class UnusableImage(ValueError):
    """An image that cannot be used; the message is the reason."""


def read(path: str, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Decode the whole image file: (H, W, 3) uint8 RGB, read-only. Raises UnusableImage.

    Four-channel (CMYK) files, greyscale of more than 8 bits, and those that a viewer would rotate (EXIF) are refused, since
    programs differ in how they show them. size: (W, H) that it must have. Nothing of another size, or too large, is decoded.
    """
    pixels = PICTURES.get(path, partial(_decoded, path, size))
    _refuse_other((pixels.shape[1], pixels.shape[0]), size)
    return pixels


def remember(path: str, picture: NDArray[np.uint8]) -> None:
    """Keep the picture, (H, W, 3) uint8 RGB, as if it had just been read from a file of that path."""
    PICTURES.get(path, lambda: read_only(picture.view()))


def _decoded(path: str, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    with opened(path) as file:
        if file.mode in {"CMYK", "YCCK"}:
            raise UnusableImage("CMYK image; convert it to RGB")
        if file.mode.startswith(("I", "F")):
            raise UnusableImage("greyscale of 16 bits or more; convert it to 8")
        if size and file.width * file.height != size[0] * size[1]:
            _refuse_other(file.size, size)  # before EXIF is read: of a PNG it stands behind the pixels
        if file.getexif().get(0x0112, 1) != 1:
            raise UnusableImage("rotated by its EXIF tag; store it upright")
        _refuse_other(file.size, size)
        return read_only(np.asarray(_rgb(file)))


def _refuse_other(found: tuple[int, int], size: tuple[int, int] | None) -> None:
    if size and found != size:
        raise UnusableImage(f"is {found[0]}x{found[1]}, annotated as {size[0]}x{size[1]}")


@contextmanager
def opened(source: str | bytes) -> Iterator[Image.Image]:
    """An image, of which the head alone is read, and the rest as the block decodes it. source: a file's path, or its bytes.

    Raises UnusableImage for what is no regular file, of none of FORMATS, of too many pixels, or damaged.
    """
    try:
        with _file(source) as code, _headed(code) as picture:
            yield picture
    except UnusableImage:
        raise
    except FileNotFoundError:
        raise UnusableImage("no such image file") from None
    except UnidentifiedImageError:
        raise UnusableImage(f"not readable as an image: it is none of {', '.join(FORMATS)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnusableImage(f"its pixels are more than {MAX_PIXELS:,}") from None
    except Exception as error:  # noqa: BLE001 (decoders of damaged files raise of all kinds)
        raise UnusableImage(f"not readable as an image: {error}") from None


def _file(source: str | bytes) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else reading.opened(Path(source))


def _headed(code: BinaryIO) -> Image.Image:
    """What its head says of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        picture = Image.open(code, formats=FORMATS)
    if picture.width * picture.height > MAX_PIXELS:
        raise UnusableImage(f"{picture.width}x{picture.height} pixels are more than {MAX_PIXELS:,}")
    return picture


def size(path: str) -> tuple[int, int]:
    """Width and height of an image file, of which no more is read. Raises UnusableImage."""
    with opened(path) as file:
        return file.size


def decode(code: bytes) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of the bytes of an image file. Raises UnusableImage."""
    with opened(code) as file:
        return np.array(_rgb(file))


def _rgb(file: Image.Image) -> Image.Image:
    """What is RGB already is not copied."""
    return file if file.mode == "RGB" else file.convert("RGB")


def image(scene: Scene) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB, read-only. Raises UnusableImage, also where the file's size is not the annotated one."""
    return read(scene.path, (scene.width, scene.height))


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


def _unpacked(rle: bytes, height: int, width: int) -> NDArray[np.bool_]:
    mask: NDArray[np.uint8] = coco_mask.decode({"size": [height, width], "counts": rle})
    return read_only(mask.view(np.bool_))


def mask(instance: Instance, scene: Scene, *, full: bool = False) -> NDArray[np.bool_]:
    """(H, W) bool, read-only: the visible part of the instance; with `full`, also the part that others hide."""
    rle = instance.full_rle if full else instance.rle
    if not rle:
        return np.zeros((scene.height, scene.width), dtype=bool)
    name = (rle, scene.height, scene.width)
    return MASKS.get(name, partial(_unpacked, *name))


def area(rle: bytes, width: int, height: int) -> float:
    """Pixels of a mask."""
    return float(coco_mask.area({"size": [height, width], "counts": rle}))


def depth(scene: Scene, unknown: NDArray[np.bool_] | None = None) -> NDArray[np.uint16] | None:
    """(H, W) uint16 millimetres from the camera, 0 where unknown; None where the source has no depth, or none that fits.

    unknown: (H, W) bool, where it is no longer known.
    """
    if not scene.depth_path:
        return None
    try:
        with opened(scene.depth_path) as file:
            millimetres = np.array(file) if is_depth(file, scene.width, scene.height) else None
    except UnusableImage:
        return None
    return millimetres if millimetres is None or unknown is None else np.where(unknown, np.uint16(0), millimetres)


def is_depth(file: Image.Image, width: int, height: int) -> bool:
    """Is it a map of depth for a picture of that size? It has 16 bits."""
    return file.mode == "I;16" and file.size == (width, height)
