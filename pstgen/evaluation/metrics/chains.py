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
from pstgen.dataset.rows import Row
from pstgen.evaluation.metrics import CHAIN_ITEMS, Evaluation, Scores, plain
from pstgen.training.systems import Plan

EXPENSIVE = True
LOCATED = 0.5  # IoU, at least
BOXED = re.compile(r"(?P<name>[^()]+) at \((?P<box>\d{1,5}, \d{1,5}, \d{1,5}, \d{1,5})\)")
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


def inapplicable(plan: Plan) -> str:
    """Only some systems generate a chain."""
    return "" if plan.preamble == "chain" else "says no chain"


def measure(evaluation: Evaluation, /) -> Scores:
    """The figures of `score`, on some of the stress test's items."""
    return score(evaluation.rows(CHAIN_ITEMS), evaluation.answers.chains)


def score(rows: Sequence[Row], texts: Mapping[str, str]) -> Scores:
    """Generated chains by item id, against what there is to be seen. Every figure is in percent.

    parsed: chains that can be read: things with boxes, or what is nowhere, and at the end "so" and an answer. label: names
    that are right, colour and all, of all that were said or to be said, whichever are more. iou: of named boxes with
    those of the evidence, matched one to one for the largest sum; a box too few or too many counts 0. located: items
    whose boxes, so counted, reach an IoU of 0.5 on average. A chain that cannot be read has 0 of everything; absences
    have no box, so iou and located leave them out.

    per_question: IoU of each item that has evidence. Raises BadInput where an item has no chain.
    """
    if missing := [row.item.item_id for row in rows if row.item.item_id not in texts]:
        raise BadInput(f"item {missing[0]} has no chain ({len(missing):,} of {len(rows):,} have none)")
    if not rows:
        raise BadInput("no chains to be measured")
    chains = {row.item.item_id: parse(texts[row.item.item_id]) for row in rows}
    truths = {row.item.item_id: _truth(row) for row in rows}
    overlaps = {name: overlap(chains[name], truth) for name, truth in truths.items() if truth.boxed}
    figures = {
        "parsed": fmean(chain is not None for chain in chains.values()),
        "label": fmean(_names_right(chains[name], truth) for name, truth in truths.items()),
    }
    if overlaps:
        figures["iou"] = fmean(overlaps.values())
        figures["located"] = fmean(iou >= LOCATED for iou in overlaps.values())
    absent = {} if overlaps else dict.fromkeys(("iou", "located"), "every item is an absence, which has no box")
    return Scores(figures={name: 100 * share for name, share in figures.items()}, per_question=overlaps, absent=absent)


def parse(text: str) -> Chain | None:
    """Read a chain; None where the text is none.

    >>> parse("red cup at (10, 20, 30, 40); what it shows: red; so red")
    Chain(boxed=(('red cup', (10, 20, 30, 40)),), absent=())
    >>> parse("no cup anywhere; so no").absent, parse("red cup at (10, 20"), parse("red")
    (('cup',), None, None)
    """
    *steps, last = (step.strip() for step in text.split(";"))
    boxed = [(plain(match["name"]), _box(match["box"])) for step in steps if (match := BOXED.fullmatch(step))]
    absent = [plain(match["name"]) for step in steps if (match := ABSENT.fullmatch(step))]
    if not last.startswith("so ") or not (boxed or absent):
        return None
    return Chain(tuple(boxed), tuple(absent))


def _box(text: str) -> tuple[int, int, int, int]:
    x, y, width, height = map(int, text.split(", "))
    return x, y, width, height


def _truth(row: Row) -> Chain:
    truth = parse(rationale.chain(row.item, row.scene))
    if truth is None:
        raise ValueError(f"item {row.item.item_id}: its own chain cannot be read")
    return truth


def _names_right(chain: Chain | None, truth: Chain) -> float:
    """Share of names that are right, 0 to 1."""
    if chain is None:
        return 0.0
    same = (chain.names & truth.names).total()
    return same / max(chain.names.total(), truth.names.total())


def overlap(chain: Chain | None, truth: Chain) -> float:
    """Mean IoU of boxes matched one to one, 0 to 1; what is left over counts 0."""
    if chain is None or not chain.boxed:
        return 0.0
    from scipy.optimize import linear_sum_assignment

    ious = _iou(chain.boxes, truth.boxes)
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
