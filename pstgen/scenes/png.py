"""Pixels as PNG: a picture that cannot be written is an error, whereas OpenCV's own `imwrite` says nothing."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np


def encode(pixels: Any, level: int | None = None) -> bytes:
    """The PNG of (H, W) uint8 or uint16, or of (H, W, 3) uint8 RGB.

    level: zlib's, OpenCV's own where none is given. At 0, which nothing makes smaller, rows are not filtered either.
    """
    stored = np.asarray(pixels)
    if stored.ndim == 3:
        stored = stored[:, :, ::-1]
    how = [] if level is None else [cv2.IMWRITE_PNG_COMPRESSION, level]
    if level == 0:
        how += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE]
    done, code = cv2.imencode(".png", stored, how)
    if not done:
        raise ValueError(f"pixels of {stored.dtype} {stored.shape} cannot be a PNG")
    return code.tobytes()


def write(path: str | Path, pixels: Any, level: int | None = None) -> None:
    """Write pixels as PNG. Raises OSError where the file cannot be written."""
    Path(path).write_bytes(encode(pixels, level))
