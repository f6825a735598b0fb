"""pairs.png: pairs as a picture, the twins beside each other, what shows the answer outlined."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pstgen.dataset.rows import Row
from pstgen.dataset.sampling import PairRows, pick
from pstgen.dataset.store import Dataset
from pstgen.scenes import pixels

SIDE, GAP, LINE, NOTE = (
    256,
    12,
    20,
    16,
)  # pixels: of a picture, between pictures, of a line of a question, of a smaller one
COLUMNS, PAIRS = 4, 24
INK, DIM, PAPER = (28, 28, 32), (92, 92, 100), (255, 255, 255)
CONTROL, STRESS, EVIDENCE = (22, 122, 62), (188, 44, 36), (255, 214, 0)


def write(dataset: Dataset, folder: Path, /) -> None:
    """Write pairs.png: PAIRS pairs, as many of each family as there are, chosen by a hash of their names."""
    sheet(pick(dataset, PAIRS)).save(folder / "pairs.png")


def sheet(pairs: Sequence[PairRows], columns: int = COLUMNS) -> Image.Image:
    """All pairs on one page, RGB, each as wide as the largest group and as high as the one with the most words."""
    images = max((len(pair.rows) for pair in pairs), default=2)
    width = images * SIDE + (images + 1) * GAP
    height = max((_words(pair, width, None) for pair in pairs), default=0) + SIDE + 2 * GAP + 2 * NOTE
    columns = min(max(1, 2 * columns // images), max(1, len(pairs)))
    page = Image.new("RGB", (columns * width, -(-len(pairs) // columns) * height), PAPER)
    for n, pair in enumerate(pairs):
        page.paste(_card(pair, width, height), (n % columns * width, n // columns * height))
    return page


def _card(pair: PairRows, width: int, height: int) -> Image.Image:
    card = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(card)
    item, top = pair.control.item, _words(pair, width, pen) + GAP
    for n, row in enumerate(pair.rows):
        left = GAP + n * (SIDE + GAP)
        picture = _picture(row)
        card.paste(picture, (left, top))
        answer, is_control = row.item.answer, row.item.role == "control"
        caption = f"{answer}   (as the words suggest)" if is_control else f"{answer}   (the words suggest {item.lure})"
        colour = CONTROL if is_control else STRESS
        for line_number, line in enumerate(_wrapped(caption, SIDE, 14)):
            pen.text((left, top + SIDE + 4 + NOTE * line_number), line, colour, ImageFont.load_default(14))
    return card


def _words(pair: PairRows, width: int, pen: ImageDraw.ImageDraw | None) -> int:
    """Draw what stands above the pictures, all of it, unless there is no pen; returns how many pixels high it is."""
    item, top = pair.control.item, 6
    written = [f"written into the picture: {item.label}"] if item.label else []
    notes = [f"{' / '.join(item.options)} · {item.family}, {item.frame}, {item.twin}", *written]
    for text, size, step, colour in ((item.question, 17, LINE, INK), *((note, 13, NOTE, DIM) for note in notes)):
        for line in _wrapped(text, width - 2 * GAP, size):
            if pen:
                pen.text((GAP, top), line, colour, ImageFont.load_default(size))
            top += step
    return top


def _wrapped(text: str, width: int, size: int) -> list[str]:
    """The text in lines of at most `width` pixels; a word that is longer is broken."""
    font, lines = ImageFont.load_default(size), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append("")
            longer = word
        while font.getlength(longer) > width and len(longer) > 1:
            fits = max(1, int(len(longer) * width / font.getlength(longer)))
            lines[-1], longer = longer[:fits], longer[fits:]
            lines.append("")
        lines[-1] = longer
    return lines


def _picture(row: Row) -> Image.Image:
    """The image, what shows the answer outlined, on a square of SIDE."""
    image = Image.fromarray(pixels.decode(row.image))
    scale = SIDE / max(image.size)
    size = (round(image.width * scale), round(image.height * scale))
    shown = np.array(image.resize(size, Image.Resampling.LANCZOS))
    _outline(shown, row)
    square = Image.new("RGB", (SIDE, SIDE), (244, 244, 246))
    square.paste(Image.fromarray(shown), ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    return square


def _outline(shown: NDArray[np.uint8], row: Row) -> None:
    """Draw the outline of the mask into (H, W, 3)."""
    mask = next((target.pixels for target in row.targets if target.kind == "mask"), None)
    if mask is None:
        return
    large = cv2.resize(mask, (shown.shape[1], shown.shape[0]), interpolation=cv2.INTER_NEAREST)
    contours, _ = cv2.findContours((large > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for colour, width in (((0, 0, 0), 3), (EVIDENCE, 1)):
        cv2.drawContours(shown, contours, -1, colour, width, cv2.LINE_AA)
