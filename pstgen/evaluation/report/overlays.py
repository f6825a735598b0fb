"""overlays.png: where the standard system and perceptual reward look, on twelve items, beside the evidence."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Unavailable
from pstgen.dataset import sampling, store
from pstgen.dataset.rows import Row
from pstgen.evaluation.inference import EvalJob, JobEvaluation
from pstgen.evaluation.metrics import attention
from pstgen.evaluation.metrics.attention import AnnotatedItem
from pstgen.evaluation.report import style
from pstgen.evaluation.results import Results
from pstgen.evaluation.summary import BASE, REWARD
from pstgen.models import hooks
from pstgen.models.huggingface import Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "overlays.png"
ITEMS, COLUMNS = 12, 2  # items in all, and beside each other
PANEL, SIDE = 1.62, 320  # the side of an image: inches, pixels
HEADING = 0.72  # inches above the images of an item
CAPTION = (
    "Twelve items at most, whole pairs, drawn by a hash of their names. First what shows the answer, outlined; there is no outline "
    "where the answer is that there is none. Then where each system looks as it is about to give the right answer: gradient x "
    "attention on the image's tokens, brighter where there is more, each map scaled by its brightest patch."
)

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class AnswerView:
    """A system's answer to an item. heat: (side, side), 0 to 1, over the image as the model sees it."""

    system: str
    answer: str
    heat: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item to be drawn. image: (S, S, 3), as the models see it; evidence: (S, S) bool of the same."""

    image: Rgb
    evidence: NDArray[np.bool_]
    row: Row
    answers: tuple[AnswerView, ...]  # one a system


def write(results: Results, out: Path, jobs: Sequence[EvalJob]) -> None:
    """Write out/overlays.png of the first seed's systems; where there can be none, the report says so instead.

    There is none where either system did not take part, or where a model's patches form no square. Raises Unavailable where
    matplotlib is missing.
    """
    first = min((arm.seed for arm in results.arms), default=0)
    by_system = {job.system: job for job in jobs if job.seed == first}
    if {BASE, REWARD} <= by_system.keys():
        compared = [by_system[name] for name in (BASE, REWARD)]
        try:
            items = view(compared, choose(compared[0].data.pst))
        except Unavailable:
            return
        (out / NAME).write_bytes(render(items))


def choose(pst: Path) -> list[Row]:
    """Whole pairs, some of every family by a hash of their names, twelve items at most."""
    rows: list[Row] = []
    for pair in sampling.pick(store.open(pst), ITEMS // 2):
        rows += pair.rows if len(rows) + len(pair.rows) <= ITEMS else ()
    return rows


def view(jobs: Sequence[EvalJob], rows: Sequence[Row]) -> list[ItemView]:
    """Let every system look at every item, one model loaded at a time; images are as the last of the models sees them."""
    views: list[list[AnswerView]] = [[] for _ in rows]
    images, masks = list[Rgb](), list[NDArray[np.bool_]]()
    items = list(map(attention.annotate, rows))
    for job in jobs:
        model, answers = Model(str(job.model), "auto"), JobEvaluation(job).answers.pst
        images = [_preprocess(model, item.image) for item in items]
        masks = [_preprocess(model, np.repeat(item.evidence[:, :, None], 3, 2))[:, :, 0] > 127 for item in items]
        for item, row, item_views in zip(items, rows, views, strict=True):
            item_views.append(AnswerView(job.system, answers.get(row.item.item_id, ""), heat(model, item)))
    return [ItemView(*parts) for parts in zip(images, masks, rows, map(tuple, views), strict=True)]


def _preprocess(model: Model, image: Rgb) -> Rgb:
    """(S, S, 3) uint8: the image as the model's processor makes it, its colours as they were before."""
    seen: Rgb = hooks.preprocess(model, [image])[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
    return seen


def heat(model: Model, item: AnnotatedItem) -> NDArray[np.float64]:
    """(side, side): the metric's own map, by its largest value; all 0 where no gradient reaches the image."""
    weights = attention.attention_maps(model, item).gradient
    side = round(len(weights) ** 0.5)
    scaled: NDArray[np.float64] = weights.reshape(side, side) / (float(weights.max()) or 1.0)
    return scaled


# ---------------------------------------------------------------------------------------------------------- drawing


def outlined(image: Rgb, evidence: NDArray[np.bool_], width: int = 3) -> Rgb:
    """(SIDE, SIDE, 3): the image with a line around the evidence, white on black, which shows on any background."""
    large = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    mask = cv2.resize(evidence.astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    lines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for shade, line_width in (((0, 0, 0), 2 * width), ((255, 255, 255), width)):
        cv2.drawContours(large, lines, -1, shade, line_width, cv2.LINE_AA)
    return large  # type: ignore[return-value]


def heated(image: Rgb, weights: NDArray[np.float64]) -> Rgb:
    """(SIDE, SIDE, 3): the image in grey, and patches over it from nothing to a strong orange."""
    grey = cv2.cvtColor(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2GRAY)
    background = np.repeat(grey[:, :, None], 3, 2) * 0.45 + 25
    cover = cv2.resize(weights, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)[:, :, None] * 0.85
    mixed: Rgb = (background * (1 - cover) + np.array([255, 150, 30]) * cover).round().astype(np.uint8)
    return mixed


def render(items: Sequence[ItemView]) -> bytes:
    """The PNG: an item is three images beside each other, two items a row; the same items give the same bytes."""
    panels = max((1 + len(item.answers) for item in items), default=1)
    size = (PANEL * panels * COLUMNS + 0.5, (PANEL + HEADING) * -(-len(items) // COLUMNS))
    with style.styled_figure(size, 130, **{"axes.grid": False, "font.size": 8}) as figure:
        for n, item in enumerate(items):
            down, across = divmod(n, COLUMNS)
            _draw_item(figure, item, 0.05 + across * (PANEL * panels + 0.35), size[1] - down * (PANEL + HEADING))
        return style.encoded(figure, "png")


def _draw_item(figure: "Figure", item: ItemView, left: float, top: float) -> None:
    """The question above the item's images; left, top: inches from the figure's lower left corner."""
    width, height = figure.get_size_inches()
    question = "\n".join(textwrap.wrap(item.row.item.question, 70, max_lines=2, placeholder=" …"))
    figure.text(left / width, (top - 0.42) / height, question, va="bottom", fontsize=8, linespacing=1.2, weight="bold")
    side = PANEL - 0.06
    for k, (title, shade, image) in enumerate(_panels(item)):
        box = ((left + k * PANEL) / width, (top - PANEL - 0.6) / height, side / width, side / height)
        axes = figure.add_axes(box)
        axes.imshow(image, interpolation="bilinear")
        axes.set_axis_off()
        axes.set_title(title, fontsize=7.5, color=shade, loc="left", pad=2.5)


def _panels(view: ItemView) -> Iterator[tuple[str, str, Rgb]]:
    """The images of an item, each with its title and the colour of that."""
    item = view.row.item
    yield f"{item.role}: {item.answer}", style.INK, outlined(view.image, view.evidence)
    for answer in view.answers:
        correct = answer.answer == item.answer
        yield (
            f"{answer.system}: {answer.answer or 'nothing'} {'✓' if correct else '✗'}",
            style.BLUE if correct else style.RED,
            outlined(heated(view.image, answer.heat), view.evidence, 1),
        )
