"""Rewards for reinforcement learning on pairs: is the answer right, are both twins right, does the model look at the right place?

Each has the signature of TRL's rewards, `(prompts, completions, **columns) -> list[float | None]`: one number from 0 to 1 for each
completion, None where the reward says nothing of it, so that it does not count. The columns are those that
`pstgen export --to trl-grpo` writes. A completion is a text, or a list of turns of which the last one counts. What stands in
`<think>` is a thought, what stands in `<answer>` the answer; without such tags the whole text is both.

`INSTRUCTIONS` says in words what each reward looks for; a model that is not told so will seldom do it.

Coordinates are pixels of the stored image, unless `scale` says that a model's own run from 0 to `scale` on both sides (1000 for Qwen3-VL
and InternVL, 1 for shares): `functools.partial(rewards.iou, scale=1000)`.
"""

import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pstgen.core.records import BadInput
from pstgen.models.parsing import parse

Completion = str | Sequence[Mapping[str, Any]]
Rewards = list[float | None]
Box = tuple[float, float, float, float]

INSTRUCTIONS: Mapping[str, str] = {
    "format": "First think inside <think> and </think>, then answer inside <answer> and </answer>.",
    "chain": (
        "Think in one line: each thing that matters as `NAME at (x, y, width, height)` in pixels, or `no NAME anywhere`, "
        "with semicolons between, and at the end `so` and the answer."
    ),
    "iou": "Name the box of what shows the answer as [left, top, right, bottom].",
    "point_in_mask": "Name a point on what shows the answer as (x, y).",
}
NUMBER = r"(-?\d{1,6}(?:\.\d{1,18})?)"  # more digits are no coordinate
BETWEEN = r"\s*,\s*"
CORNERS = re.compile(rf"\[\s*{BETWEEN.join([NUMBER] * 4)}\s*\]")
SIDES = re.compile(rf"\bat \(\s*{BETWEEN.join([NUMBER] * 4)}\s*\)")
POINTS = re.compile(rf"[\[(]\s*{NUMBER}{BETWEEN}{NUMBER}\s*[\])]")
TAGS = re.compile(r"</?(?:think|answer)>")
ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
CONCLUSION = re.compile(r";\s*so ([^;\n]+)\s*\Z")  # of a chain
FORMAT = re.compile(
    r"\s*<think>(?:(?!</?think>|</?answer>).)+</think>\s*<answer>(?:(?!</?think>|</?answer>).)+</answer>\s*", re.DOTALL
)


def answer(prompts: object, completions: Sequence[Completion], **columns: Any) -> Rewards:
    """1 where the completion names the right option and no other, else 0. Needs `answer` and `options`.

    Letters count where the prompt has them before its options.

    >>> answer(None, ["It is red.", "<think>blue?</think><answer>Blue</answer>"], answer=["red"] * 2, options=[["red", "blue"]] * 2)
    [1.0, 0.0]
    """
    right, options = _columns(columns, "answer", "options", rows=len(completions))
    lettered = _lettered(prompts, options)
    rows = zip(completions, right, options, lettered, strict=True)
    return [float(_is_right(_text(completion), *row)) for completion, *row in rows]


def pair_gate(prompts: object, completions: Sequence[Completion], **columns: Any) -> Rewards:
    """1 only where the completions about all twins of a pair are right, else 0; None where a twin is not in the batch.

    Of several completions about one item, as GRPO draws them, the first is held against the first about each twin, the
    second against the second, and so on; None where a twin has fewer. Needs `answer`, `options`, `item_id`, `pair_id` and,
    to know how many twins there are, `twins`; without that column, two.

    >>> columns = {"answer": ["yes", "no"], "options": [["yes", "no"]] * 2, "pair_id": ["p"] * 2, "item_id": ["p-a", "p-b"]}
    >>> pair_gate(None, ["yes", "no"], **columns), pair_gate(None, ["yes", "yes"], **columns)
    ([1.0, 1.0], [0.0, 0.0])
    """
    right = answer(prompts, completions, **columns)
    items, pairs = _columns(columns, "item_id", "pair_id", rows=len(right))
    twins = _columns(columns | {"twins": columns.get("twins") or [2] * len(right)}, "twins", rows=len(right))[0]
    attempts: defaultdict[str, int] = defaultdict(int)  # of each item so far
    drawn: defaultdict[tuple[str, int], list[float]] = defaultdict(list)  # (pair, rank) → is each twin right?
    ranks: list[int] = []
    for item, pair, reward in zip(items, pairs, right, strict=True):
        rank = attempts[item]
        attempts[item] += 1
        ranks.append(rank)
        drawn[pair, rank].append(float(reward or 0))
    gates = (drawn[pair, rank] for pair, rank in zip(pairs, ranks, strict=True))
    return [min(gate) if len(gate) == count else None for gate, count in zip(gates, twins, strict=True)]


