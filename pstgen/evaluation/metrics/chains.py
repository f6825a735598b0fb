"""Perceptual chains: does what a model says it sees name the right things, at the right places?"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import BadInput
from pstgen.dataset import rationale
from pstgen.dataset.store import Row
from pstgen.evaluation.metrics import Scores, plain

FOUND = 0.5  # IoU
BOXED = re.compile(r"(?P<name>[^()]+) at \((?P<box>\d{1,5}, \d{1,5}, \d{1,5}, \d{1,5})\)")
ABSENT = re.compile(r"no (?P<name>[^()]+) anywhere")


@dataclass(frozen=True, slots=True)
class Steps:
    """A chain, read. things: names with boxes (x, y, w, h in pixels); absent: names of what is nowhere."""

    things: tuple[tuple[str, tuple[int, int, int, int]], ...]
    absent: tuple[str, ...]

    @property
    def names(self) -> Counter[str]:
        """What is named, how often."""
        return Counter([name for name, _ in self.things] + [f"no {name}" for name in self.absent])

    @property
    def boxes(self) -> NDArray[np.float64]:
        """(N, 4) x, y, w, h."""
        return np.array([box for _, box in self.things], float).reshape(-1, 4)


def measure(rows: Sequence[Row], said: Mapping[str, str]) -> Scores:
    """What was said by item id, against what there is to be seen. Every figure is in percent.

    parsed: chains that can be read: things with boxes, or what is nowhere, and at the end "so" and an answer. label: names
    that are right, colour and all, of all that were said or to be said, whichever are more. iou: of named boxes with
    those of the evidence, matched one to one for the largest sum; a box too few or too many counts 0. located: items
    whose boxes, so counted, reach an IoU of 0.5 on average. A chain that cannot be read has 0 of everything; absences
    have no box, so iou and located leave them out.

    per_question: IoU of each item that has evidence. Raises BadInput where an item has no chain.
    """
    if missing := [row.item.item_id for row in rows if row.item.item_id not in said]:
        raise BadInput(f"item {missing[0]} has no chain ({len(missing):,} of {len(rows):,} have none)")
    if not rows:
        raise BadInput("no chains to be measured")
    told = {row.item.item_id: parse(said[row.item.item_id]) for row in rows}
    truths = {row.item.item_id: _truth(row) for row in rows}
    overlaps = {name: overlap(told[name], truth) for name, truth in truths.items() if truth.things}
    figures = {
        "parsed": fmean(one is not None for one in told.values()),
        "label": fmean(_named(told[name], truth) for name, truth in truths.items()),
    }
    if overlaps:
        figures["iou"] = fmean(overlaps.values())
        figures["located"] = fmean(one >= FOUND for one in overlaps.values())
    none = {} if overlaps else dict.fromkeys(("iou", "located"), "every item is an absence, which has no box")
    return Scores(figures={name: 100 * one for name, one in figures.items()}, per_question=overlaps, absent=none)


def parse(said: str) -> Steps | None:
    """Read a chain; None where it is none.

    >>> parse("red cup at (10, 20, 30, 40); what it shows: red; so red")
    Steps(things=(('red cup', (10, 20, 30, 40)),), absent=())
    >>> parse("no cup anywhere; so no").absent, parse("red cup at (10, 20"), parse("red")
    (('cup',), None, None)
    """
    *steps, last = (step.strip() for step in said.split(";"))
    boxed = [found for step in steps if (found := BOXED.fullmatch(step))]
    nowhere = [found["name"] for step in steps if (found := ABSENT.fullmatch(step))]
    if not last.startswith("so ") or not (boxed or nowhere):
        return None
    things = tuple((plain(found["name"]), _box(found["box"])) for found in boxed)
    return Steps(things, tuple(plain(name) for name in nowhere))


def _box(text: str) -> tuple[int, int, int, int]:
    x, y, width, height = map(int, text.split(", "))
    return x, y, width, height


def _truth(row: Row) -> Steps:
    truth = parse(rationale.chain(row.item, row.scene))
    if truth is None:
        raise ValueError(f"item {row.item.item_id}: its own chain cannot be read")
    return truth


def _named(told: Steps | None, truth: Steps) -> float:
    """Share of names that are right, 0 to 1."""
    if told is None:
        return 0.0
    same = (told.names & truth.names).total()
    return same / max(told.names.total(), truth.names.total())


def overlap(told: Steps | None, truth: Steps) -> float:
    """Mean IoU of boxes matched one to one, 0 to 1; what is left over counts 0."""
    if told is None or not told.things:
        return 0.0
    from scipy.optimize import linear_sum_assignment

    shared = _iou(told.boxes, truth.boxes)
    matched = linear_sum_assignment(-shared)
    return float(shared[matched].sum() / max(shared.shape))


def _iou(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 4) and (M, 4) x, y, w, h → (N, M)."""
    start = np.maximum(one[:, None, :2], other[None, :, :2])
    end = np.minimum((one[:, :2] + one[:, 2:])[:, None], (other[:, :2] + other[:, 2:])[None])
    both = (end - start).clip(min=0).prod(-1)
    either = one[:, 2:].prod(-1)[:, None] + other[:, 2:].prod(-1)[None] - both
    shared: NDArray[np.float64] = both / np.maximum(either, 1e-9)
    return shared
