"""Perceptual chains: does what a model says it sees name the right things, at the right places?"""

from collections.abc import Mapping, Sequence
from statistics import fmean

from pstgen.core.records import BadInput
from pstgen.dataset import rationale
from pstgen.dataset.rows import Row
from pstgen.evaluation.metrics import CHAIN_ITEMS, Evaluation, Scores
from pstgen.models.chain_parsing import Chain, names_right, overlap, parse
from pstgen.training.systems import Plan

EXPENSIVE = True
LOCATED = 0.5  # IoU, at least


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
        "label": fmean(names_right(chains[name], truth) for name, truth in truths.items()),
    }
    if overlaps:
        figures["iou"] = fmean(overlaps.values())
        figures["located"] = fmean(iou >= LOCATED for iou in overlaps.values())
    absent = {} if overlaps else dict.fromkeys(("iou", "located"), "every item is an absence, which has no box")
    return Scores(figures={name: 100 * share for name, share in figures.items()}, per_question=overlaps, absent=absent)


def _truth(row: Row) -> Chain:
    truth = parse(rationale.chain(row.item, row.scene))
    if truth is None:
        raise ValueError(f"item {row.item.item_id}: its own chain cannot be read")
    return truth
