"""overlays.png: where the standard system and perceptual reward look, on twelve items, beside the evidence."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Unavailable
from pstgen.dataset import sampling, store
from pstgen.dataset.store import Row
from pstgen.evaluation import inference
from pstgen.evaluation.inference import Answers, Seat
from pstgen.evaluation.metrics import attention
from pstgen.evaluation.metrics.attention import Asked
from pstgen.evaluation.report import plots
from pstgen.evaluation.results import Results
from pstgen.evaluation.summary import BASE, REWARD
from pstgen.models import hooks
from pstgen.models.huggingface import Model
from pstgen.scenes import pixels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "overlays.png"
ITEMS, ACROSS = 12, 2  # items in all, and beside each other
PANEL, SIDE = 1.62, 320  # the side of a picture: inches, pixels
SAYS = (
    "Twelve items at most, whole pairs, drawn by a hash of their names. First what shows the answer, outlined; where nothing does, "
    "since the answer is that there is none, no line. Then where each system looks as it is about to give the right answer: "
    "gradient x attention on the image's tokens, the brighter the more, each map by its own brightest patch."
)

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Look:
    """What one system made of an item. heat: (side, side), 0 to 1, over the image as the model sees it."""

    system: str
    answer: str
    heat: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shown:
    """An item to be drawn. image: (S, S, 3), as the models see it; evidence: (S, S) bool of the same."""

    row: Row
    image: Rgb
    evidence: NDArray[np.bool_]
    looks: tuple[Look, ...]


def write(results: Results, out: Path, seats: Sequence[Seat]) -> None:
    """Write out/overlays.png of the first seed's systems; where there can be none, the report says so instead.

    There is none where either did not take part, or a model has no square of patches that attend. Raises Unavailable where
    matplotlib is missing.
    """
    first = min((arm.seed for arm in results.arms), default=0)
    looking_on = {seat.system: seat for seat in seats if seat.seed == first and seat.system in {BASE, REWARD}}
    if len(looking_on) == 2:
        two = [looking_on[name] for name in (BASE, REWARD)]
        try:
            items = shown(two, chosen(two[0].materials.pst))
        except Unavailable:
            return
        (out / NAME).write_bytes(render(items))


def chosen(pst: Path) -> list[Row]:
    """Whole pairs, some of every family by a hash of their names, as long as they are twelve items at most."""
    rows: list[Row] = []
    for pair in sampling.pick(store.open(pst), ITEMS // 2):
        rows += pair if len(rows) + len(pair) <= ITEMS else ()
    return rows


def shown(seats: Sequence[Seat], rows: Sequence[Row]) -> list[Shown]:
    """Let every system look at every item, one model loaded at a time."""
    looks: list[list[Look]] = [[] for _ in rows]
    images, masks = list[Rgb](), list[NDArray[np.bool_]]()
    for seat in seats:
        model = Model(str(seat.model), "auto")
        said = msgspec.json.decode((seat.folder / inference.ANSWERS).read_bytes(), type=Answers).pst
        asked = [_asked(row) for row in rows]
        images = [_seen(model, one.image) for one in asked]
        masks = [_seen(model, np.repeat(one.evidence[:, :, None], 3, 2))[:, :, 0] > 127 for one in asked]
        for one, some in zip(asked, looks, strict=True):
            some.append(Look(seat.system, said.get(one.row.item.item_id, ""), heat(model, one)))
    return [Shown(*each) for each in zip(rows, images, masks, map(tuple, looks), strict=True)]


def _asked(row: Row) -> Asked:
    """An absence has no mask, and so no evidence to be outlined."""
    image = pixels.decoded(row.image)
    mask = next((target.pixels for target in row.targets if target.kind == "mask"), np.zeros(image.shape[:2]))
    return Asked(row, image, mask.astype(np.uint8))


def _seen(model: Model, image: Rgb) -> Rgb:
    """(S, S, 3) of what the model's processor makes of an image, its sides as they were before."""
    told: Rgb = hooks.seen(model, [image])[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
    return told


def heat(model: Model, one: Asked) -> NDArray[np.float64]:
    """(side, side): the metric's own map, by its largest value; all 0 where no gradient reaches the image."""
    told = attention._gaze(model, one).weighed  # noqa: SLF001 (the metric measures, this shows: the same map)
    side = round(len(told) ** 0.5)
    most = float(told.max())
    scaled: NDArray[np.float64] = told.reshape(side, side) / (most or 1.0)
    return scaled


# ---------------------------------------------------------------------------------------------------------- drawing


def outlined(image: Rgb, evidence: NDArray[np.bool_], width: int = 3) -> Rgb:
    """(SIDE, SIDE, 3): the image with a line around the evidence, white on black, which is seen on any ground."""
    large = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    mask = cv2.resize(evidence.astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    lines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for shade, more in (((0, 0, 0), 2 * width), ((255, 255, 255), width)):
        cv2.drawContours(large, lines, -1, shade, more, cv2.LINE_AA)
    return large  # type: ignore[return-value]


def heated(image: Rgb, told: NDArray[np.float64]) -> Rgb:
    """(SIDE, SIDE, 3): the image in grey, and patches over it from nothing to a strong orange."""
    grey = cv2.cvtColor(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2GRAY)
    ground = np.repeat(grey[:, :, None], 3, 2) * 0.45 + 25
    cover = cv2.resize(told, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)[:, :, None] * 0.85
    mixed: Rgb = (ground * (1 - cover) + np.array([255, 150, 30]) * cover).round().astype(np.uint8)
    return mixed


def render(items: Sequence[Shown]) -> bytes:
    """The PNG: an item is three pictures beside each other, two items a row; the same items give the same bytes."""
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise Unavailable(f"the report's pictures need matplotlib: pip install 'pstgen[train]' ({error})") from error
    panels = max((1 + len(one.looks) for one in items), default=1)
    down = -(-len(items) // ACROSS)
    with mpl.rc_context(plots.LOOK | {"axes.grid": False, "font.size": 8}):
        size = (PANEL * panels * ACROSS + 0.5, (PANEL + 0.72) * down)
        figure = Figure(figsize=size, dpi=130)
        FigureCanvasAgg(figure)
        for n, one in enumerate(items):
            across, top = n % ACROSS, 1 - (n // ACROSS) / down
            left = (0.05 + across * (PANEL * panels + 0.35)) / size[0]
            figure.text(
                left, top - 0.42 / size[1], _question(one), va="bottom", fontsize=8, linespacing=1.2, weight="bold"
            )
            for k, (title, shade, picture) in enumerate(_panels(one)):
                box = (left + k * PANEL / size[0], top - (PANEL + 0.6) / size[1])
                _panel(
                    figure.add_axes((*box, (PANEL - 0.06) / size[0], (PANEL - 0.06) / size[1])), title, shade, picture
                )
        return plots.encoded(figure, "png")


def _panel(axes: "Axes", title: str, shade: str, picture: Rgb) -> None:
    axes.imshow(picture, interpolation="bilinear")
    axes.set_axis_off()
    axes.set_title(title, fontsize=7.5, color=shade, loc="left", pad=2.5)


def _question(one: Shown) -> str:
    """As much as fits into two lines above three pictures."""
    return "\n".join(textwrap.wrap(one.row.item.question, 70, max_lines=2, placeholder=" …"))


def _panels(one: Shown) -> Iterator[tuple[str, str, Any]]:
    item = one.row.item
    yield f"{item.role}: {item.answer}", plots.INK, outlined(one.image, one.evidence)
    for look in one.looks:
        right = look.answer == item.answer
        told = f"{look.system}: {look.answer or 'nothing'}"
        yield (
            f"{told} {'✓' if right else '✗'}",
            plots.BLUE if right else plots.RED,
            outlined(heated(one.image, look.heat), one.evidence, 1),
        )