def chain(prompts: object, completions: Sequence[Completion], **columns: Any) -> Rewards:  # noqa: ARG001
    """How much of the perceptual chain is right: the mean of names and boxes, 0 to 1. Needs `chain`.

    Names: the share that is right, colour and all. Boxes: mean IoU, matched one to one; an absence has none, and is judged by its
    name alone. The last line that is a chain counts, or else the whole text; where none can be read, 0. None where the row has no chain.

    >>> chain(None, ["no cup anywhere; so no"], chain=["no cup anywhere; so no"])
    [1.0]
    """
    from pstgen.models import chain_parsing

    (truths,) = _columns(columns, "chain", rows=len(completions))
    rewards: Rewards = []
    for completion, line in zip(completions, truths, strict=True):
        truth = chain_parsing.parse(line or "")
        if truth is None:
            rewards.append(None)
            continue
        read = (chain_parsing.parse(part) for part in _chain_places(_text(completion)))
        said = next((part for part in read if part is not None), None)
        scores = [chain_parsing.names_right(said, truth)]
        if truth.boxed:
            scores.append(chain_parsing.overlap(said, truth))
        rewards.append(sum(scores) / len(scores))
    return rewards


def iou(prompts: object, completions: Sequence[Completion], *, scale: float | None = None, **columns: Any) -> Rewards:  # noqa: ARG001
    """Mean IoU of the boxes that are named with those of what shows the answer, matched one to one; one too few or too many counts 0.

    A box is "[left, top, right, bottom]", or "at (x, y, width, height)" as chains have it. Needs `boxes` (left, top, right, bottom
    in pixels) and, with `scale`, `width` and `height` of the picture. None for an absence, which has no box.

    >>> iou(None, ["It is at [0, 0, 10, 10]."], boxes=[[[0, 0, 10, 20]]])
    [0.5]
    """
    import numpy as np

    from pstgen.models.chain_parsing import matched_iou

    (truths,) = _columns(columns, "boxes", rows=len(completions))
    sides = _pixels_per_unit(scale, columns, len(completions))
    rewards: Rewards = []
    for completion, boxes, (across, down) in zip(completions, truths, sides, strict=True):
        if not boxes:
            rewards.append(None)
            continue
        said = np.array([_sized(box) for box in _boxes(_text(completion))], float).reshape(-1, 4)
        said *= np.array([across, down, across, down])
        rewards.append(matched_iou(said, np.array([_sized(box) for box in boxes], float)))
    return rewards


def point_in_mask(
    prompts: object,  # noqa: ARG001
    completions: Sequence[Completion],
    *,
    scale: float | None = None,
    **columns: Any,
) -> Rewards:
    """The share of the points that are named, "(x, y)" or "[x, y]", which lie on what shows the answer; 0 where none is named.

    Needs `mask`, COCO's compressed run-length code as {"size": [height, width], "counts": text}. None where there is no
    mask, as for an absence.

    >>> point_in_mask(None, ["at (1, 0)", "at (0, 0)"], mask=[{"size": [1, 2], "counts": "11"}] * 2)
    [1.0, 0.0]
    """
    (masks,) = _columns(columns, "mask", rows=len(completions))
    rewards: Rewards = []
    for completion, mask in zip(completions, masks, strict=True):
        if not mask:
            rewards.append(None)
            continue
        height, width = mask["size"]
        across, down = (1.0, 1.0) if scale is None else (width / scale, height / scale)
        places = [(float(x) * across, float(y) * down) for x, y in POINTS.findall(_text(completion))]
        hits = _hits(mask["counts"], places, height, width)
        rewards.append(hits / len(places) if places else 0.0)
    return rewards


def format(prompts: object, completions: Sequence[Completion], **columns: Any) -> Rewards:  # noqa: A001, ARG001
    """1 where the completion is a thought in `<think>` and then an answer in `<answer>`, each once and not empty, else 0.

    >>> format(None, ["<think>a red cup</think><answer>red</answer>", "red"])
    [1.0, 0.0]
    """
    return [float(FORMAT.fullmatch(_text(completion)) is not None) for completion in completions]


def score(
    data_source: object,  # noqa: ARG001
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any] | None = None,
    **more: Any,  # noqa: ARG001
) -> float:
    """1 where the response is right, else 0, in the signature of verl's rewards.

    extra_info: with `options`, an answer in a sentence is read as `answer` reads it; without them only the answer's very words
    are right, case and a final full stop aside.

    >>> score("pstgen", "It is red.", "red", {"options": ["red", "blue"]}), score("pstgen", "Red.", "red"), score("pstgen", "It is red.", "red")
    (1.0, 1.0, 0.0)
    """
    options = (extra_info or {}).get("options")
    if options is not None:
        return float(_is_right(solution_str, ground_truth, list(options), lettered=False))
    return float(_plain(_final(solution_str)) == _plain(ground_truth))


