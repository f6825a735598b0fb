"""A mark drawn into a picture: a small circle around the point in question, which itself stays free."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.truth import pixels

RADIUS = 0.035  # of the image's longer side
FIXED = 4  # binary digits after the point, of OpenCV's fixed-point coordinates


def marked(image: NDArray[np.uint8], mark: tuple[float, float]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 with a ring around (x, y): red between two white lines, seen on any ground."""
    drawn = image.copy()
    radius = max(4.0, RADIUS * max(image.shape[:2]))
    centre = (round(mark[0] * 2**FIXED), round(mark[1] * 2**FIXED))
    width = max(1, round(radius / 4))
    for colour, more in (((255, 255, 255), 2), ((220, 20, 30), 0)):
        cv2.circle(drawn, centre, round(radius * 2**FIXED), colour, width + more, cv2.LINE_AA, FIXED)
    return drawn


def file(path: str, mark: tuple[float, float], folder: Path) -> str:
    """Write the marked image as a PNG into `folder`, once; returns its path."""
    stem = Path(path).name.replace(".", "-")
    done = folder / f"{stem}-mark-{mark[0]:g}-{mark[1]:g}.png"
    if not done.is_file():
        cv2.imwrite(str(done), marked(pixels.read(path), mark)[:, :, ::-1])
    return str(done)
