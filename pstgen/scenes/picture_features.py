"""A picture as a few numbers that know nothing of things: how bright it is where, and how its pixels vary."""

import cv2
import numpy as np
from numpy.typing import NDArray

LEVELS = 2  # that residuals are clipped at, as in SPAM features (Pevny, Bas and Fridrich 2010)
GRID = 8  # cells a side, of the coarse image
FILTERS = ([[0, 0, 0], [-1, 1, 0], [0, 0, 0]], [[0, -1, 0], [0, 1, 0], [0, 0, 0]], [[0, 1, 0], [1, -4, 1], [0, 1, 0]])

Features = NDArray[np.float32]


def residuals(image: NDArray[np.uint8]) -> Features:
    """(D,) of an (H, W, 3) image: how often neighbouring high-pass residuals have each two values."""
    grey, histograms = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), list[Features]()
    for kernel in FILTERS:
        residual = cv2.filter2D(grey, cv2.CV_32F, np.array(kernel, np.float32)) / 2
        level = (np.clip(np.rint(residual), -LEVELS, LEVELS) + LEVELS).astype(np.uint8)
        for first, second in ((level[:, :-1], level[:, 1:]), (level[:-1], level[1:])):
            size = 2 * LEVELS + 1
            planes = [np.ascontiguousarray(first), np.ascontiguousarray(second)]
            counts = cv2.calcHist(planes, [0, 1], None, [size, size], [0, size, 0, size]).ravel()
            histograms.append(np.sqrt(counts / counts.sum()))
    return np.concatenate(histograms).astype(np.float32)


def coarse(image: NDArray[np.uint8]) -> Features:
    """(GRID * GRID,) of an (H, W, 3) image: the brightness of each cell, 0 to 1."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return (cv2.resize(grey, (GRID, GRID), interpolation=cv2.INTER_AREA).ravel() / 255).astype(np.float32)


def picture(image: NDArray[np.uint8]) -> Features:
    """(D,) of an (H, W, 3) image: the image, coarsely, and its residuals."""
    return np.concatenate([coarse(image), residuals(image)])