def pair_order(pair_ids: Sequence[str], seed: int = 0) -> list[int]:
    """The rows' numbers in an order in which pairs are shuffled and twins stand beside each other, for `Dataset.select`.

    >>> order = pair_order(["p", "p", "q", "q", "r", "r"])
    >>> sorted(order), {order.index(0) - order.index(1), order.index(2) - order.index(3)}
    ([0, 1, 2, 3, 4, 5], {-1})
    """
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for row, pair in enumerate(pair_ids):
        rows[pair].append(row)
    pairs = sorted(rows)
    random.Random(seed).shuffle(pairs)
    return [row for pair in pairs for row in rows[pair]]


def _columns(columns: Mapping[str, Any], *names: str, rows: int) -> list[Sequence[Any]]:
    """These columns. Raises BadInput where one is missing, or has not one value for every completion."""
    for name in names:
        if columns.get(name) is None:
            raise BadInput(
                f"the reward needs the column `{name}`; train on what `pstgen export --to trl-grpo` writes, and keep its columns "
                "(`remove_unused_columns=False`)"
            )
        if len(columns[name]) != rows:
            raise BadInput(
                f"column `{name}` has {len(columns[name]):,} values for {rows:,} completions; give one for each"
            )
    return [columns[name] for name in names]


def _text(completion: Completion) -> str:
    """A completion as text: of turns, the last one's; of parts, those that are text."""
    if isinstance(completion, str):
        return completion
    content = completion[-1]["content"] if completion else ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content or ())


def _lettered(prompts: object, options: Sequence[Sequence[str]]) -> list[bool]:
    """Of every row, does its prompt have letters before the options?"""
    if not isinstance(prompts, Sequence) or isinstance(prompts, str) or len(prompts) != len(options):
        return [False] * len(options)
    return [f"A. {of[0]}" in _text(prompt) for prompt, of in zip(prompts, options, strict=True)]


def _is_right(text: str, right: str, options: Sequence[str], lettered: bool) -> bool:  # noqa: FBT001
    chosen = parse(_final(text), options, letters=lettered)
    return chosen is not None and options[chosen] == right


def _final(text: str) -> str:
    """What stands in the last `<answer>` after all thoughts, or at the end of a chain, or else the text."""
    found = ANSWER.findall(text.rpartition("</think>")[2]) or CONCLUSION.findall(text)
    return found[-1] if found else text


def _plain(text: str) -> str:
    _, _, said = text.rpartition("</think>")
    return " ".join(said.lower().split()).rstrip(" .")


def _chain_places(text: str) -> list[str]:
    """Where a chain may stand: in a line, the last first, or over the whole text; tags are no part of it."""
    bare = TAGS.sub("\n", text).strip()
    return [*(line.strip() for line in reversed(bare.splitlines())), " ".join(bare.split())]


def _boxes(text: str) -> list[Box]:
    """Every box that a text names: left, top, right, bottom."""
    corners = [tuple(map(float, found)) for found in CORNERS.findall(text)]
    sides = [tuple(map(float, found)) for found in SIDES.findall(text)]
    return [*corners, *((x, y, x + width, y + height) for x, y, width, height in sides)]  # type: ignore[list-item]


def _sized(box: Sequence[float]) -> Box:
    """Left, top, right, bottom → x, y, width, height; a box that is turned round has no size."""
    left, top, right, bottom = box
    return left, top, max(0.0, right - left), max(0.0, bottom - top)


def _pixels_per_unit(scale: float | None, columns: Mapping[str, Any], rows: int) -> list[tuple[float, float]]:
    """Of every row, by what a model's coordinates are to be multiplied: across, down."""
    if scale is None:
        return [(1.0, 1.0)] * rows
    widths, heights = _columns(columns, "width", "height", rows=rows)
    return [(width / scale, height / scale) for width, height in zip(widths, heights, strict=True)]


def _hits(counts: str, places: Sequence[tuple[float, float]], height: int, width: int) -> int:
    """How many places, in pixels, lie on a mask: pixel (column, row) covers [column, column + 1) and [row, row + 1)."""
    inside = [(int(x), int(y)) for x, y in places if 0 <= x < width and 0 <= y < height]
    wanted = sorted(column * height + row for column, row in inside)
    hits = end = on = 0
    for run in _runs(counts):
        end += run
        while wanted and wanted[0] < end:
            wanted.pop(0)
            hits += on
        on = 1 - on
    return hits


def _runs(counts: str) -> list[int]:
    """Lengths of the runs, off first, of COCO's compressed code: 5 bits a letter, the sixth says that more follow (pycocotools)."""
    runs: list[int] = []
    value = shift = 0
    for letter in counts:
        bits = ord(letter) - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    return runs
