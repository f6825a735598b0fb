"""Reads a perceptual chain, and compares what it names and where with what there is to be seen."""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NUMBER = r"\d{1,5}"
BOXED = re.compile(rf"(?P<name>[^()]+) at \((?P<box>{NUMBER}, {NUMBER}, {NUMBER}, {NUMBER})\)")
ABSENT = re.compile(r"no (?P<name>[^()]+) anywhere")


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain, parsed. boxed: names with boxes (x, y, w, h in pixels); absent: names of what is nowhere."""

    boxed: tuple[tuple[str, tuple[int, int, int, int]], ...]
    absent: tuple[str, ...]

    @property
    def names(self) -> Counter[str]:
        """What is named, how often."""
        return Counter([name for name, _ in self.boxed] + [f"no {name}" for name in self.absent])

    @property
    def boxes(self) -> NDArray[np.float64]:
        """(N, 4) x, y, w, h."""
        return np.array([box for _, box in self.boxed], float).reshape(-1, 4)


def parse(text: str) -> Chain | None:
    """Read a chain; None where the text is none.

    >>> parse("red cup at (10, 20, 30, 40); what it shows: red; so red")
    Chain(boxed=(('red cup', (10, 20, 30, 40)),), absent=())
    >>> parse("no cup anywhere; so no").absent, parse("red cup at (10, 20"), parse("red")
    (('cup',), None, None)
    """
    *steps, last = (step.strip() for step in text.split(";"))
    boxed = [(_plain(match["name"]), _box(match["box"])) for step in steps if (match := BOXED.fullmatch(step))]
    absent = [_plain(match["name"]) for step in steps if (match := ABSENT.fullmatch(step))]
    if not last.startswith("so ") or not (boxed or absent):
        return None
    return Chain(tuple(boxed), tuple(absent))


def names_right(chain: Chain | None, truth: Chain) -> float:
    """Share of names that are right, 0 to 1, of all that were said or to be said, whichever are more.

    >>> names_right(parse("red cup at (1, 2, 3, 4); so red"), parse("red cup at (9, 9, 9, 9); no dog anywhere; so red"))
    0.5
    """
    if chain is None:
        return 0.0
    same = (chain.names & truth.names).total()
    return same / max(chain.names.total(), truth.names.total())


def overlap(chain: Chain | None, truth: Chain) -> float:
    """Mean IoU of boxes matched one to one, 0 to 1; what is left over counts 0."""
    return matched_iou(chain.boxes, truth.boxes) if chain is not None else 0.0


def matched_iou(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Mean IoU, 0 to 1, of boxes matched one to one for the largest sum; what is left over counts 0.

    first, second: (N, 4) and (M, 4) x, y, w, h, in one unit. Where either has none: 0.

    >>> matched_iou(np.array([[0.0, 0, 10, 10]]), np.array([[50.0, 50, 2, 2], [0, 0, 10, 10]]))
    0.5
    """
    if not len(first) or not len(second):
        return 0.0
    from scipy.optimize import linear_sum_assignment

    ious = _iou(first, second)
    matched = linear_sum_assignment(-ious)
    return float(ious[matched].sum() / max(ious.shape))


def _iou(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 4) and (M, 4) x, y, w, h → (N, M)."""
    start = np.maximum(first[:, None, :2], second[None, :, :2])
    end = np.minimum((first[:, :2] + first[:, 2:])[:, None], (second[:, :2] + second[:, 2:])[None])
    intersection = (end - start).clip(min=0).prod(-1)
    union = first[:, 2:].prod(-1)[:, None] + second[:, 2:].prod(-1)[None] - intersection
    ious: NDArray[np.float64] = intersection / np.maximum(union, 1e-9)
    return ious


def _box(text: str) -> tuple[int, int, int, int]:
    x, y, width, height = map(int, text.split(", "))
    return x, y, width, height


def _plain(name: str) -> str:
    """A name as it is compared: case, spaces and a final full stop do not count."""
    return " ".join(name.lower().split()).removesuffix(".").rstrip()
