"""A model's answers to "where is it?": its own words about each picture, kept so that an interrupted run goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import platformdirs
from more_itertools import batched

from pstgen.core import locks
from pstgen.core.config import Coordinates, EvalConfig, Place
from pstgen.core.progress import Progress
from pstgen.dataset.damage import guarded
from pstgen.dataset.rows import Row
from pstgen.dataset.store import Dataset
from pstgen.evaluation import grounding_targets, model_answers, places
from pstgen.evaluation.places import Size
from pstgen.models.chat import Image
from pstgen.scenes import pixels

LOG = logging.getLogger("pstgen")
MAX_TOKENS = 192  # of an answer: a few boxes with their labels
ABSOLUTE = frozenset(
    {"qwen2_5_vl"}
)  # types of models that give pixels of the picture as they see it (arXiv 2502.13923)
WHAT = "questions about places"


@dataclass(frozen=True)
class PlaceAnswers:
    """Answers in words by item id.

    unit: in which was asked. named: the unit that the user named, which stands above that of every form. sizes: by item id width and height of the picture that pixels of its answer refer to; where an
    item is missing, the stored picture's.
    """

    model: str
    revision: str = ""
    unit: Coordinates = "thousandths"
    named: Coordinates | None = None
    texts: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)


def answer(dataset: Dataset, wanted: set[str], place: Place, config: EvalConfig, progress: Progress) -> PlaceAnswers:
    """Let the model of a run say where, of each item of the wanted pairs whose answer is shown by a place.

    Raises what opening the model raises.
    """
    seeing, _ = model_answers.opened(config)
    unit = config.coordinates or usual_unit(seeing.model)
    given = PlaceAnswers(model_answers.short(seeing.model.name), seeing.model.revision, unit, config.coordinates)
    shown = progress(guarded(dataset.rows_of(wanted), dataset.folder), WHAT, model_answers.count(dataset, wanted))
    rows = (row for row in shown if not grounding_targets.left_out(row))
    kept = Texts(_path(f"{seeing.server} {seeing.model.revision} {MAX_TOKENS}"))
    try:
        for batch in batched(rows, config.batch_size):
            given.texts.update(_texts(seeing.model, batch, place, given, kept))
    finally:
        kept.close()
    return given


def usual_unit(model: Any) -> Coordinates:
    """The unit that a model was trained on, as far as its type tells: pixels of Qwen2.5-VL; else thousandths."""
    config = getattr(getattr(model, "model", None), "config", None)
    return "pixels" if getattr(config, "model_type", "") in ABSOLUTE else "thousandths"


def seen_size(model: Any, image: Image) -> Size:
    """Width and height in pixels of what the model's processor makes of a picture, where it cuts it into a grid of patches.

    Of any other model, and of a server's, which does not say: those of the picture itself. image: (H, W, 3) uint8.
    """
    processor = getattr(getattr(model, "processor", None), "image_processor", None)
    patch = getattr(processor, "patch_size", None)
    if processor is not None and isinstance(patch, int):
        encoded = processor(images=[image])
        if "image_grid_thw" in encoded:
            _, rows, columns = (int(n) for n in encoded["image_grid_thw"][0])
            return columns * patch, rows * patch
    return image.shape[1], image.shape[0]


def _texts(
    model: Any, rows: Sequence[Row], place: Place, given: PlaceAnswers, kept: Texts
) -> Iterator[tuple[str, str]]:
    """(item id, text) of every row; what is not kept yet is asked in one batch."""
    images = [pixels.decode(row.image) for row in rows]
    if given.unit == "pixels":
        given.sizes.update((row.item.item_id, seen_size(model, image)) for row, image in zip(rows, images, strict=True))
    prompts = [
        places.prompt(row.item.question, place, given.unit, given.sizes.get(row.item.item_id, (0, 0))) for row in rows
    ]
    keys = [
        sha256(f"{text}|{sha256(row.image).hexdigest()}".encode()).hexdigest()
        for text, row in zip(prompts, rows, strict=True)
    ]
    new = list({key: n for n, key in enumerate(keys) if key not in kept.known}.values())
    if new:
        said = model.generate([prompts[n] for n in new], [images[n] for n in new], MAX_TOKENS)
        for n, text in zip(new, said, strict=True):
            kept.add(keys[n], text)
    for row, key in zip(rows, keys, strict=True):
        yield row.item.item_id, kept.known[key]


def _path(revision: str) -> Path:
    name = sha256(revision.encode()).hexdigest()[:32]
    return Path(platformdirs.user_cache_dir("pstgen")) / "places" / f"{name}.jsonl"


class _Line(msgspec.Struct):
    key: str
    text: str


class Texts:
    """Texts by key, one JSON line each, in the user's cache; several processes may add to it at once.

    A damaged line is asked again. Where the folder cannot be written, the run goes on without.
    """

    def __init__(self, path: Path) -> None:
        self.known: dict[str, str] = {}
        self._file: BinaryIO | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = locks.open_lines(path)
            with locks.locked(self._file):
                self._file.seek(0)
                lines = self._file.read().split(b"\n")
        except OSError as error:
            LOG.info("no cache at %s: %s", path, error)
            return
        for line in lines:
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                entry = msgspec.json.decode(line, type=_Line)
                self.known[entry.key] = entry.text

    def add(self, key: str, text: str) -> None:
        """Keep a text, and write it at once."""
        self.known[key] = text
        if self._file:
            locks.append(self._file, msgspec.json.encode(_Line(key, text)) + b"\n")

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
