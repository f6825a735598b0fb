"""What tools say of an image, as text for a prompt: things that a detector finds, and words that OCR reads."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from pstgen.core.records import Unavailable
from pstgen.models import detector
from pstgen.models.perceptual_losses import Perception, tokens
from pstgen.scenes.truth.colour import NAMES as COLOURS
from pstgen.scenes.vocabulary import plural, spoken

HEADS = "heads.safetensors"
BATCH = 64

Picture = NDArray[np.uint8]  # (H, W, 3) RGB
Tools = Callable[[Sequence[Picture | None]], list[str]]
Reader = Callable[[Picture], str]


def opened(name: str, ocr: str = "") -> Tools:
    """Load the tools, once: a line of text of each image, such as "Seen: 2 dogs. Read: STOP."; nothing of no image.

    name: the folder of stage 1's encoder with its heads, or anything that `detector.finder` opens. ocr: "" for none.
    Raises BadInput and Unavailable where one does not load.
    """
    see: Tools = Detector(Path(name)).told if (Path(name) / HEADS).is_file() else _finding(detector.finder(name))
    read = reader(ocr) if ocr else None

    def told(images: Sequence[Picture | None]) -> list[str]:
        seen = see(images)
        if not read:
            return seen
        return [
            said if image is None else f"{said} Read: {read(image) or 'nothing'}."
            for said, image in zip(seen, images, strict=True)
        ]

    return told


def tried(name: str, ocr: str) -> None:
    """Load what is named, and forget it, so that what does not load is known early. Raises as `opened` does."""
    if name:
        detector.finder(name)
    if ocr:
        reader(ocr)


def _finding(find: detector.Finder) -> Tools:
    def told(images: Sequence[Picture | None]) -> list[str]:
        return [
            "" if image is None else listed(many(*each) for each in sorted(find(image).items())) for image in images
        ]

    return told


def listed(things: Iterable[str]) -> str:
    """What is seen, as text.

    >>> listed(["1 red car", "2 dogs"]), listed([])
    ('Seen: 1 red car, 2 dogs.', 'Seen: nothing.')
    """
    return f"Seen: {', '.join(things) or 'nothing'}."


def many(kind: str, n: int, colour: str = "") -> str:
    """So many things of a kind, as text.

    >>> many("cup", 1, "red "), many("cup", 3)
    ('1 red cup', '3 cups')
    """
    noun = spoken(kind)
    return f"{n} {colour}{noun if n == 1 else plural(noun)}"


def reader(ocr: str) -> Reader:
    """What is written in an image, on one line; rapidocr or tesseract. Raises Unavailable where it is not installed."""
    return {"rapidocr": _rapidocr, "tesseract": _tesseract}[ocr]()


def _rapidocr() -> Reader:
    try:
        engine = import_module("rapidocr").RapidOCR(params={"Global.log_level": "error"})
    except ImportError as error:
        raise Unavailable(f"ocr: rapidocr is not installed: pip install rapidocr onnxruntime ({error})") from error
    return lambda image: " ".join(engine(image[..., ::-1]).txts or ())


def _tesseract() -> Reader:
    program = shutil.which("tesseract")
    if not program:
        raise Unavailable("ocr: the program tesseract is not installed: apt-get install tesseract-ocr")
    command = [program, "stdin", "stdout", "--psm", "11"]  # whatever text there is, in no order

    def read(image: Picture) -> str:
        png = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
        told = subprocess.run(command, input=png, capture_output=True, check=True)  # noqa: S603 (our own words)
        return " ".join(told.stdout.decode().split())

    return read


class Detector:
    """Stage 1's encoder with its dense heads: a thing where a patch is the centre of one."""

    def __init__(self, folder: Path) -> None:
        import transformers
        from safetensors import safe_open
        from safetensors.torch import load_file

        with safe_open(folder / HEADS, "pt") as file:
            told = msgspec.json.decode(file.metadata()["told"], type=dict[str, Any])
        self.categories, self.cells, self.size = told["categories"], told["cells"], told["size"]
        mean, std = (torch.tensor(told.get(name, [0.5] * 3)).view(3, 1, 1) for name in ("mean", "std"))
        self.zero, self.unit = 2 * mean - 1, 2 * std  # of pixels in -1 to 1, as stage 1 normalized them
        self.model = transformers.AutoModel.from_pretrained(folder, use_safetensors=True, local_files_only=True).eval()
        self.heads = Perception(told["width"], told["sizes"]).eval()
        self.heads.load_state_dict(load_file(folder / HEADS))

    def told(self, images: Sequence[NDArray[np.uint8] | None]) -> list[str]:
        """Of (H, W, 3) uint8 images, such as "Seen: 2 dogs, 1 red car."; nothing of no image."""
        said: list[str] = []
        for start in range(0, len(images), BATCH):
            some = [image for image in images[start : start + BATCH] if image is not None]
            found = iter(self._found(some) if some else ())
            said += ["" if image is None else next(found) for image in images[start : start + BATCH]]
        return said

    def _found(self, images: Sequence[NDArray[np.uint8]]) -> list[str]:
        sized = [cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA) for image in images]
        pixels = torch.from_numpy(np.stack(sized).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)
        with torch.inference_mode():
            seen = tokens(self.model(pixel_values=(pixels - self.zero) / self.unit).last_hidden_state, self.cells)
            parts = self.heads.segmentation(seen)
        kinds, colours, centres = (part.argmax(-1).numpy() for part in parts[:3])
        return [self._said(*each) for each in zip(kinds, colours, centres, strict=True)]

    def _said(self, kinds: NDArray[np.int64], colours: NDArray[np.int64], centres: NDArray[np.int64]) -> str:
        """Count centres of each category; its colour is the commonest of its patches."""
        counted = Counter(int(kind) for kind in centres if kind)
        things = []
        for kind, n in sorted(counted.items()):
            shades = Counter(int(shade) for shade in colours[kinds == kind] if shade)
            colour = f"{COLOURS[shades.most_common(1)[0][0] - 1]} " if shades else ""
            things.append(many(self.categories[kind - 1], n, colour))
        return listed(things)
