"""An object detector: which kinds of thing it hears of at a low threshold, a second witness of absence; or how many it sees."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.core import resources
from pstgen.core.records import BadInput, Scene, Unavailable
from pstgen.scenes import pixels
from pstgen.scenes.vocabulary import Vocabulary

SIDE = 352  # pixels, of the square that a grid detector gets
COCO = 80  # classes
OBJECT, CLASS = 0.6, 0.4  # exponents of objectness and class in a score (FastestDet)
SURE, GRID_SURE = 0.5, 0.65  # scores of a thing that is seen; of a grid FastestDet's own, right 4 times of 5 on COCO
SAME = 0.45  # IoU of two boxes of one thing

Detector = Callable[[NDArray[np.uint8]], dict[int | str, float]]
Finder = Callable[[NDArray[np.uint8]], Counter[str]]


def detected(scenes: Iterable[Scene], *, detect: Detector, threshold: float) -> Iterator[Scene]:
    """Pass scenes on, each with the categories that the detector scores at `threshold` or more; without a picture, as they are."""
    for scene in scenes:
        scores = detect(pixels.image(scene)) if scene.path else {}
        kinds = (
            kind for n, kind in enumerate(scene.categories) if max(scores.get(n, 0), scores.get(kind, 0)) >= threshold
        )
        yield replace(scene, detected=tuple(kinds))


def revision(name: Path) -> str:
    """sha256 of the file, or of the folder's weights."""
    files = [name] if name.is_file() else sorted(name.glob("*.safetensors"))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def load(name: Path) -> Detector:
    """Open a detector: (H, W, 3) uint8 RGB → score by class number or by name.

    name: an ONNX file whose output is a grid of (1, 5 + 80, h, w): objectness, box, COCO's classes in their order; or
    the folder of a Transformers detector, whose labels are category names. Raises BadInput where there is none,
    Unavailable where it does not load.
    """
    if not name.exists():
        raise BadInput(f"{name}: no such detector; name an ONNX file, or the folder of a Transformers detector")
    return _grid(name) if name.is_file() else _transformer(name)


def finder(name: str) -> Finder:
    """Open a detector, or one of the hub: (H, W, 3) uint8 RGB → how many things of each kind it is sure of."""
    if Path(name).is_file():
        return _grid_finder(Path(name))
    if not Path(name).is_dir() and (name.startswith((".", "/", "~")) or name.count("/") != 1):
        raise BadInput(f"{name}: no such detector; name an ONNX file, a Transformers detector's folder, or OWNER/NAME")
    return _transformer_finder(name)


def _grid(file: Path) -> Detector:
    look = _net(file)

    def detect(image: NDArray[np.uint8]) -> dict[int | str, float]:
        return dict(enumerate(_scores(look(image)).reshape(COCO, -1).max(axis=1).tolist()))

    return detect


def _grid_finder(file: Path) -> Finder:
    look, kinds = _net(file), list(resources.read("data_sources", "words", dict[str, Vocabulary]))  # in COCO's order

    def find(image: NDArray[np.uint8]) -> Counter[str]:
        grid = look(image)
        scores = _scores(grid)
        best, sure = scores.argmax(0), scores.max(0)
        at = np.nonzero(sure >= GRID_SURE)
        boxes, of = _boxes(grid)[at], best[at]
        kept = (
            cv2.dnn.NMSBoxesBatched(boxes.tolist(), sure[at].tolist(), of.tolist(), GRID_SURE, SAME) if len(of) else ()
        )
        return Counter(kinds[of[n]] for n in kept)

    return find


def _net(file: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """(H, W, 3) → (5 + 80, h, w): objectness, box, classes."""
    try:
        net = cv2.dnn.readNetFromONNX(str(file))
    except cv2.error as error:
        raise Unavailable(f"{file}: does not load as ONNX: {str(error).strip().splitlines()[0]}") from None

    def look(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        net.setInput(cv2.dnn.blobFromImage(image, 1 / 255, (SIDE, SIDE), swapRB=True))
        told = np.asarray(net.forward())
        if told.ndim != 4 or told.shape[1] != 5 + COCO:
            raise Unavailable(f"{file}: gives {told.shape}; it takes a grid of (1, {5 + COCO}, h, w)")
        grid: NDArray[np.float32] = told[0]
        return grid

    return look


def _scores(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    scores: NDArray[np.float32] = grid[0] ** OBJECT * grid[5:] ** CLASS
    return scores


def _boxes(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 4) x, y, w, h in pixels of the square: centres are told from the cell's corner (FastestDet)."""
    rows, columns = np.indices(grid.shape[1:])
    height, width = grid.shape[1:]
    across, down = 1 / (1 + np.exp(-grid[3:5]))
    x, y = (columns + np.tanh(grid[1])) / width, (rows + np.tanh(grid[2])) / height
    return SIDE * np.stack([x - across / 2, y - down / 2, across, down], axis=-1)


def _transformer(folder: Path) -> Detector:
    import torch

    reader, model = _loaded(str(folder))

    def detect(image: NDArray[np.uint8]) -> dict[int | str, float]:
        with torch.inference_mode():
            logits = model(**reader(images=image, return_tensors="pt")).logits
        best = logits.softmax(-1)[0, :, :-1].amax(0).tolist()  # the last class is "nothing"
        return {model.config.id2label[n]: score for n, score in enumerate(best) if n in model.config.id2label}

    return detect


def _transformer_finder(name: str) -> Finder:
    import torch

    reader, model = _loaded(name)

    def find(image: NDArray[np.uint8]) -> Counter[str]:
        with torch.inference_mode():
            told = model(**reader(images=image, return_tensors="pt"))
        (found,) = reader.post_process_object_detection(told, threshold=SURE)
        return Counter(model.config.id2label[n] for n in found["labels"].tolist())

    return find


def _loaded(name: str) -> tuple[Any, Any]:
    try:
        import transformers

        local = Path(name).is_dir() or os.environ.get("HF_HUB_OFFLINE") == "1"
        options: dict[str, Any] = {"local_files_only": local, "trust_remote_code": False}
        reader = transformers.AutoImageProcessor.from_pretrained(name, **options)
        model = transformers.AutoModelForObjectDetection.from_pretrained(name, use_safetensors=True, **options).eval()
    except Exception as error:  # a broken model folder can raise anything at all
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Unavailable(f"{name}: does not load as a detector: {reason}") from error
    return reader, model
