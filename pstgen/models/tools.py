"""What tools say of an image, as text for a prompt: objects that a detector finds, and text that OCR reads."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from math import isqrt
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import torch
from more_itertools import batched
from numpy.typing import NDArray

from pstgen.core.records import Unavailable
from pstgen.models import detector
from pstgen.models.detector import Finder, Found
from pstgen.models.perceptual_losses import PerceptionHeads, patch_features
from pstgen.scenes.truth.colour import NAMES as COLOURS
from pstgen.scenes.vocabulary import plural, spoken

HEADS = "heads.safetensors"
BATCH = 64

Image = NDArray[np.uint8]  # (H, W, 3) RGB
Tools = Callable[[Sequence[Image | None]], list[str]]
OcrReader = Callable[[Image], str]


def open_tools(name: str, ocr: str = "") -> Tools:
    """Load the tools, once: a line of text of each image, such as "Seen: 2 dogs. Read: STOP."; "" where there is no image.

    name: as of `open_finder`. ocr: "" for none. Raises BadInput and Unavailable where one does not load.
    """
    finder, read = open_finder(name), open_ocr(ocr) if ocr else None

    def describe(images: Sequence[Image | None]) -> list[str]:
        found = iter(finder.find([image for image in images if image is not None]))
        return ["" if image is None else said(image, next(found)) for image in images]

    def said(image: Image, found: Sequence[Found]) -> str:
        text = describe_found(found)
        return f"{text} Read: {read(image) or 'nothing'}." if read else text

    return describe


def open_finder(name: str) -> Finder:
    """Load a detector: the folder of stage 1's encoder with its heads, or anything that `detector.load_finder` opens."""
    folder = Path(name)
    if not (folder / HEADS).is_file():
        return detector.load_finder(name)
    ours = EncoderDetector(folder)
    return Finder(tuple(ours.settings["categories"]), ours.find)


def check_tools(name: str, ocr: str) -> None:
    """Load what is named, and forget it, so that what does not load is known early. Raises as `open_tools` does."""
    if name:
        detector.load_finder(name)
    if ocr:
        open_ocr(ocr)


def describe_found(found: Iterable[Found]) -> str:
    """How many there are of each category and colour, in the order in which they were found."""
    counts = Counter((thing.category, thing.colour) for thing in found)
    return list_objects(count_phrase(category, n, colour) for (category, colour), n in counts.items())


def list_objects(phrases: Iterable[str]) -> str:
    """What a detector sees, as text.

    >>> list_objects(["1 red car", "2 dogs"]), list_objects([])
    ('Seen: 1 red car, 2 dogs.', 'Seen: nothing.')
    """
    return f"Seen: {', '.join(phrases) or 'nothing'}."


def count_phrase(category: str, n: int, colour: str = "") -> str:
    """So many objects of a category, as text.

    >>> count_phrase("cup", 1, "red"), count_phrase("cup", 3)
    ('1 red cup', '3 cups')
    """
    noun = spoken(category)
    return " ".join(filter(None, (str(n), colour, noun if n == 1 else plural(noun))))


def open_ocr(name: str) -> OcrReader:
    """What is written in an image, on one line; rapidocr or tesseract. Raises Unavailable where it is not installed."""
    return {"rapidocr": _rapidocr, "tesseract": _tesseract}[name]()


def _rapidocr() -> OcrReader:
    try:
        engine = import_module("rapidocr").RapidOCR(params={"Global.log_level": "error"})
    except ImportError as error:
        raise Unavailable(f"ocr: rapidocr is not installed: pip install rapidocr onnxruntime ({error})") from error
    return lambda image: " ".join(engine(image[..., ::-1]).txts or ())


def _tesseract() -> OcrReader:
    program = shutil.which("tesseract")
    if not program:
        raise Unavailable("ocr: the program tesseract is not installed: apt-get install tesseract-ocr")
    command = [program, "stdin", "stdout", "--psm", "11"]  # whatever text there is, in no order

    def read(image: Image) -> str:
        png = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
        done = subprocess.run(command, input=png, capture_output=True, check=True)  # noqa: S603 (our own words)
        return " ".join(done.stdout.decode().split())

    return read


def encoder_pixels(
    images: Iterable[Image], size: int, mean: Sequence[float] = (0.5,) * 3, std: Sequence[float] = (0.5,) * 3
) -> NDArray[np.float32]:
    """(B, 3, size, size) float32, resized and normalized as stage 1's encoder takes them; in -1 to 1 by default."""
    resized = [cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images]
    centred = np.stack(resized).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1
    shift, scale = (np.array(values, np.float32).reshape(3, 1, 1) for values in (mean, std))
    return (centred - (2 * shift - 1)) / (2 * scale)


class EncoderDetector:
    """Stage 1's encoder with its dense heads: an object where a patch is the centre of one."""

    def __init__(self, folder: Path) -> None:
        import transformers
        from safetensors import safe_open
        from safetensors.torch import load_file

        with safe_open(folder / HEADS, "pt") as file:
            self.settings = msgspec.json.decode(file.metadata()["told"], type=dict[str, Any])
        self.model = transformers.AutoModel.from_pretrained(folder, use_safetensors=True, local_files_only=True).eval()
        self.heads = PerceptionHeads(self.settings["width"], self.settings["sizes"]).eval()
        self.heads.load_state_dict(load_file(folder / HEADS))

    def find(self, images: Sequence[Image]) -> list[list[Found]]:
        """The objects in (H, W, 3) uint8 RGB images, one for each centre, category by category.

        Those of one category share a box, around all that looks like them, and a colour, the commonest there.
        """
        return [found for batch in batched(images, BATCH) for found in self._find(batch)]

    def _find(self, images: Sequence[Image]) -> list[list[Found]]:
        normalization = {name: self.settings[name] for name in ("mean", "std") if name in self.settings}
        pixels = torch.from_numpy(encoder_pixels(images, self.settings["size"], **normalization))
        with torch.inference_mode():
            states = self.model(pixel_values=pixels).last_hidden_state
            parts = self.heads.dense(patch_features(states, self.settings["cells"]))
        images_grids = (part.argmax(-1).numpy() for part in parts[:3])
        return [self._objects(*grids) for grids in zip(*images_grids, strict=True)]

    def _objects(
        self, categories: NDArray[np.int64], colours: NDArray[np.int64], centres: NDArray[np.int64]
    ) -> list[Found]:
        """Of an image: category, colour and centre of every cell of a square grid, from 1; 0 is none."""
        counts = Counter(int(category) for category in centres if category)
        return [
            Found(self.settings["categories"][category - 1], *_place(category, categories, colours, centres))
            for category, n in sorted(counts.items())
            for _ in range(n)
        ]


def _place(
    category: int, categories: NDArray[np.int64], colours: NDArray[np.int64], centres: NDArray[np.int64]
) -> tuple[tuple[float, float, float, float], str]:
    """Box and colour of what looks like the category, or of its centres where nothing does. All: (G,) of a square grid."""
    cells = isqrt(len(categories))
    where = categories == category
    rows, columns = np.divmod(np.flatnonzero(where if where.any() else centres == category), cells)
    left, top = columns.min() / cells, rows.min() / cells
    box = float(left), float(top), float((columns.max() + 1) / cells - left), float((rows.max() + 1) / cells - top)
    shades = Counter(int(colour) for colour in colours[where] if colour)
    return box, COLOURS[shades.most_common(1)[0][0] - 1] if shades else ""
