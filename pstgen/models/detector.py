"""An object detector: the categories that it detects at a low threshold, a second witness of absence; or the objects that it finds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.core import resources
from pstgen.core.records import BadInput, Scene, Unavailable
from pstgen.core.resources import could_be_hub_id
from pstgen.models.loading import load_vision_model
from pstgen.scenes import pixels
from pstgen.scenes.vocabulary import Terms

SIDE = 352  # pixels, of the square that a grid detector takes
COCO_CLASSES = 80
OBJECT, CLASS = 0.6, 0.4  # exponents of objectness and class in a score (FastestDet)
MIN_SCORE = 0.5  # of an object that counts
GRID_MIN_SCORE = 0.65  # the same of a grid detector: FastestDet's own, right 4 times out of 5 on COCO
SAME_OBJECT = 0.45  # IoU of two boxes

Detector = Callable[[NDArray[np.uint8]], dict[int | str, float]]


class Found(NamedTuple):
    """An object that a detector finds. box: x, y, width and height, as shares of the image's sides; colour: "" where it says none."""

    category: str
    box: tuple[float, float, float, float]
    colour: str = ""


@dataclass(frozen=True)
class Finder:
    """Finds objects. categories: that it knows; find: of (H, W, 3) uint8 RGB images those that it detects with certainty."""

    categories: tuple[str, ...]
    find: Callable[[Sequence[NDArray[np.uint8]]], list[list[Found]]]


def add_detections(scenes: Iterable[Scene], *, detect: Detector, threshold: float) -> Iterator[Scene]:
    """Pass scenes on with the categories that the detector scores at `threshold` or more; those without an image as they are."""
    for scene in scenes:
        scores = detect(pixels.image(scene)) if scene.path else {}
        detected = (
            name for n, name in enumerate(scene.categories) if max(scores.get(n, 0), scores.get(name, 0)) >= threshold
        )
        yield replace(scene, detected=tuple(detected))


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
    return _grid_detector(name) if name.is_file() else _transformer_detector(name)


def load_finder(name: str) -> Finder:
    """Open a detector, or one of the hub. Raises BadInput where there is none, Unavailable where it does not load."""
    if Path(name).is_file():
        return _grid_finder(Path(name))
    if not Path(name).is_dir() and not could_be_hub_id(name):
        raise BadInput(f"{name}: no such detector; name an ONNX file, a Transformers detector's folder, or OWNER/NAME")
    return _transformer_finder(name)


def _grid_detector(file: Path) -> Detector:
    predict = _grid_network(file)

    def detect(image: NDArray[np.uint8]) -> dict[int | str, float]:
        return dict(enumerate(_scores(predict(image)).reshape(COCO_CLASSES, -1).max(axis=1).tolist()))

    return detect


def _grid_finder(file: Path) -> Finder:
    predict = _grid_network(file)
    categories = tuple(resources.read("data_sources", "words", dict[str, Terms]))  # in COCO's order

    def find(image: NDArray[np.uint8]) -> list[Found]:
        grid = predict(image)
        scores = _scores(grid)
        best = scores.max(0)
        cells = np.nonzero(best >= GRID_MIN_SCORE)
        classes, boxes = scores.argmax(0)[cells].tolist(), _boxes(grid)[cells].tolist()
        if not classes:
            return []
        kept = cv2.dnn.NMSBoxesBatched(boxes, best[cells].tolist(), classes, GRID_MIN_SCORE, SAME_OBJECT)
        return sorted(Found(categories[classes[n]], tuple(side / SIDE for side in boxes[n])) for n in kept)

    return Finder(categories, lambda images: list(map(find, images)))


def _grid_network(file: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """(H, W, 3) → (5 + 80, h, w): objectness, box, classes."""
    try:
        net = cv2.dnn.readNetFromONNX(str(file))
    except cv2.error as error:
        raise Unavailable(f"{file}: does not load as ONNX: {str(error).strip().splitlines()[0]}") from None

    def predict(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        net.setInput(cv2.dnn.blobFromImage(image, 1 / 255, (SIDE, SIDE), swapRB=True))
        output = np.asarray(net.forward())
        if output.ndim != 4 or output.shape[1] != 5 + COCO_CLASSES:
            raise Unavailable(
                f"{file}: its output is {output.shape}; it must be a grid of (1, {5 + COCO_CLASSES}, h, w)"
            )
        grid: NDArray[np.float32] = output[0]
        return grid

    return predict


def _scores(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    scores: NDArray[np.float32] = grid[0] ** OBJECT * grid[5:] ** CLASS
    return scores


def _boxes(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 4) x, y, w, h in pixels of the square; the grid has centres relative to the cell's corner (FastestDet)."""
    rows, columns = np.indices(grid.shape[1:])
    height, width = grid.shape[1:]
    across, down = 1 / (1 + np.exp(-grid[3:5]))
    x, y = (columns + np.tanh(grid[1])) / width, (rows + np.tanh(grid[2])) / height
    return SIDE * np.stack([x - across / 2, y - down / 2, across, down], axis=-1)


def _transformer_detector(folder: Path) -> Detector:
    import torch

    processor, model = _load_transformer(str(folder))

    def detect(image: NDArray[np.uint8]) -> dict[int | str, float]:
        with torch.inference_mode():
            logits = model(**processor(images=np.array(image), return_tensors="pt")).logits
        best = logits.softmax(-1)[0, :, :-1].amax(0).tolist()  # the last class is "nothing"
        return {model.config.id2label[n]: score for n, score in enumerate(best) if n in model.config.id2label}

    return detect


def _transformer_finder(name: str) -> Finder:
    import torch

    processor, model = _load_transformer(name)
    names = model.config.id2label

    def find(image: NDArray[np.uint8]) -> list[Found]:
        with torch.inference_mode():
            output = model(**processor(images=np.array(image), return_tensors="pt"))
        (objects,) = processor.post_process_object_detection(output, threshold=MIN_SCORE)
        corners = zip(
            objects["labels"].tolist(), objects["boxes"].tolist(), strict=True
        )  # shares, without target sizes
        return sorted(
            Found(names[n], (left, top, right - left, bottom - top)) for n, (left, top, right, bottom) in corners
        )

    return Finder(tuple(names.values()), lambda images: list(map(find, images)))


def _load_transformer(name: str) -> tuple[Any, Any]:
    return load_vision_model(name, "AutoModelForObjectDetection", "detector")
