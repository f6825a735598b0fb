"""The curves of the losses, from the logs that training leaves: mean over seeds, smoothed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import BadInput

PERCEPTUAL = ("contrast", "dense", "named")  # parts of the perceptual loss in stage 2
SMOOTH = 0.05  # of the steps, over which a running mean goes

Log = dict[int, dict[str, float]]  # step → part → value


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of a plot."""

    steps: tuple[int, ...]
    values: tuple[float, ...]


def joint(out: Path, system: str) -> list[Log]:
    """The logs of a system's stage 2, one for each seed; none where there are no logs."""
    return [read(file) for file in sorted(out.glob(f"seed-*/{system}/model/log.jsonl"))]


def encoders(out: Path) -> dict[str, list[Log]]:
    """The logs of stage 1, by what it is taught, one for each seed."""
    logs: dict[str, list[Log]] = {}
    for file in sorted(out.glob("seed-*/encoder-*/log.jsonl")):
        logs.setdefault(file.parent.name.removeprefix("encoder-"), []).append(read(file))
    return logs


def read(file: Path) -> Log:
    """A log's lines by step. A run that was interrupted and resumed has some steps twice: the later line counts.

    Raises BadInput, naming the line, where one is not a step with its losses.
    """
    log: Log = {}
    for n, line in enumerate(file.read_bytes().splitlines(), 1):
        try:
            figures = msgspec.json.decode(line, type=dict[str, float])
            log[int(figures.pop("step"))] = figures
        except (msgspec.DecodeError, KeyError) as error:
            raise BadInput(f"{file}: line {n}: not a step with its losses: {error}; remove that line") from None
    return log


def smoothed(logs: Sequence[Log], parts: Sequence[str]) -> Curve | None:
    """The sum of some parts: mean over seeds, then a running mean. None where no step has them all in every seed."""
    shared = set.intersection(*(set(log) for log in logs)) if logs else set()
    steps = sorted(step for step in shared if all(part in log[step] for log in logs for part in parts))
    if not steps:
        return None
    values = np.array([np.mean([sum(log[step][part] for part in parts) for log in logs]) for step in steps])
    return Curve(tuple(steps), tuple(running_mean(values, round(SMOOTH * len(steps))).tolist()))


def running_mean(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """The mean of each value and up to `reach` neighbours on either side.

    >>> running_mean(np.array([0.0, 3.0, 6.0]), 1).tolist()
    [1.5, 3.0, 4.5]
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(len(values))
    low, high = (places - reach).clip(min=0), (places + reach + 1).clip(max=len(values))
    means: NDArray[np.float64] = (sums[high] - sums[low]) / (high - low)
    return means
