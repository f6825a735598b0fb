"""A second witness of absence: which kinds of thing an object detector hears of, at a low threshold."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.records import BadInput, Scene, Unavailable
from pstgen.truth import pixels

SIDE = 352  # pixels, of the square that a grid detector gets
COCO = 80  # classes
OBJECT, CLASS = 0.6, 0.4  # exponents of objectness and class in a score (FastestDet)

Detector = Callable[[NDArray[np.uint8]], dict[int | str, float]]


def heard(scenes: Iterable[Scene], name: Path, threshold: float) -> Iterator[Scene]:
    """Pass scenes on, each with the categories that the detector scores at `threshold` or more.

    name: an ONNX file whose output is a grid of (1, 5 + 80, h, w): objectness, box, COCO's classes in their order; or
    the folder of a Transformers detector, whose labels are category names. Raises Unavailable where it does not load.
    """
    detect = load(name)
    for scene in scenes:
        scores = detect(pixels.image(scene))
        kinds = (
            kind for n, kind in enumerate(scene.categories) if max(scores.get(n, 0), scores.get(kind, 0)) >= threshold
        )
        yield replace(scene, detected=tuple(kinds))


def revision(name: Path) -> str:
    """sha256 of the file, or of the folder's weights."""
    files = [name] if name.is_file() else sorted(name.glob("*.safetensors"))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def load(name: Path) -> Detector:
    """Open a detector: (H, W, 3) uint8 RGB → score by class number or by name."""
    if not name.exists():
        raise BadInput(f"{name}: no such detector; name an ONNX file, or the folder of a Transformers detector")
    return _grid(name) if name.is_file() else _transformer(name)


def _grid(file: Path) -> Detector:
    try:
        net = cv2.dnn.readNetFromONNX(str(file))
    except cv2.error as error:
        raise Unavailable(f"{file}: does not load as ONNX: {str(error).strip().splitlines()[0]}") from None

    def detect(image: NDArray[np.uint8]) -> dict[int | str, float]:
        net.setInput(cv2.dnn.blobFromImage(image, 1 / 255, (SIDE, SIDE), swapRB=True))
        told = np.asarray(net.forward())
        if told.ndim != 4 or told.shape[1] != 5 + COCO:
            raise Unavailable(f"{file}: gives {told.shape}; it takes a grid of (1, {5 + COCO}, h, w)")
        scores = (told[0, 0] ** OBJECT * told[0, 5:] ** CLASS).reshape(COCO, -1).max(axis=1)
        return dict(enumerate(scores.tolist()))

    return detect


def _transformer(folder: Path) -> Detector:
    try:
        import torch
        import transformers

        options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        reader = transformers.AutoImageProcessor.from_pretrained(folder, **options)
        model = transformers.AutoModelForObjectDetection.from_pretrained(folder, use_safetensors=True, **options).eval()
    except Exception as error:  # a broken model folder can raise anything at all
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Unavailable(f"{folder}: does not load as a detector: {reason}") from error

    def detect(image: NDArray[np.uint8]) -> dict[int | str, float]:
        with torch.inference_mode():
            logits = model(**reader(images=image, return_tensors="pt")).logits
        best = logits.softmax(-1)[0, :, :-1].amax(0).tolist()  # the last class is "nothing"
        return {model.config.id2label[n]: score for n, score in enumerate(best) if n in model.config.id2label}

    return detect
